"""What becomes of the outgoing calls of a process: trouble that is due, a call that hangs, the end of the process."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.points import Killed, Points, When

HANG = "hang"
"""Beside the kinds of `tests.faults.points`: the call takes its time, and another instance goes on meanwhile."""


@dataclass(frozen=True)
class Trouble:
    """So many calls in a row are hit, from the n-th next on. Storage's SDK repeats twice: three get through to us."""

    kind: str
    when: When
    first: int
    length: int = 1


@dataclass
class Weather:
    """The trouble ahead, whichever process runs into it."""

    trouble: Trouble | None = None
    calls: int = 0

    def set(self, trouble: Trouble | None) -> None:
        self.trouble, self.calls = trouble, 0

    def next(self) -> Trouble | None:
        """Count a call, and say what it meets."""
        self.calls += 1
        trouble = self.trouble
        if trouble is None or self.calls < trouble.first:
            return None
        if self.calls == trouble.first + trouble.length - 1:
            self.trouble = None
        return trouble


@dataclass
class Calls(Points):
    """The calls of one process. Once it is dead it makes no more, whoever in it catches what killed it."""

    weather: Weather = field(default_factory=Weather)
    observed: bool = False
    """Somebody looks in from outside: such calls are neither counted nor hit."""
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def around(
        self,
        _label: str,
        _request: object,
        perform: Callable[[], Awaitable[Any]],
        failed: Callable[[str], Awaitable[Any]],
    ) -> Any:
        self._live()
        trouble = None if self.observed else self.weather.next()
        if trouble is None:
            return await perform()
        done = await perform() if trouble.when == "after" else None
        if trouble.kind == "kill":
            self.dead = True
            self._live()
        if trouble.kind == HANG:
            self.hanging.set()
            await self.go_on.wait()
            self._live()
            return done if trouble.when == "after" else await perform()
        return await failed(trouble.kind)

    def _live(self) -> None:
        if self.dead:
            raise Killed
