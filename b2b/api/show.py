"""Turn stored rows into the answers that a caller reads."""

from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import UNSET

from b2b.api.answers import (
    Accepted,
    AccessReport,
    ActorShown,
    ConversionStatus,
    DifferenceShown,
    Failure,
    Fault,
    HistoryEvent,
    KindShown,
    Links,
    MailShown,
    NotCompared,
    OperationStatus,
    Reply,
    RequestStatus,
    SnapshotShown,
    Thing,
    Waits,
)
from b2b.domain.actors import Actor
from b2b.domain.conversion.records import Conversion, Event
from b2b.domain.conversion.redeemer import Matches
from b2b.domain.conversion.stages import Phase, Stage, phase_of, row_of
from b2b.domain.conversion.waits import Waiting
from b2b.domain.findings import Severity
from b2b.domain.lifecycle.snapshot import Difference, Snapshot
from b2b.domain.request.record import RequestRecord
from b2b.workflows.lifecycle.accounts import Access

RETRY_AFTER = 10
"""Seconds that a caller should wait before the next poll while the app works on the request."""
RETRY_AFTER_PERSON = 3600
"""Seconds that a caller should wait before the next poll while the request waits for a person: hours to weeks."""
NOTHING_TO_DO = frozenset({"already-external", "invitation-pending"})
"""Rules that find the account converted or invited already. A request that they block ends without an error."""


def accepted(record: RequestRecord, base_url: str, mode: str) -> Reply:
    """Return the answer to a request that the app has accepted."""
    location, operation = _addresses(record, base_url)
    content = Accepted(request_id=record.request_id, stage=record.stage, mode=mode, dry_run=record.only_judged)
    headers = {"Location": location, "Operation-Location": operation, "Retry-After": str(RETRY_AFTER)}
    return Reply(202, content, headers)


def request_status(record: RequestRecord, leader: str | None, base_url: str, sign_in: str | None) -> Reply:
    """Return the state of a request: 202 while the app works on it, 200 once it waits for a person or has ended.

    Logic Apps and Power Automate poll until the first answer that is not 202. ``leader``: the request that leads the
    conversion; None if this request leads it.
    """
    location, operation = _addresses(record, base_url)
    content = RequestStatus(
        request_id=record.request_id,
        joined_request_id=leader or UNSET,
        stage=record.stage,
        dry_run=record.only_judged,
        user_id=record.user_id or None,
        user_principal_name=record.user_principal_name or None,
        invited_user_email_address=record.invited_user_email_address or None,
        verdict=record.verdict,
        findings=list(record.findings),
        requested_at=utc(record.requested_at),
        invited_at=time(record.invited_at),
        accepted_at=time(record.accepted_at),
        completed_at=time(record.completed_at),
        waiting=waits(record.waiting),
        last_error=record.last_error or None,
        error=_failure(record),
        links=Links(self=location, operation=operation, sign_in=sign_in or UNSET),
    )
    if phase_of(record.stage) is Phase.SERVICE:
        return Reply(202, content, {"Location": location, "Retry-After": str(RETRY_AFTER)})
    return Reply(200, content)


def operation_status(record: RequestRecord, leader: str | None, base_url: str) -> Reply:
    """Return the state of a request as a long-running operation. The answer is always 200.

    The operation is Running until the person has redeemed.
    """
    location, _ = _addresses(record, base_url)
    error = _failure(record)
    content = OperationStatus(
        id=record.request_id,
        joined_request_id=leader or UNSET,
        status="Succeeded" if record.stage is Stage.BLOCKED and error is None else row_of(record.stage).operation,
        created_date_time=utc(record.requested_at),
        resource_location=location,
        error=error or UNSET,
    )
    phase = phase_of(record.stage)
    if phase is Phase.ENDED:
        return Reply(200, content)
    return Reply(200, content, {"Retry-After": str(RETRY_AFTER_PERSON if phase is Phase.PERSON else RETRY_AFTER)})


def conversion(found: Conversion) -> ConversionStatus:
    """Return the state of an account's conversion."""
    return ConversionStatus(
        user_id=found.user_id,
        stage=found.stage,
        request_id=found.request_id,
        generation=found.generation,
        joined=found.joined,
        user_principal_name=found.user_principal_name or None,
        invited_user_email_address=found.invited_user_email_address or None,
        verdict=found.verdict,
        findings=list(found.findings),
        invited_at=time(found.invited_at),
        accepted_at=time(found.accepted_at),
        completed_at=time(found.completed_at),
        waiting=waits(found.waiting),
        sign_in_matches=Matches(found.sign_in_matches) if found.sign_in_matches else None,
        signs_in_with=found.signs_in_with or None,
        open_doubts=len(found.open_doubts),
        adopted=found.adopted,
        mails=[
            MailShown(
                purpose=each.purpose,
                outcome=each.fate,
                at=utc(each.at),
                by=each.by,
                address=each.address,
                text=each.said or None,
            )
            for each in found.sendings
        ],
        earlier_addresses=list(found.earlier_addresses),
        last_error=found.last_error or None,
    )


def access(found: Access) -> AccessReport:
    """Return what the directory granted an account before its invitation and after its redemption."""
    return AccessReport(
        user_id=found.conversion.user_id,
        stage=found.conversion.stage,
        before=_snapshot(found.before),
        after=_snapshot(found.after),
        differences=[_difference(each) for each in found.differences],
        not_compared=[NotCompared(kind=kind, why=why) for kind, why in found.before.unread.items()]
        if found.before
        else [],
    )


def _snapshot(taken: Snapshot | None) -> SnapshotShown | None:
    if taken is None:
        return None
    kinds = [
        KindShown(kind=kind, count=each.count, items=_things(each.items), unread=each.unread or None)
        for kind, each in taken.kinds.items()
    ]
    return SnapshotShown(taken_at=utc(taken.taken_at), kinds=kinds)


def _difference(each: Difference) -> DifferenceShown:
    return DifferenceShown(
        kind=each.kind,
        text=str(each),
        missing=_things(each.missing) or [],
        new=_things(each.new) or [],
        unread=each.unread or None,
        count_before=each.before,
        count_after=each.after,
    )


def _things(items: Mapping[str, str] | None) -> list[Thing] | None:
    return None if items is None else [Thing(id=key, name=name or None) for key, name in items.items()]


def event(told: Event) -> HistoryEvent:
    """Return an event of a history."""
    return HistoryEvent(
        kind=told.kind,
        at=utc(told.at),
        stage=told.stage,
        request_id=told.request_id or None,
        detail=told.detail or None,
        actor=actor(told.actor),
        graph_request_id=told.graph_request_id or None,
    )


def actor(who: Actor) -> ActorShown:
    """Return an actor as answers show it."""
    return ActorShown(kind=who.kind, id=who.id or None, name=who.name or None)


def waits(waiting: Waiting | None) -> Waits | None:
    """Return why a request waits, since when, and when the app tries again; None if it does not wait."""
    if waiting is None:
        return None
    return Waits(reason=waiting.reason, text=waiting.text, since=utc(waiting.since), until=time(waiting.until))


def utc(when: datetime) -> datetime:
    """Return a time in UTC, which JSON shows with a Z."""
    return when.astimezone(UTC)


def _addresses(record: RequestRecord, base_url: str) -> tuple[str, str]:
    return (
        f"{base_url}/api/requests/{record.request_id}",
        f"{base_url}/api/operations/{record.request_id}",
    )


def time(when: datetime | None) -> datetime | None:
    """Return a time in UTC; None if there is none."""
    return utc(when) if when else None


def _failure(record: RequestRecord) -> Failure | None:
    """Return why the request failed; None if it did not, or if its account needs no conversion."""
    if row_of(record.stage).operation != "Failed":
        return None
    if record.stage is not Stage.BLOCKED:
        code = record.error_code or record.stage.value
        return Failure(code=code, message=record.last_error, target=record.error_target or None)
    worst = [finding for finding in record.findings if finding.severity in {Severity.BLOCK, Severity.FIX}]
    if any(finding.rule in NOTHING_TO_DO for finding in worst):
        return None
    details = [Fault(code=finding.rule, message=finding.message) for finding in worst]
    code, message = (worst[0].rule, worst[0].message) if worst else (record.stage.value, record.last_error)
    return Failure(code=code, message=message, details=details)
