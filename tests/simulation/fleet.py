"""Instances that only send invitations, in virtual time: the app's real rate limiter, on tables in memory."""

import asyncio
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from b2b.adapters.instances import Instances
from b2b.domain.errors import MustWait, Transient
from b2b.workflows.rate import Rate
from tests.simulation.gate import Call
from tests.simulation.loop import SimulatedLoop
from tests.simulation.tables import Tables

T = TypeVar("T")
NAME: ContextVar[str] = ContextVar("instance")
START = datetime(2026, 3, 1, tzinfo=UTC)
STORAGE_SECONDS, GRAPH_SECONDS, RETRY = 0.04, 0.25, 15.0
AT_ONCE = 8
"""How many messages an instance processes at a time."""
Invite = Callable[[str], tuple[float, bool]]
"""Sends one invitation for the named instance; returns the used share of Graph's limit (0 to 1), and whether Graph
refused."""


def accepted(_name: str) -> tuple[float, bool]:
    """Accept the invitation, and report no use of a limit."""
    return 0.0, False


class Fleet:
    """Several instances, each with more invitations to send than the rate allows."""

    def __init__(self, per_second: float, invite: Invite = accepted) -> None:
        self.loop = SimulatedLoop()  # type: ignore[abstract]  # what no workflow calls is left out
        self.loop.postpone = self._postponed
        self.tables = Tables(("conversions",), lambda: START + timedelta(seconds=self.loop.now))
        self.per_second, self.invite = per_second, invite
        self.sent: list[tuple[float, str]] = []
        self.put_off: list[float] = []
        self.storage_down = False
        self._frozen: dict[str, float] = {}
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}

    async def call(self, call: Call, effect: Callable[[], T], failure: Callable[[str], BaseException]) -> T:  # noqa: ARG002
        """Carry out a call to a table; it takes half of `STORAGE_SECONDS` each way."""
        await asyncio.sleep(STORAGE_SECONDS / 2)
        if self.storage_down:
            raise failure("unreachable")
        result = effect()
        await asyncio.sleep(STORAGE_SECONDS / 2)
        return result

    def begin(self, name: str, at_once: int = AT_ONCE) -> None:
        """Start an instance that processes `at_once` messages at a time."""
        table: Any = self.tables.client(self).get_table_client("conversions")
        rate = Rate(Instances(table), name, self.per_second, self.loop.time)
        context = copy_context()
        context.run(NAME.set, name)
        self._tasks[name] = [
            self.loop.create_task(self._work(name, rate), context=context.copy()) for _ in range(at_once)
        ]

    def kill(self, name: str) -> None:
        """Stop an instance for good, in the middle of what it does."""
        self._frozen[name] = float("inf")

    def freeze(self, name: str, seconds: float) -> None:
        """Freeze an instance for some seconds."""
        self._frozen[name] = max(self._frozen.get(name, 0.0), self.loop.now + seconds)

    def at(self, seconds: float, happens: Callable[[], None]) -> None:
        """Schedule something that happens from outside, `seconds` from now."""
        self.loop.call_later(seconds, happens, context=Context())

    def run(self, seconds: float) -> None:
        """Run the loop for some seconds of virtual time."""
        end = self.loop.now + seconds
        self.loop.drain()
        while (timer := self.loop.next_timer()) is not None and timer <= end:
            self.loop.move_to(timer)
            self.loop.drain()
        self.loop.move_to(end)
        assert not self.loop.errors
        for task in (task for tasks in self._tasks.values() for task in tasks if task.done()):
            task.result()

    def within(self, first: float, last: float) -> int:
        """Count the invitations that were sent from `first` until before `last`, in seconds."""
        return sum(first <= at < last for at, _ in self.sent)

    async def _work(self, name: str, rate: Rate) -> None:
        while True:
            try:
                await rate.turn()
            except MustWait as error:
                self.put_off.append(error.seconds or 0.0)
                await asyncio.sleep(error.seconds or RETRY)
            except Transient:
                await asyncio.sleep(RETRY)
            else:
                self.sent.append((self.loop.now, name))
                used, refused = self.invite(name)
                await asyncio.sleep(GRAPH_SECONDS)
                rate.heed(used, refused=refused)

    def _postponed(self, context: Context | None) -> float | None:
        name = context.get(NAME) if context is not None else None
        return self._frozen.get(name) if name is not None else None
