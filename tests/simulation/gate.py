"""The point between the app and a service: every outgoing call of every in-memory client passes a gate.

A service states what the call is about and how to carry it out; the gate decides when that happens, and whether the
caller gets the answer. `OPEN` carries every call out at once; the scheduler puts its own gate there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One outgoing call, in words that survive a rewrite of the app: they name fault points in recorded histories."""

    service: str
    """`tables`, `queue`, `graph` or `identity`."""
    verb: str
    """Tables: `read`, `list`, `write`, `delete`. Queue: `send`, `receive`, `delete`, `peek`. Graph: `read`, `page`,
    `invite`."""
    subject: str
    """What it is about: `conversions/<partition>`, `requests/<partition>`, a queue's name, an account's object id."""
    changes: bool
    """Whether it has an effect that a lost answer can hide."""


class Gate(Protocol):
    """Decides about every call."""

    async def call(self, call: Call, effect: Callable[[], T], failure: Callable[[str], BaseException]) -> T:
        """Carry out ``effect`` (synchronous, atomic; it may raise what the SDK would) and return its result.

        ``failure`` makes the exception that the SDK would raise for a kind of trouble: `unreachable` (not sent),
        `reset` (sent, no answer), `busy` (503), `error` (500); for Graph also `throttled` (429 with Retry-After) and
        `timeout`.
        """


class _Open:
    async def call(self, call: Call, effect: Callable[[], T], failure: Callable[[str], BaseException]) -> T:  # noqa: ARG002
        return effect()


OPEN: Gate = _Open()
"""Nothing goes wrong and nobody waits."""
