"""Print how to continue by hand after a run: addresses, keys, commands to paste, example requests, how to stop."""

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.rig import HostedRig
from rehearsal.run.play import CAMPAIGN, WHILE
from rehearsal.run.signed_urls import REQUESTS, messages_url, rows_url
from rehearsal.run.stack import NEWCOMER
from rehearsal.sample import Profile, Sample

HTTP_ID, QUEUE_ID = "by-hand-1", "by-hand-2"
APPROVAL = {"approvedBy": "me", "reason": "known to us"}
NEEDS_REVIEW = "needsReview"
SHOWN = (NEEDS_REVIEW, "blocked", "invited")
"""The stages for each of which one request is named."""


def instructions(rig: HostedRig, sample: Sample, profile: Profile) -> Iterator[str]:
    """Yield the instructions: what runs where, and commands for the campaign, a new account and some requests."""
    yield from addresses(rig)
    yield ""
    yield from campaign_commands(rig, CAMPAIGN)
    yield ""
    yield from _one_more(rig)
    yield ""
    yield from _examples(rig, sample, profile)
    yield ""
    yield from how_to_stop()


def addresses(rig: HostedRig) -> Iterator[str]:
    """Yield the addresses of the host, the tenant and storage."""
    host, tenant = rig.host, rig.tenant
    yield f"Functions host     {host.base}  (function key {host.function_key}, master key {host.master_key})"
    yield f"  its log          tail -f {host.log_file}"
    yield f"Graph              {tenant.graph_url}"
    yield f"  control plane    {tenant.base}/_sim/  (lists its routes: mails, journal, users, redeem and others)"
    yield f"Storage            B2BStorage='{rig.storage}'"


def campaign_commands(rig: HostedRig, campaign_id: str) -> Iterator[str]:
    """Yield curl commands that show a campaign: its members, its worklist and its pending decisions."""
    host, address = rig.host, f"{rig.host.base}/api/campaigns/{campaign_id}"
    yield f"The campaign {campaign_id}: its members, what would help those not ready, and its pending decisions."
    yield _curl(f"{address}/members.csv", host.function_key)
    yield _curl(f"{address}/worklist.csv", host.function_key)
    yield _curl(f"{address}/decisions", host.function_key)


def how_to_stop() -> Iterator[str]:
    """Yield how to stop the run."""
    yield f"Stop with Ctrl+C, or: kill {os.getpid()}"


def examples(sample: Sample, profile: Profile) -> dict[str, str]:
    """Return the id of the first request outside the campaign that ends in each stage of `SHOWN`, by stage.

    Only requests that have an id of their own count, and only accounts that may sign in, because Graph refuses others
    even after an approval.
    """
    ends = sample.ends(profile)
    found: dict[str, str] = {}
    for account in sample.asked_for_alone:
        if account.request.request_id and account.user and account.user.get("accountEnabled", True):
            found.setdefault(ends[account.name].stage, account.request.request_id)
    return {stage: found[stage] for stage in SHOWN if stage in found}


def _one_more(rig: HostedRig) -> Iterator[str]:
    host, user = rig.host, {"id": NEWCOMER["id"]}
    name = NEWCOMER["userPrincipalName"]
    yield f"One more account, {name}: request and read it, redeem and run the sweep. The app then compares it twice, so"
    yield "move its clock ahead and run the sweep again, two times. No timer runs the sweep here."
    yield _curl(f"{host.base}/api/requests", host.function_key, {"requestId": HTTP_ID, "invitedUser": user})
    yield _curl(f"{host.base}/api/requests/{HTTP_ID}", host.function_key)
    yield _curl(f"{rig.tenant.base}/_sim/redeem", body={"userId": NEWCOMER["id"]})
    yield _curl(f"{host.base}/admin/functions/sweep", host.master_key, {})
    yield _curl(f"{host.base}/_rehearsal/clock", host.master_key, {"advance": WHILE.total_seconds()})
    yield f"The same by the queue {REQUESTS}; then its rows (the other table is conversions, by object id):"
    message = json.dumps({"requestId": QUEUE_ID, "invitedUser": user})
    yield f"  curl -s -d '<QueueMessage><MessageText>{message}</MessageText></QueueMessage>' '{messages_url(rig)}'"
    rows = rows_url(rig, "requests", f"PartitionKey eq '{HTTP_ID}'")
    yield f"  curl -s -H 'accept: application/json;odata=nometadata' '{rows}'"


def _examples(rig: HostedRig, sample: Sample, profile: Profile) -> Iterator[str]:
    host, found = rig.host, examples(sample, profile)
    named = {stage: f"{stage} {request_id}" for stage, request_id in found.items()}
    named |= (
        {NEEDS_REVIEW: f"{named[NEEDS_REVIEW]} (approve it: its history has who did, and why)"}
        if NEEDS_REVIEW in named
        else {}
    )
    yield f"Requests to look at: {', '.join(named.values())}."
    for stage, request_id in found.items():
        address = f"{host.base}/api/requests/{request_id}"
        yield _curl(address, host.function_key)
        if stage == NEEDS_REVIEW:
            yield _curl(f"{address}/approve", host.function_key, APPROVAL)


def _curl(address: str, key: str | None = None, body: Mapping[str, Any] | None = None) -> str:
    words = ["curl -s"]
    if key is not None:
        words.append(f"-H 'x-functions-key: {key}'")
    if body is not None:
        words.append(f"-H 'content-type: application/json' -d '{json.dumps(body)}'")
    return "  " + " ".join([*words, address])
