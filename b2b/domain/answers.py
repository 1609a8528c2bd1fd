"""What callers over HTTP are told, as plain JSON values: camelCase names, RFC 3339 times in UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from b2b.domain.conversion.records import Conversion
from b2b.domain.conversion.stages import Phase, Stage, phase_of, row_of
from b2b.domain.conversion.waits import Waiting
from b2b.domain.errors import RequestRefused
from b2b.domain.findings import Finding, Severity
from b2b.domain.request.record import RequestRecord, belongs, may_show, mirrored

RETRY_AFTER = 10
"""Seconds that we ask a polling caller to wait while the service works."""
RETRY_AFTER_PERSON = 3600
"""Seconds that we ask it to wait while a person is awaited: that takes hours to weeks."""
NOTHING_TO_DO = frozenset({"already-external", "invitation-pending"})
"""A request blocked by these ends without an error, whatever else there is: what it wanted is so already."""


@dataclass(frozen=True)
class Reply:
    """An HTTP answer: status, headers and a JSON value."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


def as_it_stands(record: RequestRecord, conversion: Conversion | None) -> RequestRecord:
    """Return the request with what its conversion says now: the conversion's own row is the truth."""
    if conversion is None or not belongs(record, conversion) or not may_show(record, conversion):
        return record
    shown = replace(record, stage=conversion.stage, **mirrored(conversion))
    at_work = phase_of(conversion.stage) is Phase.SERVICE
    return replace(shown, waiting=record.waiting if at_work else conversion.waiting)


def joined(record: RequestRecord, conversion: Conversion | None) -> str | None:
    """Return the request that leads the conversion which this one joined: what that one asked for was sent.

    None if the request leads itself, belongs to no conversion, or a later conversion of the account has begun.
    """
    if conversion is None or not record.generation or record.generation != conversion.generation:
        return None
    return conversion.request_id if conversion.request_id != record.request_id else None


def accepted(record: RequestRecord, base_url: str, mode: str) -> Reply:
    """Answer a request that was taken in."""
    location, operation = _addresses(record, base_url)
    body = {"requestId": record.request_id, "stage": record.stage, "mode": mode, "dryRun": record.only_judged}
    headers = {"Location": location, "Operation-Location": operation, "Retry-After": str(RETRY_AFTER)}
    return Reply(202, body, headers)


def request_status(record: RequestRecord, leader: str | None, base_url: str, sign_in: str | None) -> Reply:
    """Tell where a request stands: 202 while the service is at work, 200 when a person is awaited or it has ended.

    Logic Apps and Power Automate poll until the first answer that is not 202. ``leader`` is what `joined` returned.
    """
    location, operation = _addresses(record, base_url)
    links = {"self": location, "operation": operation, "signIn": sign_in}
    body = {
        "requestId": record.request_id,
        **_joined(leader),
        "stage": record.stage,
        "dryRun": record.only_judged,
        "userId": record.user_id or None,
        "verdict": record.verdict,
        "findings": findings(record.findings),
        **_times(record),
        "waiting": _waiting(record.waiting),
        "lastError": record.last_error or None,
        "error": _failure(record),
        "links": {name: link for name, link in links.items() if link},
    }
    if phase_of(record.stage) is Phase.SERVICE:
        return Reply(202, body, {"Location": location, "Retry-After": str(RETRY_AFTER)})
    return Reply(200, body)


def operation_status(record: RequestRecord, leader: str | None, base_url: str) -> Reply:
    """Tell the same as a status monitor, which answers 200 always and is Running until the person has redeemed."""
    location, _ = _addresses(record, base_url)
    error = _failure(record)
    status = "Succeeded" if record.stage is Stage.BLOCKED and error is None else row_of(record.stage).operation
    body: dict[str, Any] = {
        "id": record.request_id,
        **_joined(leader),
        "status": status,
        "createdDateTime": _time(record.requested_at),
        "resourceLocation": location,
        **({"error": error} if error else {}),
    }
    phase = phase_of(record.stage)
    if phase is Phase.ENDED:
        return Reply(200, body)
    return Reply(200, body, {"Retry-After": str(RETRY_AFTER_PERSON if phase is Phase.PERSON else RETRY_AFTER)})


def refused(error: RequestRefused) -> Reply:
    """Answer a request that was not taken in; if several things are wrong with it, all are in the details."""
    faults = (error, *error.others) if error.others else ()
    details = [{"code": fault.code, "message": fault.message, "target": fault.target or None} for fault in faults]
    return problem(error.status, error.code, error.message, error.target, details=details)


def problem(
    status: int,
    code: str,
    message: str,
    target: str = "",
    retry_after: int | None = None,
    details: Sequence[Mapping[str, Any]] = (),
) -> Reply:
    """Return an error in the form of the Microsoft REST guidelines; codes are part of the contract."""
    headers = {"x-ms-error-code": code, **({"Retry-After": str(retry_after)} if retry_after is not None else {})}
    body: dict[str, Any] = {
        "error": {"code": code, "message": message, "target": target or None, "details": list(details)}
    }
    return Reply(status, body, headers)


def findings(found: tuple[Finding, ...]) -> list[dict[str, Any]]:
    """Return findings as JSON values."""
    return [msgspec.to_builtins(finding) for finding in found]


def _addresses(record: RequestRecord, base_url: str) -> tuple[str, str]:
    return (
        f"{base_url}/api/requests/{record.request_id}",
        f"{base_url}/api/operations/{record.request_id}",
    )


def _waiting(waiting: Waiting | None) -> dict[str, Any] | None:
    """Return why a request waits, since when, and when the app looks again."""
    if waiting is None:
        return None
    return {
        "reason": waiting.reason,
        "text": waiting.text,
        "since": _time(waiting.since),
        "until": _time(waiting.until),
    }


def _joined(leader: str | None) -> dict[str, str]:
    return {"joinedRequestId": leader} if leader else {}


def _times(record: RequestRecord) -> dict[str, str | None]:
    return {
        "requestedAt": _time(record.requested_at),
        "invitedAt": _time(record.invited_at),
        "acceptedAt": _time(record.accepted_at),
        "completedAt": _time(record.completed_at),
    }


def _time(when: datetime | None) -> str | None:
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z") if when else None


def _failure(record: RequestRecord) -> dict[str, Any] | None:
    """Return why the request ended without what it asked for; None also where nothing was left to do."""
    if row_of(record.stage).operation != "Failed":
        return None
    if record.stage is not Stage.BLOCKED:
        code = record.error_code or record.stage.value
        return {"code": code, "message": record.last_error, "target": record.error_target or None, "details": []}
    worst = [finding for finding in record.findings if finding.severity in {Severity.BLOCK, Severity.FIX}]
    if any(finding.rule in NOTHING_TO_DO for finding in worst):
        return None
    details = [{"code": finding.rule, "message": finding.message} for finding in worst]
    code, message = (worst[0].rule, worst[0].message) if worst else (record.stage.value, record.last_error)
    return {"code": code, "message": message, "target": None, "details": details}
