"""The stages as one table. Everything that is true of a stage stands in its row, or is derived from the table.

A conversion is what happens to one account; a request is what a caller asked for. A request shows the stage of its
conversion, so both use the same stages.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum

from b2b.domain.errors import IllegalTransition


class Stage(StrEnum):
    """Where a request, or the conversion of an account, stands."""

    REQUESTED = "requested"
    REJECTED = "rejected"
    ASSESSED = "assessed"
    BLOCKED = "blocked"
    NEEDS_REVIEW = "needsReview"
    INVITING = "inviting"
    INVITED = "invited"
    ACCEPTED = "accepted"
    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Phase(Enum):
    """Who is to act."""

    SERVICE = "service works"
    PERSON = "waits for a person"
    ENDED = "ended"


class Action(StrEnum):
    """What an administrator may do to a request."""

    RETRY = "retry"
    APPROVE = "approve"
    REFUSE = "refuse"
    RELEASE = "release"
    CANCEL = "cancel"
    ADOPT = "adopt"


class Care(Enum):
    """Which part of the app looks after a request or conversion in this stage."""

    NOBODY = "nobody"
    MESSAGE = "the leader's message"
    FOLLOW = "the sweep: follow"
    VERIFY = "the sweep: verify"
    DECISION = "a decision about the account"


@dataclass(frozen=True)
class Row:
    """What is true of one stage."""

    stage: Stage
    meaning: str
    phase: Phase
    care: Care
    next: frozenset[Stage]
    """Stages that the same generation of a conversion may reach from here in one step.

    From `needsReview` it is `invited` if the account shows the invitation after all, `cancelled` if a person refuses.
    An approval is no such step: it starts the request again (`LEADS_TO`), which begins another generation.
    """
    restarts: bool
    """Whether a new generation of the account's conversion may begin over one that stands here.

    Also at `needsReview` and `invited`, which have not ended: a person may ask for another invitation there.
    """
    actions: frozenset[Action]
    operation: str
    """Status of the long-running operation (microsoft/api-guidelines, Guidelines.md)."""


def _row(
    stage: Stage,
    meaning: str,
    phase: Phase,
    care: Care,
    following: Iterable[Stage],
    actions: Iterable[Action],
    operation: str,
    *,
    restarts: bool = False,
) -> Row:
    return Row(stage, meaning, phase, care, frozenset(following), restarts, frozenset(actions), operation)


_S, _A, _C = Stage, Action, Care
_WORKS, _PERSON, _ENDED = Phase.SERVICE, Phase.PERSON, Phase.ENDED

# fmt: off
STAGES: tuple[Row, ...] = (
    _row(_S.REQUESTED, "taken in, not judged yet", _WORKS, _C.MESSAGE,
         (_S.ASSESSED, _S.BLOCKED, _S.NEEDS_REVIEW, _S.INVITING, _S.FAILED, _S.CANCELLED), (_A.CANCEL,), "NotStarted"),
    _row(_S.REJECTED, "the request itself is malformed", _ENDED, _C.NOBODY, (), (), "Failed"),
    _row(_S.ASSESSED, "a dry run: judged, and nothing was done", _ENDED, _C.NOBODY, (), (_A.RELEASE,), "Succeeded"),
    _row(_S.BLOCKED, "a rule forbids it", _ENDED, _C.NOBODY, (), (_A.RETRY, _A.ADOPT), "Failed", restarts=True),
    _row(_S.NEEDS_REVIEW, "an administrator must decide", _PERSON, _C.FOLLOW,
         (_S.INVITED, _S.CANCELLED), (_A.APPROVE, _A.REFUSE), "Running", restarts=True),
    _row(_S.INVITING, "the claim is written; the invitation may be out", _WORKS, _C.MESSAGE,
         (_S.INVITED, _S.BLOCKED, _S.NEEDS_REVIEW, _S.FAILED, _S.CANCELLED), (_A.CANCEL,), "Running"),
    _row(_S.INVITED, "waits for the invited person", _PERSON, _C.FOLLOW,
         (_S.ACCEPTED, _S.CANCELLED), (), "Running", restarts=True),
    _row(_S.ACCEPTED, "the person has redeemed; what the directory grants is compared", _WORKS, _C.VERIFY,
         (_S.VERIFIED, _S.UNVERIFIED, _S.COMPLETED, _S.INVITED, _S.CANCELLED), (), "Running"),
    _row(_S.VERIFIED, "what the directory grants is what it granted before", _WORKS, _C.VERIFY, (_S.COMPLETED,), (),
         "Running"),
    _row(_S.UNVERIFIED, "the account has changed, or another person may have redeemed: an administrator must decide",
         _PERSON, _C.DECISION, (_S.ACCEPTED, _S.COMPLETED, _S.INVITED, _S.CANCELLED), (), "Running"),
    _row(_S.COMPLETED, "nothing is left to do", _ENDED, _C.NOBODY, (), (), "Succeeded", restarts=True),
    _row(_S.FAILED, "it could not be done", _ENDED, _C.NOBODY, (), (_A.RETRY,), "Failed", restarts=True),
    _row(_S.CANCELLED, "called off, or the account is gone", _ENDED, _C.NOBODY, (), (), "Canceled", restarts=True),
)
# fmt: on

_TABLE = {row.stage: row for row in STAGES}
LEADS_TO: dict[Action, Stage] = {
    Action.RETRY: Stage.REQUESTED,
    Action.APPROVE: Stage.REQUESTED,
    Action.RELEASE: Stage.REQUESTED,
    Action.ADOPT: Stage.REQUESTED,
    Action.REFUSE: Stage.CANCELLED,
    Action.CANCEL: Stage.CANCELLED,
}
"""Where an administrator's action leads a request. Its conversion stays as it is until the request acts on it."""
BEGINNINGS = frozenset(
    {Stage.INVITING, Stage.BLOCKED, Stage.NEEDS_REVIEW, Stage.FAILED, Stage.INVITED, Stage.CANCELLED}
)
"""Stages in which a generation may begin.

At `invited` where a redemption was reset, an earlier invitation shows, or others invited: nothing is sent. At
`cancelled` where the account's first request was cancelled before its claim.
"""


def row_of(stage: Stage) -> Row:
    """Return what is true of a stage."""
    return _TABLE[stage]


def phase_of(stage: Stage) -> Phase:
    """Say who is to act in a stage."""
    return _TABLE[stage].phase


def reachable(stage: Stage) -> frozenset[Stage]:
    """Return every stage that can follow, in however many steps: a request may skip what it did not see."""
    found, left = set[Stage](), [stage]
    while left:
        new = _TABLE[left.pop()].next - found
        found |= new
        left += new
    return frozenset(found)


def check_conversion(before: Stage, after: Stage) -> None:
    """Refuse a step that the table does not have.

    Raises:
        IllegalTransition: a bug.

    """
    if after is not before and after not in _TABLE[before].next:
        raise IllegalTransition(f"a conversion that is {before} does not become {after}")


def check_beginning(before: Stage | None, opening: Stage) -> None:
    """Refuse a generation that may not begin here.

    Raises:
        IllegalTransition: a bug.

    """
    if opening not in BEGINNINGS or (before is not None and not _TABLE[before].restarts):
        raise IllegalTransition(f"a conversion that is {before} does not begin again as {opening}")


def may_follow(before: Stage, after: Stage) -> bool:
    """Tell whether a request may go on from one stage to the other by itself."""
    return after is before or after in reachable(before)
