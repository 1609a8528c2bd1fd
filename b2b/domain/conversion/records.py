"""The row of an account's conversion, its events, and how it moves on.

There is one constructor for a new generation (`begin`) and one for each way on (`advance`, `note`): a new column has
one place to be set.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from b2b.domain.actors import Actor, acting
from b2b.domain.conversion.sendings import Purpose, Sending
from b2b.domain.conversion.stages import Phase, Stage, check_beginning, check_conversion, phase_of
from b2b.domain.conversion.waits import Waiting
from b2b.domain.findings import Finding, Verdict

SCHEMA_VERSION = 2
"""Version of the rows. A row with a later one is of a newer app, and this one leaves it alone."""
Row = TypeVar("Row")


class Source(StrEnum):
    """By which way a request came."""

    QUEUE = "queue"
    HTTP = "http"
    CAMPAIGN = "campaign"


@dataclass(frozen=True)
class Event:
    """Something that happened to a row, kept for good in the row's own partition."""

    kind: str
    at: datetime
    stage: Stage | None = None
    request_id: str = ""
    detail: str = ""
    actor: Actor = field(default_factory=acting)
    """Who brought it about."""
    graph_request_id: str = ""
    """Graph's id of the call that brought it about, for support at Microsoft."""


class Doubt(msgspec.Struct, frozen=True, rename="camel"):
    """A try to invite whose outcome is not known. Only what settles it removes it; a later try does not."""

    attempt: str
    since: datetime
    """When it was claimed."""
    until: datetime
    """The latest end that its call can have had."""
    silent: bool
    """It asked for no mail."""
    address: str = ""
    """Key of the address that it went to, if it went out. The account may have got another one since."""
    waived: bool = False
    """A person was shown it and wants the invitation sent again."""
    elsewhere: bool = False
    """Graph took it and answered with another account, so that this account's silence proves nothing."""


class Absence(Enum):
    """Where an account is that does not answer by its id."""

    BIN = "recycle bin"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """The state of one account's conversion. ``etag``, ``sequence`` and ``recent`` are the ledger's."""

    user_id: str
    stage: Stage
    request_id: str
    """The request that leads this generation; others may have joined."""
    generation: int = 1
    """Counts the conversions of this account. A request belongs to one generation of one account."""
    joined: int = 0
    """How many requests have joined the leader in this generation."""
    verdict: Verdict | None = None
    findings: tuple[Finding, ...] = ()
    user_principal_name: str = ""
    invited_user_email_address: str = ""
    synced: bool = False
    """Whether Active Directory masters the account: what the tenant shows is known for each kind apart."""
    assessed_at: datetime | None = None
    assessed_as: str = ""
    """Hash of the account as it was read for the assessment."""
    was_internal: bool = False
    """The account's externalUserState was null when it was assessed: what it shows later comes from an invitation."""
    attempts: int = 0
    """How often an invitation was tried in this generation."""
    attempt_id: str = ""
    """Names the try that holds the claim."""
    lease_until: datetime | None = None
    """Until when the request that holds the claim may be calling Graph. None: no call is under way."""
    doubts: tuple[Doubt, ...] = ()
    silent: bool = False
    """The last try asked for no mail."""
    adopted: bool = False
    """Others invited the account; the app follows it, and has sent nothing."""
    sendings: tuple[Sending, ...] = ()
    """Mails that a person asked for after the invitation, oldest first."""
    invitation_id: str = ""
    """Graph's id of the invitation, where the app got the answer."""
    invited_at: datetime | None = None
    seen_at: datetime | None = None
    """When the account was first seen to show this generation's invitation."""
    accepted_at: datetime | None = None
    completed_at: datetime | None = None
    internal_since: datetime | None = None
    """When the account first read as internal again, after its invitation had been seen."""
    absence: Absence | None = None
    absent_since: datetime | None = None
    waiting: Waiting | None = None
    last_error: str = ""
    error_code: str = ""
    """Why it ended, where the stage alone does not say."""
    baseline: int = 0
    """The generation that keeps the snapshot which is compared with after the redemption; 0: none was taken."""
    access_seen_at: datetime | None = None
    """When a reading ended that differs from it; as far as that showed, the account still waited for its person."""
    comparing_since: datetime | None = None
    """When the redemption was seen, or a person asked for a fresh comparison: the deadline counts from then."""
    equal_since: datetime | None = None
    """Since when readings after the redemption are equal to the snapshot."""
    corrected: bool = False
    """An earlier invitation went to another address, and nobody redeemed it: its link may still open the account."""
    sign_in_matches: str = ""
    """Whether the person who redeemed signs in with the invited address (`Matches`); empty: nobody has redeemed, or it
    was not looked at."""
    signs_in_with: str = ""
    """The issuer by which the person who redeemed signs in, as the account showed it."""
    called_off: tuple[str, ...] = ()
    """Requests that a person cancelled before they led or joined a conversion: none of them may claim any more."""
    published: int = 0
    """The sequence up to which the members' rows show this row."""
    schema_version: int = SCHEMA_VERSION
    sequence: int = 0
    recent: tuple[Event, ...] = field(default=(), compare=False, repr=False)
    """The newest events, which the row itself carries; the last one has the number ``sequence``."""
    etag: str = ""

    @property
    def open_doubts(self) -> tuple[Doubt, ...]:
        """The doubts that forbid another invitation."""
        return tuple(doubt for doubt in self.doubts if not doubt.waived)

    @property
    def earlier_addresses(self) -> tuple[str, ...]:
        """The addresses that were corrected. Until the redemption, the links that they got may open the account."""
        corrections = (each for each in self.sendings if each.purpose is Purpose.CORRECTION and each.may_be_out)
        return tuple(dict.fromkeys(each.earlier for each in corrections))


@dataclass(frozen=True)
class Change(Generic[Row]):
    """A row as it is to be written, with the events that go into the same transaction."""

    row: Row
    events: tuple[Event, ...] = field(default=())


def begin(before: Conversion | None, opening: Conversion, at: datetime, detail: str = "") -> Change[Conversion]:
    """Begin a generation of an account's conversion. Of the one before, history, doubts and cancellations are kept.

    Its mails are kept, too, unless they were redeemed: their links may open the account.

    Raises:
        IllegalTransition: a bug: the one before has not ended.

    """
    check_beginning(before.stage if before else None, opening.stage)
    opening = replace(opening, **_reached(opening.stage, at))
    if before is not None:
        kept = {doubt.attempt: doubt for doubt in (*before.doubts, *opening.doubts)}
        opening = replace(
            opening,
            generation=before.generation + 1,
            sequence=before.sequence,
            recent=before.recent,
            etag=before.etag,
            doubts=tuple(kept.values()),
            called_off=before.called_off,
            corrected=opening.corrected or _elsewhere(before, opening),
            sendings=() if before.accepted_at else before.sendings,
        )
    return Change(opening, (Event(opening.stage.value, at, opening.stage, opening.request_id, detail),))


def _elsewhere(before: Conversion, opening: Conversion) -> bool:
    """Tell whether a generation invites another address than the one before it did, or may have done."""
    sent = before.accepted_at is None and (before.invited_at is not None or before.doubts)
    other = before.invited_user_email_address.casefold() != opening.invited_user_email_address.casefold()
    return before.corrected or bool(sent and other)


def advance(
    row: Conversion, stage: Stage, at: datetime, detail: str = "", *, call: str = "", **changes: Any
) -> Change[Conversion]:
    """Move a conversion on. ``call`` is Graph's id of the call that did it.

    Raises:
        IllegalTransition: a bug.

    """
    check_conversion(row.stage, stage)
    moved = replace(row, stage=stage, **{**_reached(stage, at), **changes})
    return Change(moved, (Event(stage.value, at, stage, moved.request_id, detail, graph_request_id=call),))


def note(
    row: Conversion, kind: str, at: datetime, detail: str = "", *, call: str = "", **changes: Any
) -> Change[Conversion]:
    """Record something that does not change the stage. ``call`` is Graph's id of the call that did it."""
    return Change(replace(row, **changes), (Event(kind, at, row.stage, row.request_id, detail, graph_request_id=call),))


def with_baseline(change: Change[Conversion]) -> Change[Conversion]:
    """Say that this generation keeps what is compared with after the redemption."""
    row = replace(change.row, baseline=change.row.generation, access_seen_at=None, equal_since=None)
    return Change(row, change.events)


def chain(first: Change[Conversion], second: Change[Conversion]) -> Change[Conversion]:
    """Join two changes of one row, the second made from the first's row, into one transaction."""
    return Change(second.row, (*first.events, *second.events))


def _reached(stage: Stage, at: datetime) -> dict[str, Any]:
    """What reaching a stage says by itself: when it ended, and that an earlier wait and error are over."""
    ended = phase_of(stage) is Phase.ENDED
    return {"completed_at": at if ended else None, "last_error": "", "error_code": "", "waiting": None}
