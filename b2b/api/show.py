"""From rows to answers: what a caller reads about a request at each stage."""

from datetime import UTC, datetime

from msgspec import UNSET

from b2b.api.answers import Accepted, Failure, Fault, Links, OperationStatus, Reply, RequestStatus, Waits
from b2b.domain.conversion.stages import Phase, Stage, phase_of, row_of
from b2b.domain.conversion.waits import Waiting
from b2b.domain.findings import Severity
from b2b.domain.request.record import RequestRecord

RETRY_AFTER = 10
"""Seconds that we ask a polling caller to wait while the service works."""
RETRY_AFTER_PERSON = 3600
"""Seconds that we ask it to wait while a person is awaited: that takes hours to weeks."""
NOTHING_TO_DO = frozenset({"already-external", "invitation-pending"})
"""A request blocked by these ends without an error, whatever else there is: what it wanted is so already."""


def accepted(record: RequestRecord, base_url: str, mode: str) -> Reply:
    """Answer a request that was taken in."""
    location, operation = _addresses(record, base_url)
    content = Accepted(request_id=record.request_id, stage=record.stage, mode=mode, dry_run=record.only_judged)
    headers = {"Location": location, "Operation-Location": operation, "Retry-After": str(RETRY_AFTER)}
    return Reply(202, content, headers)


def request_status(record: RequestRecord, leader: str | None, base_url: str, sign_in: str | None) -> Reply:
    """Tell where a request stands: 202 while the service is at work, 200 when a person is awaited or it has ended.

    Logic Apps and Power Automate poll until the first answer that is not 202. ``leader`` is what `joined` returned.
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
    """Tell the same as a status monitor, which answers 200 always and is Running until the person has redeemed."""
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


def waits(waiting: Waiting | None) -> Waits | None:
    """Tell why a request waits, since when, and when the app looks again."""
    if waiting is None:
        return None
    return Waits(reason=waiting.reason, text=waiting.text, since=utc(waiting.since), until=time(waiting.until))


def utc(when: datetime) -> datetime:
    """Return a time as it is shown: in UTC, with a Z."""
    return when.astimezone(UTC)


def _addresses(record: RequestRecord, base_url: str) -> tuple[str, str]:
    return (
        f"{base_url}/api/requests/{record.request_id}",
        f"{base_url}/api/operations/{record.request_id}",
    )


def time(when: datetime | None) -> datetime | None:
    """Return a time as it is shown, where there is one."""
    return utc(when) if when else None


def _failure(record: RequestRecord) -> Failure | None:
    """Return why the request ended without what it asked for; None also where nothing was left to do."""
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
