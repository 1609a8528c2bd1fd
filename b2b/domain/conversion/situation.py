"""What `next_step` decides from, and the steps that it may return."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from b2b.domain.conversion.assessment import Assessment, Sighting
from b2b.domain.conversion.records import Change, Conversion
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.tenant_fact import Shows
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.findings import Finding
from b2b.domain.invitation import LONGEST_CALL
from b2b.domain.request.record import RequestRecord


@dataclass(frozen=True)
class Limits:
    """Times that the protocol is built on."""

    fence: timedelta
    """Longest time between the reservation and the first byte of the call."""
    lease: timedelta
    """How long a claim lasts: fence, longest call, writing the outcome, and the skew of clocks."""
    window: timedelta
    """How long a read may lag behind a write, with the skew of clocks."""
    give_up: timedelta
    """How long a request may go without progress, and a doubt wait for what the tenant shows: since the first try."""
    bin: timedelta = timedelta(days=30)
    """How long a deleted account can be restored."""
    confirm: timedelta = timedelta(seconds=60)
    """Least time between two reads that confirm each other."""


SKEW = timedelta(seconds=60)
"""Clocks of instances differ by up to this much; it is always allowed for towards waiting."""
FENCE = timedelta(seconds=10)
WRITING = timedelta(seconds=14)
"""Time to write the outcome of a call, storage's own retries included."""


def limits_of(graph_timeout: float, replication_window: float, give_up: float) -> Limits:
    """Return the times for these settings, each in seconds."""
    longest_call = timedelta(seconds=graph_timeout * LONGEST_CALL)
    return Limits(
        fence=FENCE,
        lease=FENCE + longest_call + WRITING + SKEW,
        window=timedelta(seconds=replication_window) + SKEW,
        give_up=timedelta(seconds=give_up),
    )


@dataclass(frozen=True)
class Situation:
    """Everything that the decision is made from."""

    request: RequestRecord
    conversion: Conversion | None
    """The account's row; None: it has none, or the request's account is not known yet (`Judge` finds it)."""
    sighting: Sighting | None
    """The account as read in this round; None if it was not read."""
    assessment: Assessment | None
    """What the rules said in this round. None: they were not asked yet."""
    silent: bool
    """The request asks for no mail."""
    held: WaitReason | None
    """Why an administrator wants nothing to be sent now (paused, mode). None: the app may send."""
    shows: Shows
    """What the tenant is known to show, for this kind of account."""
    again: bool
    """A person was shown the open doubts, or that nothing shows, and wants the invitation sent again."""
    limits: Limits
    now: datetime


@dataclass(frozen=True)
class Done:
    """Nothing is left for this message to do."""


@dataclass(frozen=True)
class Look:
    """Read the account, and decide again."""


@dataclass(frozen=True)
class Judge:
    """Read the facts and ask the rules, and decide again."""


@dataclass(frozen=True)
class Report:
    """End a dry run with what the rules said."""

    assessment: Assessment


@dataclass(frozen=True)
class Conclude:
    """Record a verdict that is not ready."""

    assessment: Assessment
    stage: Stage
    alone: bool = False
    """It is the request's only: the account's conversion goes on."""


@dataclass(frozen=True)
class Review:
    """Let a person decide about this request alone; its account's conversion stays as it is."""

    finding: Finding


@dataclass(frozen=True)
class Join:
    """Make the request a member of its account's conversion: every write of that one brings its row up to it."""


@dataclass(frozen=True)
class Show:
    """Copy the conversion's stage to the request's row, which lags behind; then nothing is left to do."""


@dataclass(frozen=True)
class CallOff:
    """End the request as cancelled: a person has cancelled it, and its row does not say so yet."""


@dataclass(frozen=True)
class Record:
    """Write what was found out about the conversion, and decide again."""

    change: Change[Conversion]


@dataclass(frozen=True)
class Claim:
    """Claim the account and invite."""

    assessment: Assessment


@dataclass(frozen=True)
class Wait:
    """Put the request off; ``seconds`` where the time is known."""

    reason: WaitReason
    seconds: float | None = None


Step = Done | Look | Judge | Report | Conclude | Review | Join | Show | CallOff | Record | Claim | Wait
