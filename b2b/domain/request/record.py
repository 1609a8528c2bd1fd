"""The row of one request, and how it moves on. Every new row is made by one of the constructors here."""

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
"""Error code of a request that the host gave up on before the app had a row for it."""


@dataclass(frozen=True, kw_only=True)
class RequestRecord:
    """One request, from its arrival to its end."""

    request_id: str
    stage: Stage
    body_hash: str
    source: Source
    requested_at: datetime
    asked_by: Actor = BY_QUEUE
    """Who submitted it."""
    listed_at: datetime | None = None
    """When another request came with this id, in whose place this one is; None: this is the first."""
    user_principal_name: str = ""
    """Of the account: as the request named it, and as Graph has it once the account was judged."""
    invited_user_email_address: str = ""
    body: bytes = b""
    """Canonical JSON of the request; of a malformed one nothing is kept."""
    dry_run: bool = False
    """The body says so, or the mode was `assess` when it came. Only a release changes that."""
    released: bool = False
    """An administrator let the dry run become real: only for what was judged."""
    adopts: bool = False
    """Whether a person adopted the account: the app follows an invitation of someone else, and sends none."""
    judged_as: str = ""
    """Names the account and the address that the dry run judged."""
    judged_rules: tuple[str, ...] = ()
    """The rules that had something to say then."""
    token: str = ""
    """Names the newest message of this request; a message with another one does nothing. Empty: the caller's own."""
    token_before: str = ""
    due_at: datetime | None = None
    """When the newest message is to be seen."""
    waiting: Waiting | None = None
    waits: int = 0
    """Waits in a row for the same reason."""
    trouble_since: datetime | None = None
    """Since when it could not go on, without a break; a wait that an administrator wants is a break."""
    user_id: str = ""
    """The account, once it is known. A request that names it otherwise is bound to this id from then on."""
    generation: int = 0
    """The conversion of `user_id` that it belongs to; 0: none."""
    shown: int = 0
    """How many events its conversion had when this row was last brought up to it: it does not go back to fewer."""
    left_generation: int = 0
    """The generation that a person opened it again from, that its review is about, or that an earlier request of its id
    led: it belongs to later ones only."""
    verdict: Verdict | None = None
    findings: tuple[Finding, ...] = ()
    invited_at: datetime | None = None
    accepted_at: datetime | None = None
    completed_at: datetime | None = None
    approval: str = ""
    """JSON of the approval under which it runs."""
    last_error: str = ""
    error_code: str = ""
    error_target: str = ""
    poison_returns: int = 0
    campaign_id: str = ""
    member: str = ""
    """The member of the campaign that it was made from."""
    schema_version: int = SCHEMA_VERSION
    sequence: int = 0
    recent: tuple[Event, ...] = field(default=(), compare=False, repr=False)
    """The newest events, which the row itself carries; the last one has the number ``sequence``."""
    etag: str = ""

    @property
    def at_work(self) -> bool:
        """Whether the app is to act by the request's message; later the sweep looks after its conversion."""
        return row_of(self.stage).care is Care.MESSAGE

    @property
    def replaceable(self) -> bool:
        """Whether another body of the same id takes its place: a draft, or a request that never ran."""
        return self.stage is Stage.REJECTED or (self.stage is Stage.FAILED and self.error_code == NEVER_RAN)

    @property
    def only_judged(self) -> bool:
        """Whether it changes nothing in the directory."""
        return self.dry_run and not self.released


def taken_in(
    request_id: str, body: bytes, body_hash: str, source: Source, now: datetime, **columns: Any
) -> Change[RequestRecord]:
    """Make the row of a request that was understood."""
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
    """Make the row of a request that the host gave up on before the app saw it."""
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
    """Make the row of a message that is no request."""
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
    """Write a new row over a draft, and keep the history."""
    listed_at = before.listed_at or before.requested_at
    row = replace(change.row, listed_at=listed_at, sequence=before.sequence, recent=before.recent, etag=before.etag)
    return Change(row, change.events)


def move(record: RequestRecord, stage: Stage, now: datetime, detail: str = "", **changes: Any) -> Change[RequestRecord]:
    """Move a request on by itself; where it stands there already, its columns change and no event is added.

    Raises:
        IllegalTransition: a bug: what has ended stays ended.

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
    """End a request whose conversion ended without an invitation, for a reason that concerns its leader."""
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
    """Begin a request again from its stored body, on a person's word."""
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
"""If a request is this overdue, the app was stopped; that time does not count towards giving up."""


def rested(record: RequestRecord, now: datetime) -> RequestRecord:
    """Forget the trouble of a request that was not tried for so long: the app was stopped."""
    idle = record.due_at is not None and now - record.due_at > IDLE
    return replace(record, trouble_since=None) if idle else record


def put_off(record: RequestRecord, waiting: Waiting, token: str, now: datetime, detail: str) -> Change[RequestRecord]:
    """Let a request wait, with a new message. A wait for the same reason again adds no event."""
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
    """Keep the time since when a request waits for this reason."""
    return Waiting(waiting.reason, before.since if before is not None else waiting.since, waiting.until)


def belongs(record: RequestRecord, conversion: Conversion) -> bool:
    """Tell whether a conversion is this request's own: the same account and generation, or one that it leads."""
    if conversion.user_id != record.user_id:
        return False
    if record.generation:
        return record.generation == conversion.generation
    return conversion.request_id == record.request_id and conversion.generation > record.left_generation


def led_before(request_id: str, conversion: Conversion | None) -> int:
    """Return the generation that an earlier request of this id led, for one that leads none yet; 0: none.

    The earlier one is purged, and what the account's row says of it is no news of the new one.
    """
    return conversion.generation if conversion is not None and conversion.request_id == request_id else 0


def may_show(record: RequestRecord, conversion: Conversion) -> bool:
    """Tell whether a request's row takes over the stage of its conversion: never over an end, nor what is older."""
    newer = record.generation != conversion.generation or conversion.sequence >= record.shown
    return newer and may_follow(record.stage, conversion.stage)


def shows_alike(before: Conversion, after: Conversion) -> bool:
    """Tell whether every request shows the same of both: then a change has nothing to publish."""
    same = (before.stage, before.generation, before.request_id) == (after.stage, after.generation, after.request_id)
    return same and mirrored(before) == mirrored(after)


NAMES = ("user_principal_name", "invited_user_email_address")
"""What a conversion that was called off before it was judged does not know."""


def mirrored(conversion: Conversion) -> Mapping[str, Any]:
    """Return what a request's row shows of the conversion that it belongs to."""
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
