"""Who caused an event. Each event in a history names its actor.

The actor is set where work enters the app (a queue message, the timer, an HTTP request) and applies to everything that
the work does, so that no event can be written without an actor.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from enum import StrEnum

import msgspec


class ActorKind(StrEnum):
    """The kind of an actor."""

    PERSON = "person"
    """A person who signed in."""
    APPLICATION = "application"
    """An application, or a managed identity, that signed in."""
    KEY = "key"
    """A caller with a function key; the app does not learn which key."""
    STATED = "stated"
    """A person whom the caller names; the app cannot check whether that is true."""
    QUEUE = "queue"
    """A message on the work queue."""
    TIMER = "timer"
    """The sweep."""


class Actor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who acts. ``id`` is the object id of the person or application that signed in; empty if none did."""

    kind: ActorKind
    id: str = ""
    name: str = ""
    """A name that the caller gave; the app does not check it."""

    def __str__(self) -> str:
        return self.name or f"{self.kind} {self.id}".rstrip()


BY_KEY, BY_QUEUE, BY_TIMER = Actor(ActorKind.KEY), Actor(ActorKind.QUEUE), Actor(ActorKind.TIMER)
_acting: ContextVar[Actor] = ContextVar("acting", default=BY_QUEUE)


def acting() -> Actor:
    """Return the actor of the current context; a queue message if none was set."""
    return _acting.get()


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    """Make ``actor`` the actor of everything that runs in this context."""
    token = _acting.set(actor)
    try:
        yield
    finally:
        with suppress(ValueError):  # an abandoned coroutine is closed in another context, where nothing was set
            _acting.reset(token)
