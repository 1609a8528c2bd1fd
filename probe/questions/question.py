"""What a question is, and what an answer to it is."""

from collections.abc import Callable
from dataclasses import dataclass

from probe.bench import INVITED, REFUSED, Bench
from probe.calls import (
    CHANGE_USER,
    CREATE_INVITATION,
    CREATE_USER,
    DELETE_USER,
    PURGE_USER,
    READ_DELETED,
    READ_USER,
    Call,
)
from probe.errors import Unclear
from probe.graph import Answer

HOLDS, FAILS = "holds", "fails"
MAKES = (CREATE_USER, READ_USER, DELETE_USER, PURGE_USER, READ_DELETED)
"""What an account costs from its beginning to its end."""
INVITES = (*MAKES, CREATE_INVITATION)
WATCHES = (*INVITES, CHANGE_USER)


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer says: the positions that fit it (none: nobody thought of this), and the answer itself."""

    fits: tuple[str, ...]
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One belief about the service, and how it is settled.

    `switch` is the rehearsal tenant's name for it, `positions` what the service may turn out to do; without a switch
    the belief holds or fails. `accounts`, `people` and `mails` say what asking costs, the shared account left out.
    """

    id: str
    asks: str
    ask: Callable[[Bench], Reading]
    calls: tuple[Call, ...]
    switch: str | None = None
    positions: tuple[str, ...] = (HOLDS, FAILS)
    accounts: int = 0
    control: bool = False
    people: bool = False
    mails: int = 0
    licences: int = 0


def either(answer: Answer, *, accepted: str, refused: str) -> Reading:
    """An invitation that is accepted or refused; any other answer says nothing."""
    if answer.status == INVITED:
        return Reading((accepted,), answer)
    if answer.status in REFUSED:
        return Reading((refused,), answer)
    raise Unclear(f"the service answered {answer.short}", answer)


def belief(holds: bool, answer: Answer | None = None) -> Reading:  # noqa: FBT001 - the one thing it is about
    """A belief that holds or fails."""
    return Reading((HOLDS if holds else FAILS,), answer)
