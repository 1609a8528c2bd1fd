"""Who brings something about. Each event in a history names its actor.

The actor is set at the doors (a queue message, the timer, an HTTP request) and holds for whatever runs in consequence,
so that no event can be written without one.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from enum import StrEnum

import msgspec


class ActorKind(StrEnum):
    """What kind of actor."""

    PERSON = "person"
    """A person who signed in."""
    APPLICATION = "application"
    """An application, or a managed identity, that signed in."""
    KEY = "key"
    """Holds a function key; the app does not learn which one."""
    STATED = "stated"
    """Named by the caller; the app does not know whether that is true."""
    QUEUE = "queue"
    """A message on the work queue."""
    TIMER = "timer"
    """The sweep."""


class Actor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who acts. ``id`` is an object id of the directory: of the person, or of the application that passes a name on."""

    kind: ActorKind
    id: str = ""
    name: str = ""
    """The name as the caller stated it, unchecked."""

    def __str__(self) -> str:
        return self.name or f"{self.kind} {self.id}".rstrip()


BY_KEY, BY_QUEUE, BY_TIMER = Actor(ActorKind.KEY), Actor(ActorKind.QUEUE), Actor(ActorKind.TIMER)
_acting: ContextVar[Actor] = ContextVar("acting", default=BY_QUEUE)


def acting() -> Actor:
    """Return who acts now."""
    return _acting.get()


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    """Let whatever happens inside be this actor's doing."""
    token = _acting.set(actor)
    try:
        yield
    finally:
        with suppress(ValueError):  # a coroutine that is thrown away is closed in another context: nothing to take back
            _acting.reset(token)
