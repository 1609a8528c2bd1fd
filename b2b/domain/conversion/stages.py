"""The table of stages. Each row holds the properties of one stage.

A conversion belongs to one account; a request belongs to one caller. A request shows the stage of its conversion, so
both use the same stages.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum

from b2b.domain.errors import IllegalTransition


class Stage(StrEnum):
    """The stage of a request or of an account's conversion."""

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
    """Who must act next."""

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
    """What moves a request or conversion on from a stage."""

    NOBODY = "nobody"
    MESSAGE = "the leader's message"
    FOLLOW = "the sweep: follow"
    VERIFY = "the sweep: verify"
    DECISION = "a decision about the account"


@dataclass(frozen=True)
class Row:
    """The properties of one stage."""

    stage: Stage
    meaning: str
    phase: Phase
    care: Care
    next: frozenset[Stage]
    """The stages that the same generation of a conversion may reach from this stage in one step.

    `needsReview` becomes `invited` if the account shows the invitation after all, or `cancelled` if a person refuses.
    An approval is no such step, because it starts the request again (`LEADS_TO`), which begins another generation.
    """
    restarts: bool
    """Whether a new generation of the account's conversion may replace one in this stage.

    This includes `needsReview` and `invited`, where a person may ask for another invitation.
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
    _row(_S.INVITING, "the claim is written; the invitation may have been sent", _WORKS, _C.MESSAGE,
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
"""The stage to which an action leads a request. Its conversion does not change until the request acts on it."""
BEGINNINGS = frozenset(
    {Stage.INVITING, Stage.BLOCKED, Stage.NEEDS_REVIEW, Stage.FAILED, Stage.INVITED, Stage.CANCELLED}
)
"""The stages in which a generation may begin.

A generation begins at `invited` without a call to Graph if a redemption was reset, if the account shows an earlier
invitation, or if someone else invited the account. A generation begins at `cancelled` if the account's first request
was cancelled before its claim.
"""


def row_of(stage: Stage) -> Row:
    """Return the row of a stage."""
    return _TABLE[stage]


def phase_of(stage: Stage) -> Phase:
    """Return the phase of a stage, which says who must act."""
    return _TABLE[stage].phase


def reachable(stage: Stage) -> frozenset[Stage]:
    """Return every stage that can follow in one or more steps. A request may skip stages between two updates."""
    found, left = set[Stage](), [stage]
    while left:
        new = _TABLE[left.pop()].next - found
        found |= new
        left += new
    return frozenset(found)


def check_conversion(before: Stage, after: Stage) -> None:
    """Check that the table allows a conversion to move between two stages.

    Raises:
        IllegalTransition: the table does not allow it. This is a bug, so no retry helps.

    """
    if after is not before and after not in _TABLE[before].next:
        raise IllegalTransition(f"a conversion that is {before} does not become {after}")


def check_beginning(before: Stage | None, opening: Stage) -> None:
    """Check that a generation may begin at ``opening``, in place of one at ``before`` (None: the first generation).

    Raises:
        IllegalTransition: no generation may begin there. This is a bug, so no retry helps.

    """
    if opening not in BEGINNINGS or (before is not None and not _TABLE[before].restarts):
        raise IllegalTransition(f"a conversion that is {before} does not begin again as {opening}")


def may_follow(before: Stage, after: Stage) -> bool:
    """Tell whether a request may move from one stage to the other without a person's action."""
    return after is before or after in reachable(before)
