"""The records of the ledger, their stages, and which stage may follow which."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from b2b.domain.errors import IllegalTransition
from b2b.domain.findings import Finding, Verdict

SCHEMA_VERSION = 1
Row = TypeVar("Row")


class Source(StrEnum):
    """By which way a request came."""

    QUEUE = "queue"
    HTTP = "http"
    SWEEP = "sweep"


class Stage(StrEnum):
    """Where a request, or the conversion of an account, stands."""

    REQUESTED = "requested"
    REJECTED = "rejected"
    """The request itself is malformed."""
    ASSESSED = "assessed"
    """A dry run: nothing was done."""
    BLOCKED = "blocked"
    NEEDS_REVIEW = "needsReview"
    INVITING = "inviting"
    """The intent is written; the invitation may be out."""
    INVITED = "invited"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    LAPSED = "lapsed"
    """Our own deadline passed; the invitation itself does not expire."""
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE = frozenset({Stage.INVITING, Stage.INVITED, Stage.ACCEPTED, Stage.COMPLETED})
"""A new request for an account in one of these joins its conversion before any rule is asked."""
WORKING = frozenset({Stage.REQUESTED, Stage.INVITING})
"""The service is at work; everything else waits for a person or has ended."""
ENDED = frozenset(
    {
        Stage.REJECTED,
        Stage.ASSESSED,
        Stage.BLOCKED,
        Stage.COMPLETED,
        Stage.LAPSED,
        Stage.FAILED,
        Stage.CANCELLED,
    }
)

_START = frozenset({Stage.BLOCKED, Stage.NEEDS_REVIEW, Stage.INVITING, Stage.FAILED})
CONVERSION_FOLLOWS: dict[Stage | None, frozenset[Stage]] = {
    None: _START,
    Stage.BLOCKED: _START,
    Stage.NEEDS_REVIEW: _START,
    Stage.FAILED: _START,
    Stage.LAPSED: _START,
    Stage.CANCELLED: _START,
    Stage.INVITING: _START | {Stage.INVITED},
    Stage.INVITED: frozenset({Stage.ACCEPTED, Stage.LAPSED, Stage.FAILED, Stage.CANCELLED}),
    Stage.ACCEPTED: frozenset({Stage.COMPLETED}),
    Stage.COMPLETED: frozenset(),
}
"""An account: after blocked, needsReview, failed, lapsed or cancelled a new request starts over."""
REQUEST_FOLLOWS: dict[Stage | None, frozenset[Stage]] = {
    None: frozenset({Stage.REQUESTED, Stage.REJECTED, Stage.FAILED}),
    Stage.REQUESTED: frozenset(Stage) - {Stage.REJECTED},
    Stage.INVITING: _START | {Stage.INVITED, Stage.ACCEPTED, Stage.COMPLETED, Stage.LAPSED, Stage.CANCELLED},
    Stage.INVITED: frozenset({Stage.ACCEPTED, Stage.COMPLETED, Stage.LAPSED, Stage.FAILED, Stage.CANCELLED}),
    Stage.ACCEPTED: frozenset({Stage.COMPLETED}),
    **dict.fromkeys(ENDED, frozenset()),
    Stage.NEEDS_REVIEW: frozenset({Stage.REQUESTED}),
    Stage.BLOCKED: frozenset({Stage.REQUESTED}),
    Stage.FAILED: frozenset({Stage.REQUESTED, Stage.INVITED, Stage.ACCEPTED, Stage.COMPLETED}),
}
"""A request: it ends as its conversion ends, so it may skip the stages it did not see. A person may open it again."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a row, kept for good in the row's own partition."""

    kind: str
    at: datetime
    stage: Stage | None = None
    request_id: str = ""
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """The state of one account's conversion. ``etag`` and ``sequence`` are the ledger's, empty for a new row."""

    user_id: str
    stage: Stage
    request_id: str
    """The request that leads this conversion; others may have joined."""
    generation: int = 1
    """Counts the conversions of this account: a request belongs to one of them."""
    verdict: Verdict | None = None
    findings: tuple[Finding, ...] = ()
    user_principal_name: str = ""
    invited_user_email_address: str = ""
    source: Source = Source.QUEUE
    requested_at: datetime | None = None
    assessed_at: datetime | None = None
    """When the rules were asked for the findings that it goes by."""
    assessed_as: str = ""
    """Hash of the account as it read then."""
    invited_at: datetime | None = None
    accepted_at: datetime | None = None
    completed_at: datetime | None = None
    invitation_id: str = ""
    attempts: int = 0
    """How often an invitation was tried."""
    attempt_id: str = ""
    """Names the delivery that holds the claim."""
    intent_at: datetime | None = None
    silent: bool = False
    """The invitation sends no mail, so that a repeat would bother nobody."""
    lease_until: datetime | None = None
    """Until then the claim's owner may still be calling; afterwards its outcome is settled by reading."""
    last_error: str = ""
    schema_version: int = SCHEMA_VERSION
    sequence: int = 0
    etag: str = ""


@dataclass(frozen=True, kw_only=True)
class RequestRecord:
    """One request, from its arrival to its end."""

    request_id: str
    stage: Stage
    body_hash: str
    source: Source
    requested_at: datetime
    body: bytes = b""
    """Canonical JSON of the request; what a malformed one left is not kept."""
    dry_run: bool = False
    user_id: str = ""
    generation: int = 0
    """The conversion of `user_id` that this request belongs to; 0: none."""
    verdict: Verdict | None = None
    findings: tuple[Finding, ...] = ()
    invited_at: datetime | None = None
    accepted_at: datetime | None = None
    completed_at: datetime | None = None
    attempts: int = 0
    """How often it had to wait because a service did not do its part."""
    trouble_since: datetime | None = None
    """Since when it waits for a service without a break; a wait that we want does not count."""
    due_at: datetime | None = None
    """When something is to happen to it next; the sweep looks after one that is long overdue."""
    reopened_over: int = 0
    """The sequence of its account's row when a person opened it again: an end that it showed then is past."""
    approval: str = ""
    """JSON of the approval under which it runs."""
    last_error: str = ""
    error_code: str = ""
    error_target: str = ""
    poison_returns: int = 0
    schema_version: int = SCHEMA_VERSION
    sequence: int = 0
    etag: str = ""


@dataclass(frozen=True)
class Change(Generic[Row]):
    """A row as it is to be written, with the events that go into the same transaction."""

    row: Row
    events: tuple[Event, ...] = field(default=())


def advance(conversion: Conversion, stage: Stage, at: datetime, detail: str = "", **changes: Any) -> Change[Conversion]:
    """Move an account's conversion on.

    Raises:
        IllegalTransition: the stage may not follow the present one.

    """
    _check(CONVERSION_FOLLOWS, conversion.stage, stage)
    moved = replace(conversion, stage=stage, **{**_reached(stage, at), **changes})
    return Change(moved, (Event(stage.value, at, stage, moved.request_id, detail),))


def start(before: Conversion | None, opening: Conversion, at: datetime, detail: str = "") -> Change[Conversion]:
    """Begin an account's conversion, or begin it again: nothing of an earlier one is kept but its history.

    Raises:
        IllegalTransition: the earlier one has not ended.

    """
    _check(CONVERSION_FOLLOWS, before.stage if before else None, opening.stage)
    opening = replace(opening, **_reached(opening.stage, at))
    if before:
        opening = replace(opening, generation=before.generation + 1, sequence=before.sequence, etag=before.etag)
    return Change(opening, (Event(opening.stage.value, at, opening.stage, opening.request_id, detail),))


def advance_request(
    record: RequestRecord, stage: Stage, at: datetime, detail: str = "", **changes: Any
) -> Change[RequestRecord]:
    """Move a request on; where it stands there already, only its columns change and no event is added.

    Raises:
        IllegalTransition: the stage may not follow the present one.

    """
    if stage is record.stage:
        return Change(replace(record, **changes))
    _check(REQUEST_FOLLOWS, record.stage, stage)
    moved = replace(record, stage=stage, **{**_reached(stage, at), **changes})
    return Change(moved, (Event(stage.value, at, stage, record.request_id, detail),))


def may_show(record: RequestRecord, conversion: Conversion) -> bool:
    """Tell whether a request's row may take over the stage of its conversion.

    Not one that ended, or is further on; nor an end over which a person opened the request again.
    """
    if conversion.stage not in ACTIVE and conversion.sequence <= record.reopened_over:
        return False
    return conversion.stage is record.stage or conversion.stage in REQUEST_FOLLOWS[record.stage]


def mirrored(conversion: Conversion) -> dict[str, Any]:
    """Return what a request's row shows of the conversion it belongs to."""
    return {
        "user_id": conversion.user_id,
        "generation": conversion.generation,
        "verdict": conversion.verdict,
        "findings": conversion.findings,
        "invited_at": conversion.invited_at,
        "accepted_at": conversion.accepted_at,
        "completed_at": conversion.completed_at,
        "last_error": conversion.last_error,
    }


def _reached(stage: Stage, at: datetime) -> dict[str, Any]:
    """Return what reaching a stage says by itself: whether that is an end, and that an earlier trouble is over."""
    return {"completed_at": at if stage in ENDED else None, "last_error": ""}


def _check(follows: dict[Stage | None, frozenset[Stage]], before: Stage | None, after: Stage) -> None:
    if after not in follows.get(before, frozenset()):
        raise IllegalTransition(f"{after} may not follow {before}")
