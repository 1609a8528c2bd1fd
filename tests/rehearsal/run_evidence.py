"""The evidence of a run without problems, and ways to put one flaw into it."""

import json
from dataclasses import replace
from typing import Any

from rehearsal.run.campaign import Fault, ListTaken
from rehearsal.run.campaigning import Campaigned
from rehearsal.run.evidence import Evidence
from rehearsal.run.play import Played
from rehearsal.run.sending import Receipt
from rehearsal.sample import Account, Malformed, Sample, load

PLAIN, INVITED, BLOCKED, FOUNDATION, CALLED_OFF = ALONE = (
    "fabrikam-plain",
    "fourthcoffee-one-app-blocked",
    "fabrikam-plan2-mailbox",
    "fabrikam-exchange-foundation",
    "fabrikam-called-off",
)
LISTED, HELD, APPROVED = MEMBERS = ("litware-mail-only", "fabrikam-no-address", "fabrikam-role-active")
BY_HTTP, BY_QUEUE, REPEAT, ROW = "http-no-user", "queue-no-user", "queue-request-id-in-use", "list-no-person"
TICKET = "5f0c6f0d"


def sample() -> Sample:
    whole = load()
    return replace(
        whole,
        accounts=tuple(whole.account(name) for name in (*ALONE, *MEMBERS)),
        decisions=tuple(decision for decision in whole.decisions if decision.request in (CALLED_OFF, APPROVED)),
        malformed=tuple(entry for entry in whole.malformed if entry.name in (BY_HTTP, BY_QUEUE, REPEAT, ROW)),
        changes=(),
    )


def told(account: Account) -> dict[str, Any]:
    """Return the fields of row and answer for a request that ended as expected."""
    expect = sample().ends("current")[account.name]
    found = [{"rule": rule, "severity": "block"} for rule in expect.findings]
    return {"stage": expect.stage, "verdict": expect.verdict, "findings": found}


def line(account: Account) -> dict[str, Any]:
    """Return the campaign's list entry for a member that ended as expected."""
    expect = sample().ends("current")[account.name].as_member
    released = expect.stage != "judged"
    return {
        "member": f"key-{account.name}",
        "reference": account.name,
        "stage": expect.stage,
        "verdict": expect.verdict,
        "prospect": None if released else "fixable",
        "changes": [] if released else ["set the external address"],
        "rules": list(expect.findings),
        "requestId": account.name if released else None,
    }


def receipt(entry: Malformed) -> Receipt:
    if entry.by != "http":
        return Receipt(entry.request_id)
    error = {"code": entry.expect.code, "target": entry.expect.target}
    return Receipt(None, entry.expect.status, {"error": error}, entry.expect.code)


def user(account: Account, **changed: Any) -> dict[str, Any]:
    given = dict(account.user or {})
    return {**given, "userType": "Member", "groups": [], "externalUserState": None, "tickets": [], **changed}


def good() -> Evidence:
    """Return the evidence of a run without problems."""
    data = sample()
    receipts = {account.name: Receipt(account.name) for account in data.asked_for_alone}
    receipts |= {entry.name: receipt(entry) for entry in data.malformed_alone}
    lines = [line(account) for account in data.listed]
    states = [
        {
            "PartitionKey": account.name,
            "RowKey": "request",
            **told(account),
            "findings": json.dumps(told(account)["findings"]),
        }
        for account in data.accounts
        if account.name != HELD
    ]
    rejected = {"PartitionKey": BY_QUEUE, "RowKey": "request", "stage": "rejected", "errorCode": "MissingField"}
    event = {"PartitionKey": FOUNDATION, "RowKey": "history-0000000009", "kind": "refused-repeat"}
    invited = [a for a in data.accounts if told(a)["stage"] in ("invited", "completed")]
    outside = {"completed": "Accepted", "invited": "PendingAcceptance"}
    after = {
        str(a.user_id): user(a, externalUserState=outside[told(a)["stage"]], tickets=[{"secret": TICKET}])
        if a in invited
        else user(a)
        for a in data.accounts
    }
    call = {"method": "POST", "path": "/v1.0/invitations", "batch": None}
    return Evidence(
        sample=data,
        profile="current",
        played=Played(
            Campaigned(
                taken=ListTaken(
                    rows=4,
                    members=tuple(each["member"] for each in lines),
                    columns={},
                    unread=(),
                    faults=(Fault(5, "id", "MissingField", "the row names nobody"),),
                ),
                decided={APPROVED: None},
            ),
            receipts,
            decided={CALLED_OFF: Receipt(CALLED_OFF, 202)},
            waited={CALLED_OFF: "service-unavailable"},
            before={str(a.user_id): user(a) for a in data.accounts},
            redeemed=3,
            poison=0,
            swept=True,
        ),
        requests=(*states, rejected, event),
        conversions=tuple({"PartitionKey": a.user_id, "RowKey": "current", "stage": told(a)["stage"]} for a in invited),
        campaigns=(),
        members=tuple(lines),
        statuses={
            each["member"]: {**each, **told(data.account(each["reference"])), "stage": each["stage"]} for each in lines
        },
        answers={account.name: (200, told(account)) for account in data.asked_for_alone},
        after=after,
        journal=tuple(
            {**call, "body": {"invitedUser": {"id": a.user_id}, "sendInvitationMessage": True}} for a in invited
        ),
        mails=tuple({"userId": a.user_id} for a in invited),
        violations=(),
        log="Executed 'Functions.convert' (Succeeded)\n",
        left_in_queues=0,
        switches={},
    )


def object_id(name: str) -> str:
    return str(sample().account(name).user_id)


def with_row(evidence: Evidence, request_id: str, **changed: Any) -> Evidence:
    rows = [{**row, **changed} if row["PartitionKey"] == request_id else row for row in evidence.requests]
    return replace(evidence, requests=tuple(rows))


def with_receipt(evidence: Evidence, name: str, receipt: Receipt) -> Evidence:
    return replace(evidence, played=replace(evidence.played, receipts={**evidence.played.receipts, name: receipt}))


def with_played(evidence: Evidence, **changed: Any) -> Evidence:
    return replace(evidence, played=replace(evidence.played, **changed))


def with_user(evidence: Evidence, name: str, **changed: Any) -> Evidence:
    key = object_id(name)
    return replace(evidence, after={**evidence.after, key: {**evidence.after[key], **changed}})


def with_campaign(evidence: Evidence, **changed: Any) -> Evidence:
    return with_played(evidence, campaign=replace(evidence.played.campaign, **changed))


def with_taken(evidence: Evidence, **changed: Any) -> Evidence:
    taken = evidence.played.campaign.taken
    assert taken is not None
    return with_campaign(evidence, taken=replace(taken, **changed))


def with_line(evidence: Evidence, name: str, **changed: Any) -> Evidence:
    return replace(
        evidence, members=tuple({**each, **changed} if each["reference"] == name else each for each in evidence.members)
    )


def with_status(evidence: Evidence, name: str, **changed: Any) -> Evidence:
    key = f"key-{name}"
    return replace(evidence, statuses={**evidence.statuses, key: {**evidence.statuses[key], **changed}})
