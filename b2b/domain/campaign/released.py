"""Released members: create the request of a member, and show the state of the request in the member's row."""

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
"""The stage of a dry run. A member's request is never a dry run, because members are judged without a request."""
MADE_FROM_MEMBER = "member-"
"""Prefix of the id of a member's request."""


def request_id_of(campaign_id: str, key: str) -> str:
    """Return the id of a member's request. The id depends only on the campaign and the member's key."""
    return MADE_FROM_MEMBER + digest(f"{campaign_id}\n{key}".encode())[:48]


def released(member: Member) -> Member:
    """Mark a judged member as released, before its request is written. After that, no list and no run changes it.

    The member already shows the request as it will be written.
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
    """Tell whether a member is released and its request is not written yet. ``record``: the stored request, if any."""
    return member.stage is MemberStage.REQUESTED and (record is None or record.sequence < member.shown)


def put_back(member: Member, record: RequestRecord | None) -> Member:
    """Put a released member back on the list, because its request is not written and will not be."""
    request_id = record.request_id if record is not None else ""
    return replace(member, stage=MemberStage.JUDGED, request_id=request_id, shown=member.shown - 1)


def asked_for(
    member: Member, defaults: bytes, approval: str, now: datetime, conversion: Conversion | None = None
) -> Change[RequestRecord]:
    """Create the request of a released member. The request is judged again, and invites only what was judged before.

    ``conversion``: the account's conversion, if an earlier request of the member, since purged, may have led it.
    """
    request = request_of(member, defaults)
    request_id = request_id_of(member.campaign_id, member.key)
    left = led_before(request_id, conversion)
    columns = _release(member, approval) | {"sequence": member.shown - 1, "left_generation": left}
    return taken_in(request_id, request.body(), request.body_hash(), Source.CAMPAIGN, now, **columns)


def asked_again(
    record: RequestRecord, member: Member, defaults: bytes, approval: str, now: datetime
) -> Change[RequestRecord]:
    """Reopen the ended request of a member that was judged and released again."""
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
    """Tell whether a member shows this request, and was not listed, judged, refused or released since."""
    behind = unwritten(member, record) or _anew(member, record)
    return member.request_id == record.request_id and not behind


def _anew(member: Member, record: RequestRecord) -> bool:
    refused = member.stage is MemberStage.CANCELLED and record.stage is not Stage.CANCELLED
    return refused or member.stage.on_the_list


def showing(member: Member, record: RequestRecord) -> Member:
    """Return a member with the state of its request.

    The member stays as it is if it already shows a later state, or if it was listed, judged or refused again after it
    had shown this state.
    """
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
    """Return the columns that show the approval of a member's request; empty if it has none.

    ``judged_as`` becomes the account and the address for which the approval is valid.
    """
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
