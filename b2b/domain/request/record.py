"""The row of one request, and all changes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from b2b.domain.actors import BY_QUEUE, Actor, acting
from b2b.domain.conversion.records import SCHEMA_VERSION, Change, Conversion, Event, Source
from b2b.domain.conversion.stages import Care, Phase, Stage, may_follow, phase_of, row_of
from b2b.domain.conversion.waits import Cause, Waiting
from b2b.domain.errors import IllegalTransition, RequestRefused
from b2b.domain.findings import Finding, Verdict

NEVER_RAN = "NeverRan"
"""The error code of a request whose message the host gave up on before the app had written its row."""


@dataclass(frozen=True, kw_only=True)
class RequestRecord:
    """The state of one request."""

    request_id: str
    stage: Stage
    body_hash: str
    source: Source
    requested_at: datetime
    asked_by: Actor = BY_QUEUE
    """Who submitted the request."""
    listed_at: datetime | None = None
    """When an earlier request with this id arrived, if this request has replaced it; otherwise None."""
    user_principal_name: str = ""
    """The account's name from the request, and after the judgement from Graph."""
    invited_user_email_address: str = ""
    body: bytes = b""
    """The request as canonical JSON; empty if the request is malformed."""
    dry_run: bool = False
    """Whether the body asked for a dry run, or the mode was `assess` when the request arrived."""
    released: bool = False
    """Whether an administrator has released the dry run, for the account and address that it judged."""
    adopts: bool = False
    """Whether a person adopted the account. If so, the app follows someone else's invitation, and sends none."""
    judged_as: str = ""
    """The key of the account and the address that the dry run judged."""
    judged_rules: tuple[str, ...] = ()
    """The ids of the rules that had findings in the dry run."""
    token: str = ""
    """The id of the request's current message; any other message is ignored. If it is empty, the caller's message is
    current."""
    token_before: str = ""
    due_at: datetime | None = None
    """When the current message becomes visible."""
    waiting: Waiting | None = None
    waits: int = 0
    """How often in a row the request has waited for the same reason."""
    trouble_since: datetime | None = None
    """Since when the request has made no progress. A wait that an administrator wants does not count."""
    user_id: str = ""
    """The account's object id, to which the request is bound once it has found the account; empty before."""
    generation: int = 0
    """The generation of the account's conversion to which the request belongs; 0 if it belongs to none."""
    shown: int = 0
    """How many events the conversion had when this row was last updated from it. An older state is ignored."""
    left_generation: int = 0
    """The request can belong only to later generations than this one; 0 means to any generation. A request gets this
    number when a person reopens it (the generation that it left), when it goes to review (the generation that was
    shown), or when an earlier request with its id led a generation."""
    verdict: Verdict | None = None
    findings: tuple[Finding, ...] = ()
    invited_at: datetime | None = None
    accepted_at: datetime | None = None
    completed_at: datetime | None = None
    approval: str = ""
    """The approval of the request, as JSON."""
    last_error: str = ""
    error_code: str = ""
    error_target: str = ""
    poison_returns: int = 0
    campaign_id: str = ""
    member: str = ""
    """The key of the campaign's member for whom the request was created."""
    schema_version: int = SCHEMA_VERSION
    sequence: int = 0
    recent: tuple[Event, ...] = field(default=(), compare=False, repr=False)
    """The newest events, which are stored in the row. The last event has the number ``sequence``."""
    etag: str = ""

    @property
    def at_work(self) -> bool:
        """Whether a message has to continue the request. If not, it has ended, or the sweep or a person acts next."""
        return row_of(self.stage).care is Care.MESSAGE

    @property
    def replaceable(self) -> bool:
        """Whether a new request with the same id replaces it, because it was malformed or never ran."""
        return self.stage is Stage.REJECTED or (self.stage is Stage.FAILED and self.error_code == NEVER_RAN)

    @property
    def only_judged(self) -> bool:
        """Whether the request changes nothing in the directory."""
        return self.dry_run and not self.released


def taken_in(
    request_id: str, body: bytes, body_hash: str, source: Source, now: datetime, **columns: Any
) -> Change[RequestRecord]:
    """Return the row of a new, well-formed request."""
    row = RequestRecord(
        request_id=request_id,
        stage=Stage.REQUESTED,
        body=body,
        body_hash=body_hash,
        source=source,
        requested_at=now,
        due_at=now,
        asked_by=acting(),
        **columns,
    )
    detail = "dry run: nothing is written to the directory" if row.dry_run else ""
    return Change(row, (Event(Stage.REQUESTED.value, now, Stage.REQUESTED, request_id, detail),))


def never_ran(request_id: str, body: bytes, body_hash: str, now: datetime, *, dry_run: bool) -> Change[RequestRecord]:
    """Return the row of a request whose message the host gave up on before the app recorded it."""
    said = "The host gave up on the message before the app could record it. Send the request again, or retry it."
    row = RequestRecord(
        request_id=request_id,
        stage=Stage.FAILED,
        body=body,
        body_hash=body_hash,
        source=Source.QUEUE,
        requested_at=now,
        completed_at=now,
        dry_run=dry_run,
        last_error=said,
        error_code=NEVER_RAN,
    )
    return Change(row, (Event(Stage.FAILED.value, now, Stage.FAILED, request_id, said),))


def rejected(request_id: str, body_hash: str, refused: RequestRefused, now: datetime) -> Change[RequestRecord]:
    """Return the row of a malformed message."""
    row = RequestRecord(
        request_id=request_id,
        stage=Stage.REJECTED,
        body_hash=body_hash,
        source=Source.QUEUE,
        requested_at=now,
        completed_at=now,
        last_error=refused.message[:1000],
        error_code=refused.code,
        error_target=refused.target[:200],
    )
    return Change(row, (Event(Stage.REJECTED.value, now, Stage.REJECTED, request_id, refused.code),))


def in_place_of(change: Change[RequestRecord], before: RequestRecord) -> Change[RequestRecord]:
    """Replace a draft by a new row, which keeps the draft's history."""
    listed_at = before.listed_at or before.requested_at
    row = replace(change.row, listed_at=listed_at, sequence=before.sequence, recent=before.recent, etag=before.etag)
    return Change(row, change.events)


def move(record: RequestRecord, stage: Stage, now: datetime, detail: str = "", **changes: Any) -> Change[RequestRecord]:
    """Move a request to a stage. If it already has that stage, change only its columns, without an event.

    Raises:
        IllegalTransition: the stages do not allow the move. This is a bug.

    """
    if not may_follow(record.stage, stage):
        raise IllegalTransition(f"a request that is {record.stage} does not become {stage}")
    kept: dict[str, Any] = {"waiting": None, "waits": 0, "trouble_since": None, "last_error": ""}
    if stage is record.stage:
        return Change(replace(record, **changes))
    ended = {"completed_at": now if phase_of(stage) is Phase.ENDED else None}
    moved = replace(record, stage=stage, **{**kept, **ended, **changes})
    return Change(moved, (Event(stage.value, now, stage, record.request_id, detail),))


def leader_ended(record: RequestRecord, conversion: Conversion, now: datetime) -> Change[RequestRecord]:
    """Fail a joined request, because its conversion ended without an invitation for a reason of the leader alone."""
    said = f"Request {conversion.request_id}, which led this conversion, ended {conversion.stage}. Retry this one."
    return move(
        record,
        Stage.FAILED,
        now,
        "leader-ended",
        generation=conversion.generation,
        user_id=conversion.user_id,
        last_error=said,
        error_code="leader-ended",
    )


def reopened(record: RequestRecord, kind: str, now: datetime, detail: str, **changes: Any) -> Change[RequestRecord]:
    """Start a request again from its stored body, because a person decided so."""
    cleared: dict[str, Any] = {
        "generation": 0,
        "left_generation": max(record.generation, record.left_generation),
        "verdict": None,
        "findings": (),
        "completed_at": None,
        "invited_at": None,
        "accepted_at": None,
        "waiting": None,
        "waits": 0,
        "trouble_since": None,
        "last_error": "",
        "error_code": "",
        "poison_returns": 0,
        "adopts": False,
        "due_at": now,
    }
    row = replace(record, stage=Stage.REQUESTED, **{**cleared, **changes})
    return Change(row, (Event(kind, now, Stage.REQUESTED, record.request_id, detail),))


IDLE = timedelta(hours=1)
"""If a request is overdue for longer than this, the app was stopped, and that time does not count towards giving up."""


def rested(record: RequestRecord, now: datetime) -> RequestRecord:
    """Reset the time without progress of a request that is overdue by `IDLE`, because the app was stopped."""
    idle = record.due_at is not None and now - record.due_at > IDLE
    return replace(record, trouble_since=None) if idle else record


def put_off(record: RequestRecord, waiting: Waiting, token: str, now: datetime, detail: str) -> Change[RequestRecord]:
    """Let a request wait, with a new message. Another wait for the same reason adds no event."""
    again = record.waiting is not None and record.waiting.reason is waiting.reason
    row = replace(
        record,
        token=token,
        token_before=record.token,
        due_at=waiting.until,
        waiting=replaced_since(waiting, record.waiting) if again else waiting,
        waits=record.waits + 1 if again else 0,
        trouble_since=None if waiting.cause is Cause.WANTED else record.trouble_since or now,
        last_error=detail if waiting.cause is Cause.TROUBLE else record.last_error,
    )
    event = Event("waits", now, record.stage, record.request_id, f"{waiting.reason}: {detail}".removesuffix(": "))
    return Change(row, () if again else (event,))


def replaced_since(waiting: Waiting, before: Waiting | None) -> Waiting:
    """Return the wait with the time since when the request has waited for this reason."""
    return Waiting(waiting.reason, before.since if before is not None else waiting.since, waiting.until)


def belongs(record: RequestRecord, conversion: Conversion) -> bool:
    """Tell whether a request belongs to a conversion: it has the same account and generation, or leads it."""
    if conversion.user_id != record.user_id:
        return False
    if record.generation:
        return record.generation == conversion.generation
    return conversion.request_id == record.request_id and conversion.generation > record.left_generation


def led_before(request_id: str, conversion: Conversion | None) -> int:
    """Return the generation that an earlier, purged request with this id led; 0 if there is none.

    The account's row still names that request as leader. A new request with the id must not take over its state.
    """
    return conversion.generation if conversion is not None and conversion.request_id == request_id else 0


def may_show(record: RequestRecord, conversion: Conversion) -> bool:
    """Tell whether a request may take over the stage of its conversion: not if it has ended or shows a newer state."""
    newer = record.generation != conversion.generation or conversion.sequence >= record.shown
    return newer and may_follow(record.stage, conversion.stage)


def shows_alike(before: Conversion, after: Conversion) -> bool:
    """Tell whether requests show both states of a conversion alike, so that nothing has to be published."""
    same = (before.stage, before.generation, before.request_id) == (after.stage, after.generation, after.request_id)
    return same and mirrored(before) == mirrored(after)


NAMES = ("user_principal_name", "invited_user_email_address")
"""The columns that a conversion lacks if it was cancelled before it was judged."""


def mirrored(conversion: Conversion) -> Mapping[str, Any]:
    """Return the columns of a request's row that repeat the conversion."""
    return {
        "user_id": conversion.user_id,
        "generation": conversion.generation,
        "verdict": conversion.verdict,
        "findings": conversion.findings,
        "invited_at": conversion.invited_at,
        "accepted_at": conversion.accepted_at,
        "completed_at": conversion.completed_at,
        "last_error": conversion.last_error,
        **{name: getattr(conversion, name) for name in NAMES if getattr(conversion, name)},
        "error_code": conversion.error_code,
    }
