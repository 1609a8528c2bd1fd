"""A released member and its request: how the request is made, and how the member shows it."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from b2b.domain.campaign.member import Member, MemberStage, request_of
from b2b.domain.conversion.records import Change, Conversion, Source
from b2b.domain.conversion.stages import Stage
from b2b.domain.hashing import digest
from b2b.domain.request.approval import approval_of
from b2b.domain.request.record import RequestRecord, led_before, reopened, taken_in

_DRY = Stage.ASSESSED
"""A member's request is never a dry run: members are judged without one."""
MADE_FROM_MEMBER = "member-"
"""Prefix of the id of a member's request."""


def request_id_of(campaign_id: str, key: str) -> str:
    """Return the id of a member's request: the same whenever it is made."""
    return MADE_FROM_MEMBER + digest(f"{campaign_id}\n{key}".encode())[:48]


def released(member: Member) -> Member:
    """Take a judged member off the list, before its request is written: no list and no judgement changes it any more.

    The member shows the request already, as that will be written.
    """
    return replace(
        member,
        stage=MemberStage.REQUESTED,
        request_id=request_id_of(member.campaign_id, member.key),
        waiting=None,
        invited_at=None,
        accepted_at=None,
        last_error="",
        shown=member.shown + 1,
    )


def unwritten(member: Member, record: RequestRecord | None) -> bool:
    """Tell whether a member is released and its request is not written yet. ``record``: what stands under its id."""
    return member.stage is MemberStage.REQUESTED and (record is None or record.sequence < member.shown)


def put_back(member: Member, record: RequestRecord | None) -> Member:
    """Put a released member back on the list whose request is not written, and is not going to be."""
    request_id = record.request_id if record is not None else ""
    return replace(member, stage=MemberStage.JUDGED, request_id=request_id, shown=member.shown - 1)


def asked_for(
    member: Member, defaults: bytes, approval: str, now: datetime, conversion: Conversion | None = None
) -> Change[RequestRecord]:
    """Make the request of a released member: it is judged anew, and invites only the account and address judged.

    ``conversion``: that of the account, where an earlier request of the member may have led it and is purged.
    """
    request = request_of(member, defaults)
    request_id = request_id_of(member.campaign_id, member.key)
    left = led_before(request_id, conversion)
    columns = _release(member, approval) | {"sequence": member.shown - 1, "left_generation": left}
    return taken_in(request_id, request.body(), request.body_hash(), Source.CAMPAIGN, now, **columns)


def asked_again(
    record: RequestRecord, member: Member, defaults: bytes, approval: str, now: datetime
) -> Change[RequestRecord]:
    """Begin the request of a member again that was judged anew after the request's end."""
    request = request_of(member, defaults)
    columns = {"body": request.body(), "body_hash": request.body_hash(), "token_before": ""}
    return reopened(record, "released", now, "judged anew", **columns, **_release(member, approval))


def _release(member: Member, approval: str) -> dict[str, Any]:
    return {
        "released": True,
        "judged_as": member.judged_as,
        "judged_rules": tuple(sorted({finding.rule for finding in member.findings})),
        "user_id": member.user_id,
        "user_principal_name": member.user_principal_name,
        "invited_user_email_address": member.invited_address,
        "approval": approval,
        "campaign_id": member.campaign_id,
        "member": member.key,
    }


def shows(member: Member, record: RequestRecord) -> bool:
    """Tell whether a member stands where its request does: it was not listed, judged, refused or released since."""
    behind = unwritten(member, record) or _anew(member, record)
    return member.request_id == record.request_id and not behind


def _anew(member: Member, record: RequestRecord) -> bool:
    refused = member.stage is MemberStage.CANCELLED and record.stage is not Stage.CANCELLED
    return refused or member.stage.on_the_list


def showing(member: Member, record: RequestRecord) -> Member:
    """Return a member as its request stands. What it showed before it was listed, judged or refused anew is over."""
    if (
        (record.campaign_id, record.member) != (member.campaign_id, member.key)
        or record.sequence < member.shown + _anew(member, record)
        or record.stage is _DRY
    ):
        return member
    return replace(
        member,
        stage=MemberStage(record.stage),
        request_id=record.request_id,
        user_principal_name=record.user_principal_name or member.user_principal_name,
        invited_address=record.invited_user_email_address or member.invited_address,
        verdict=record.verdict if record.verdict is not None else member.verdict,
        findings=record.findings or member.findings,
        waiting=record.waiting,
        invited_at=record.invited_at,
        accepted_at=record.accepted_at,
        last_error=record.last_error,
        shown=record.sequence,
        **_approval(member, record),
    )


def _approval(member: Member, record: RequestRecord) -> dict[str, Any]:
    """Return what a member shows of the approval of its request: it is for the account and address of the request."""
    approval = approval_of(record)
    if approval is None:
        return {}
    known = {(each.rule, each.message): each for each in (*record.findings, *member.findings, *member.waived)}
    return {
        "judged_as": approval.subject,
        "waived": tuple(
            known[each.rule, each.message] for each in approval.waived if (each.rule, each.message) in known
        ),
        "decided_by": approval.by,
        "decided_because": approval.reason,
        "decided_at": approval.at,
    }
