"""What somebody needs who goes on by hand: addresses, keys, and commands to paste."""

import json
from collections.abc import Iterator

from rehearsal.run.scene import Scene
from rehearsal.sample import Sample

REQUEST_ID = "by-hand-1"


def instructions(scene: Scene, sample: Sample) -> Iterator[str]:
    """Addresses and keys of everything that is up, and the way of one more account through it."""
    host, tenant = scene.host, scene.tenant
    yield f"Functions host     {host.base}"
    yield f"  function key     {host.function_key}"
    yield f"  master key       {host.master_key}"
    yield f"Graph              {tenant.graph_url}"
    yield f"Control plane      {tenant.base}/_sim  (journal, mails, users, violations, redeem, …)"
    yield f"B2BStorage={scene.storage}"
    user_id = candidate(sample)
    if user_id:
        yield ""
        yield "One more account, ready by its dry run: request it, see where it stands, redeem, sweep."
        yield from _commands(scene, user_id)
    yield ""
    yield "Stop with Ctrl+C."


def candidate(sample: Sample) -> str | None:
    """The object id of an account that was only assessed, and found ready; None if the sample has none."""
    requested = {account.user_id for account in sample.accounts if not account.request.body.get("dryRun")}
    for account in sample.accounts:
        ready = {(expect.stage, expect.verdict) for expect in account.expect.values()} == {("assessed", "ready")}
        if ready and account.user_id not in requested:
            return account.user_id
    return None


def _commands(scene: Scene, user_id: str) -> Iterator[str]:
    host, tenant = scene.host, scene.tenant
    request = {"requestId": REQUEST_ID, "invitedUser": {"id": user_id}}
    key = f"-H 'x-functions-key: {host.function_key}'"
    yield f"  curl -s {key} -d '{json.dumps(request)}' {host.base}/api/conversions"
    yield f"  curl -s {key} {host.base}/api/conversions/{REQUEST_ID}"
    yield f"  curl -s -d '{json.dumps({'userId': user_id})}' {tenant.base}/_sim/redeem"
    yield (
        f"  curl -s -H 'x-functions-key: {host.master_key}' -H 'content-type: application/json' -d '{{}}'"
        f" {host.base}/admin/functions/sweep"
    )
