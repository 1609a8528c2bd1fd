"""The input of `next_step`, and the steps that it may return."""

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
    """The time limits of the protocol."""

    fence: timedelta
    """Longest time between the reservation of the address and the first byte of the call."""
    lease: timedelta
    """How long a claim lasts: the sum of fence, longest call, writing the outcome, and clock skew."""
    window: timedelta
    """Longest time after a write in which a read may still show the old state, clock skew included."""
    give_up: timedelta
    """How long a request may go without progress, and a doubt may wait for the tenant fact after its first try."""
    bin: timedelta = timedelta(days=30)
    """How long a deleted account can be restored from the recycle bin."""
    confirm: timedelta = timedelta(seconds=60)
    """Shortest time between two reads for the second to confirm the first."""


SKEW = timedelta(seconds=60)
"""Clocks of instances differ by up to this much. A comparison of their times allows for it by waiting longer."""
FENCE = timedelta(seconds=10)
WRITING = timedelta(seconds=14)
"""Longest time to write the outcome of a call, the storage client's retries included."""


def limits_of(graph_timeout: float, replication_window: float, give_up: float) -> Limits:
    """Return the limits for these settings, which are in seconds."""
    longest_call = timedelta(seconds=graph_timeout * LONGEST_CALL)
    return Limits(
        fence=FENCE,
        lease=FENCE + longest_call + WRITING + SKEW,
        window=timedelta(seconds=replication_window) + SKEW,
        give_up=timedelta(seconds=give_up),
    )


@dataclass(frozen=True)
class Situation:
    """Everything that `next_step` takes into account."""

    request: RequestRecord
    conversion: Conversion | None
    """The account's conversion. None if there is none, or if the account is not known yet (`Judge` finds it)."""
    sighting: Sighting | None
    """The account as read in this round; None if it was not read."""
    assessment: Assessment | None
    """The result of the rules in this round; None if they were not asked yet."""
    silent: bool
    """Whether the request asks for an invitation without a mail."""
    held: WaitReason | None
    """Why nothing may be sent now, by an administrator's wish (paused, mode); None if the app may send."""
    shows: Shows
    """Whether this kind of account (cloud-only or synchronised) is known to show an invitation in this tenant."""
    again: bool
    """Whether a person asked for another invitation, knowing that an earlier one may have been sent."""
    limits: Limits
    now: datetime


@dataclass(frozen=True)
class Done:
    """End the processing of this message, because nothing is left to do."""


@dataclass(frozen=True)
class Look:
    """Read the account, then decide again."""


@dataclass(frozen=True)
class Judge:
    """Read the facts and ask the rules, then decide again."""


@dataclass(frozen=True)
class Report:
    """End a dry run with the result of the rules."""

    assessment: Assessment


@dataclass(frozen=True)
class Conclude:
    """Move to ``stage``, because the verdict is not ready."""

    assessment: Assessment
    stage: Stage
    alone: bool = False
    """Whether only the request moves. The account's conversion then stays as it is."""


@dataclass(frozen=True)
class Review:
    """Ask a person to decide about this request. The account's conversion stays as it is."""

    finding: Finding


@dataclass(frozen=True)
class Join:
    """Make the request join its account's conversion. From then on the request's row shows the conversion's stage."""


@dataclass(frozen=True)
class Show:
    """Copy the conversion's stage to the request's row, which is out of date. Then nothing is left to do."""


@dataclass(frozen=True)
class CallOff:
    """End the request as cancelled. A person has cancelled it, and its row does not show that yet."""


@dataclass(frozen=True)
class Record:
    """Write a change of the conversion, then decide again."""

    change: Change[Conversion]


@dataclass(frozen=True)
class Claim:
    """Claim the account and send the invitation."""

    assessment: Assessment


@dataclass(frozen=True)
class Wait:
    """Put the request off for ``seconds``; if they are None, for as long as the reason's row in `WAITS` sets."""

    reason: WaitReason
    seconds: float | None = None


Step = Done | Look | Judge | Report | Conclude | Review | Join | Show | CallOff | Record | Claim | Wait
