"""The gate between the app and a service: every outgoing call of a client in memory passes one.

A client states what its call is about and how to carry it out. The gate decides when that happens, and whether the
caller gets the answer. `OPEN` carries out every call at once; the scheduler uses a gate of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One outgoing call. Recorded histories name fault points by these words, so they must not depend on the app's
    code.
    """

    service: str
    """`tables`, `queue`, `graph` or `identity`."""
    verb: str
    """Tables: `read`, `list`, `write`, `delete`. Queue: `send`, `receive`, `update`, `delete`, `peek`. Graph: `read`,
    `page`, `invite`."""
    subject: str
    """What the call is about: `conversions/<partition>`, `requests/<partition>`, a queue's name, or an account's object
    id."""
    changes: bool
    """Whether the call has an effect, so that a lost answer leaves it unknown."""


class Gate(Protocol):
    """Decides when, and whether, a call is carried out and answered."""

    async def call(self, call: Call, effect: Callable[[], T], failure: Callable[[str], BaseException]) -> T:
        """Carry out `effect` (synchronous, atomic; raises what the SDK would raise) and return its result.

        `failure` makes the exception that the SDK would raise for a kind of trouble: `unreachable` (not sent), `reset`
        (sent, no answer), `busy` (503), `error` (500); for Graph also `throttled` (429 with Retry-After) and `timeout`.
        """


class _Open:
    async def call(self, call: Call, effect: Callable[[], T], failure: Callable[[str], BaseException]) -> T:  # noqa: ARG002
        return effect()


OPEN: Gate = _Open()
"""A gate that carries out every call at once and never fails."""
