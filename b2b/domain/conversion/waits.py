"""The table of reasons for which a request or a conversion waits. Callers, health and metrics show the reason."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum

import msgspec


class Cause(Enum):
    """Whether the time of a wait counts towards giving up."""

    TROUBLE = "trouble"
    """A service failed. The time counts."""
    HELD = "held back"
    """Another delivery is processing the request, or another instance saw a service fail. The time counts."""
    WANTED = "wanted"
    """An administrator wants the wait, or only time can settle it. The time does not count, and counting restarts."""


class WaitReason(StrEnum):
    """The reasons for a wait. `WAITS` has their rows."""

    SERVICE = "service-unavailable"
    PERMISSION = "permission-missing"
    THROTTLED = "throttled"
    PACED = "paced"
    BREAKER = "breaker-open"
    CONTENTION = "contention"
    INVITING = "inviting"
    OUTCOME_PENDING = "outcome-pending"
    OUTCOME_UNKNOWN = "outcome-unknown"
    ADDRESS_HELD = "address-held"
    ADDRESS_HOLDER_GONE = "address-holder-gone"
    UNDONE = "undone-unconfirmed"
    PAUSED = "paused"
    MODE_ASSESS = "mode-assess"
    CAMPAIGN_PAUSED = "campaign-paused"
    CAMPAIGN_ENDED = "campaign-ended"
    NOT_VISIBLE = "not-visible"
    ACCOUNT_DELETED = "account-deleted"
    COMPARING = "comparing"


@dataclass(frozen=True)
class Row:
    """One reason: its cause, its text for callers, and its delays in seconds.

    The first wait takes ``first`` seconds. Each further wait in a row doubles that, up to ``most``.
    """

    reason: WaitReason
    cause: Cause
    text: str
    first: float
    most: float


_R, _T, _H, _W = WaitReason, Cause.TROUBLE, Cause.HELD, Cause.WANTED
LONGEST = 900.0
"""The longest delay in seconds, so that a request notices a change within a quarter of an hour."""

# fmt: off
BY_CAMPAIGN = frozenset({WaitReason.CAMPAIGN_PAUSED, WaitReason.CAMPAIGN_ENDED})
"""The reasons that come from a request's campaign."""
WAITS: tuple[Row, ...] = (
    Row(_R.SERVICE, _T, "A service did not answer.", 15, LONGEST),
    Row(_R.PERMISSION, _T, "The application lacks a permission.", 300, LONGEST),
    Row(_R.THROTTLED, _H, "Graph asked the app to wait.", 15, LONGEST),
    Row(_R.PACED, _W, "Others are invited first: B2B_INVITATIONS_PER_MINUTE sets the pace.", 15, LONGEST),
    Row(_R.BREAKER, _H, "Too many invitations failed: the circuit breaker is open.", 15, LONGEST),
    Row(_R.CONTENTION, _H, "Other requests are writing the same rows.", 15, 120),
    Row(_R.INVITING, _H, "Another delivery of this request may be inviting.", 15, LONGEST),
    Row(_R.OUTCOME_PENDING, _H, "The outcome of an invitation is not known yet.", 15, LONGEST),
    Row(_R.OUTCOME_UNKNOWN, _H, "The invitation may be out, and it is not known whether this tenant would show it.",
        60, LONGEST),
    Row(_R.ADDRESS_HELD, _H, "Another account is being invited with the same address.", 15, 120),
    Row(_R.ADDRESS_HOLDER_GONE, _H, "The account that holds the address seems to be deleted.", 60, LONGEST),
    Row(_R.UNDONE, _H, "The account reads as before its redemption; a later look tells why.", 61, LONGEST),
    Row(_R.PAUSED, _W, "An administrator paused the app (B2B_PAUSED).", LONGEST, LONGEST),
    Row(_R.MODE_ASSESS, _W, "B2B_MODE is assess: nothing is sent.", LONGEST, LONGEST),
    Row(_R.CAMPAIGN_PAUSED, _W, "An administrator paused the campaign.", LONGEST, LONGEST),
    Row(_R.CAMPAIGN_ENDED, _W, "The campaign ended, and its outcome is not known yet.", LONGEST, LONGEST),
    Row(_R.NOT_VISIBLE, _W, "Graph accepted the invitation, and the account does not show it.", LONGEST, LONGEST),
    Row(_R.ACCOUNT_DELETED, _W, "The account is deleted and may be restored.", LONGEST, LONGEST),
    Row(_R.COMPARING, _W, "What the directory grants is compared with what it granted before the invitation.",
        LONGEST, LONGEST),
)
# fmt: on
_TABLE = {row.reason: row for row in WAITS}


class Waiting(msgspec.Struct, frozen=True, rename="camel"):
    """A wait as rows store it."""

    reason: WaitReason
    since: datetime
    until: datetime | None = None
    """When the app tries again; None if the sweep decides when."""

    @property
    def cause(self) -> Cause:
        """The cause, which says whether the time counts towards giving up."""
        return _TABLE[self.reason].cause

    @property
    def text(self) -> str:
        """The reason in words."""
        return _TABLE[self.reason].text


def row_of(reason: WaitReason) -> Row:
    """Return the row of a reason."""
    return _TABLE[reason]


def delay(reason: WaitReason, times: int, wanted: float | None = None) -> float:
    """Return the seconds to wait: ``wanted`` if given, else a delay that doubles with each wait in a row.

    ``times`` is the number of earlier waits in a row.
    """
    row = _TABLE[reason]
    return min(wanted if wanted is not None else row.first * 2.0 ** min(times, 10), max(row.most, wanted or 0.0))
