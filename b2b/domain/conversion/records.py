"""The row of an account's conversion, its events and its changes.

Only `begin` makes a new generation, only `advance` changes the stage, and `note` changes anything else. So a new column
is set in one place.
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
"""Version of the rows. If a row has a higher version, a newer version of the app wrote it, so this app does not change
it."""
Row = TypeVar("Row")


class Source(StrEnum):
    """How a request reached the app."""

    QUEUE = "queue"
    HTTP = "http"
    CAMPAIGN = "campaign"


@dataclass(frozen=True)
class Event:
    """An event in the history of a row. The ledger keeps it in the row's partition."""

    kind: str
    at: datetime
    stage: Stage | None = None
    request_id: str = ""
    detail: str = ""
    actor: Actor = field(default_factory=acting)
    """Who caused the event."""
    graph_request_id: str = ""
    """Graph's request-id of the call that caused the event, for Microsoft support."""


class Doubt(msgspec.Struct, frozen=True, rename="camel"):
    """An attempt to invite whose outcome the app does not know. Later doubts are added; each stays until settled."""

    attempt: str
    since: datetime
    """When the attempt was claimed."""
    until: datetime
    """The latest time at which its call can have ended."""
    silent: bool
    """Whether the attempt asked for no mail."""
    address: str = ""
    """Key of the address that the attempt invited. The account's address may have changed since."""
    waived: bool = False
    """Whether an approver has seen the doubt and wants another invitation."""
    elsewhere: bool = False
    """Whether Graph answered with another account. If so, this account proves nothing by showing no invitation."""


class Absence(Enum):
    """Where an account is that Graph does not find by its id."""

    BIN = "recycle bin"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """The state of one account's conversion. Only the ledger sets ``etag``, ``sequence`` and ``recent``."""

    user_id: str
    stage: Stage
    request_id: str
    """The request that leads this generation. Others may have joined it."""
    generation: int = 1
    """The number of this conversion of the account, from 1. A request belongs to one generation of one account."""
    joined: int = 0
    """How many requests have joined the leader in this generation."""
    verdict: Verdict | None = None
    findings: tuple[Finding, ...] = ()
    user_principal_name: str = ""
    invited_user_email_address: str = ""
    synced: bool = False
    """Whether the account is synchronised from Active Directory. `TenantFact` treats such accounts separately."""
    assessed_at: datetime | None = None
    assessed_as: str = ""
    """`Account.fingerprint` at the assessment."""
    was_internal: bool = False
    """Whether `externalUserState` was null at the assessment. If so, a later state comes from an invitation."""
    attempts: int = 0
    """How many attempts to invite this generation has made."""
    attempt_id: str = ""
    """The id of the attempt that holds the claim."""
    lease_until: datetime | None = None
    """The end of the claim's lease. Until then its call to Graph may be running. None if no call is running."""
    doubts: tuple[Doubt, ...] = ()
    silent: bool = False
    """Whether the last attempt asked for no mail."""
    adopted: bool = False
    """Whether someone else invited the account. The app has sent no invitation and only follows the account."""
    sendings: tuple[Sending, ...] = ()
    """The mails that a person asked for after the invitation, oldest first."""
    invitation_id: str = ""
    """Graph's id of the invitation; empty if the app did not get Graph's answer."""
    invited_at: datetime | None = None
    seen_at: datetime | None = None
    """When a read first showed this generation's invitation on the account."""
    accepted_at: datetime | None = None
    completed_at: datetime | None = None
    internal_since: datetime | None = None
    """When a read first showed the account as internal again, after one had shown the invitation."""
    absence: Absence | None = None
    absent_since: datetime | None = None
    waiting: Waiting | None = None
    last_error: str = ""
    error_code: str = ""
    """Why the conversion ended, as a code; empty if the stage says enough."""
    baseline: int = 0
    """The generation that stores the snapshot from before the invitation; 0 if the app took no snapshot."""
    access_seen_at: datetime | None = None
    """When the app read a snapshot that differs from the baseline, while the account still looked unredeemed."""
    comparing_since: datetime | None = None
    """When the app saw the redemption, or a person asked for another comparison. The deadline counts from then."""
    equal_since: datetime | None = None
    """Since when every read after the redemption equals the snapshot from before the invitation."""
    corrected: bool = False
    """Whether an earlier, unredeemed invitation went to another address. Its link may still open the account."""
    sign_in_matches: str = ""
    """Whether the person who redeemed signs in with the invited address, as a value of `Matches`.

    Empty if the invitation is not redeemed yet, or if the app did not check.
    """
    signs_in_with: str = ""
    """The issuer of the identity with which the person who redeemed signs in; empty if the account shows none."""
    called_off: tuple[str, ...] = ()
    """Requests that a person cancelled before they led or joined a conversion. These requests may no longer claim."""
    published: int = 0
    """The sequence of this row that the rows of its requests show."""
    schema_version: int = SCHEMA_VERSION
    sequence: int = 0
    recent: tuple[Event, ...] = field(default=(), compare=False, repr=False)
    """The newest events, which are stored in the row itself. The last event has the number ``sequence``."""
    etag: str = ""

    @property
    def open_doubts(self) -> tuple[Doubt, ...]:
        """The doubts that forbid another invitation."""
        return tuple(doubt for doubt in self.doubts if not doubt.waived)

    @property
    def earlier_addresses(self) -> tuple[str, ...]:
        """The addresses that were corrected. Until the redemption, the links sent to them may still work."""
        corrections = (each for each in self.sendings if each.purpose is Purpose.CORRECTION and each.may_be_out)
        return tuple(dict.fromkeys(each.earlier for each in corrections))


@dataclass(frozen=True)
class Change(Generic[Row]):
    """A row to write, with the events to write in the same transaction."""

    row: Row
    events: tuple[Event, ...] = field(default=())


def begin(before: Conversion | None, opening: Conversion, at: datetime, detail: str = "") -> Change[Conversion]:
    """Begin a generation of an account's conversion. It keeps the history, doubts and cancellations of ``before``.

    It also keeps the mails of ``before`` until the redemption, because their links may still work.

    Raises:
        IllegalTransition: no generation may begin at ``before``'s stage. This is a bug.

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
    """Tell whether an earlier, unredeemed generation invited another address, or may have done so."""
    sent = before.accepted_at is None and (before.invited_at is not None or before.doubts)
    other = before.invited_user_email_address.casefold() != opening.invited_user_email_address.casefold()
    return before.corrected or bool(sent and other)


def advance(
    row: Conversion, stage: Stage, at: datetime, detail: str = "", *, call: str = "", **changes: Any
) -> Change[Conversion]:
    """Move a conversion to another stage. ``call`` is Graph's request-id of the call that caused it.

    Raises:
        IllegalTransition: the table of stages has no such step. This is a bug.

    """
    check_conversion(row.stage, stage)
    moved = replace(row, stage=stage, **{**_reached(stage, at), **changes})
    return Change(moved, (Event(stage.value, at, stage, moved.request_id, detail, graph_request_id=call),))


def note(
    row: Conversion, kind: str, at: datetime, detail: str = "", *, call: str = "", **changes: Any
) -> Change[Conversion]:
    """Record an event that does not change the stage. ``call`` is Graph's request-id of the call that caused it."""
    return Change(replace(row, **changes), (Event(kind, at, row.stage, row.request_id, detail, graph_request_id=call),))


def with_baseline(change: Change[Conversion], seen_at: datetime | None = None) -> Change[Conversion]:
    """Return a change whose generation stores the snapshot from before the invitation.

    ``seen_at``: when a snapshot was read that is stored with it and is not confirmed yet; None if there is none.
    """
    row = replace(change.row, baseline=change.row.generation, access_seen_at=seen_at, equal_since=None)
    return Change(row, change.events)


def chain(first: Change[Conversion], second: Change[Conversion]) -> Change[Conversion]:
    """Join two changes of one row, the second made from the first's row, into one transaction."""
    return Change(second.row, (*first.events, *second.events))


def _reached(stage: Stage, at: datetime) -> dict[str, Any]:
    """Return the columns that change with every stage: the time of the end, and no wait or error."""
    ended = phase_of(stage) is Phase.ENDED
    return {"completed_at": at if ended else None, "last_error": "", "error_code": "", "waiting": None}
