"""The types of a question and of an answer to it."""

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
"""The calls that a test account needs from its creation to its removal."""
INVITES = (*MAKES, CREATE_INVITATION)
WATCHES = (*INVITES, CHANGE_USER)


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of a question: the positions that fit Graph's answer, and the answer. Empty positions: none fits."""

    fits: tuple[str, ...]
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One belief about the service, and the function that tests it.

    ``switch`` is the name of the belief in the rehearsal tenant, and ``positions`` are the possible results. Without a
    switch, the belief holds or fails. ``accounts``, ``people`` and ``mails`` say what the question costs, apart from
    the account that several questions share.
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
    """Return the position for an invitation that Graph accepted or refused.

    Raises:
        Unclear: Graph did neither, so the answer says nothing.

    """
    if answer.status == INVITED:
        return Reading((accepted,), answer)
    if answer.status in REFUSED:
        return Reading((refused,), answer)
    raise Unclear(f"the service answered {answer.short}", answer)


def belief(holds: bool, answer: Answer | None = None) -> Reading:  # noqa: FBT001 - the one thing it is about
    """Return the result for a belief that holds or fails."""
    return Reading((HOLDS if holds else FAILS,), answer)
