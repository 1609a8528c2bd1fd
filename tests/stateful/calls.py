"""What becomes of the outgoing calls of a process: trouble that is due, a call that hangs, the end of the process."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpResponse, HttpRequest

from tests.faults.points import Killed, Points, When

HANG = "hang"
"""Beside the kinds of `tests.faults.points`: the call takes its time, and another instance goes on meanwhile."""
_DELAY = re.compile(r"visibilitytimeout=(\d+)")
_MESSAGE_ID = re.compile(r"<MessageId>([^<]+)</MessageId>")


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
    dead: bool = False
    observed: bool = False
    """Somebody looks in from outside: such calls are neither counted nor hit."""
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def around(
        self, _label: str, perform: Callable[[], Awaitable[Any]], failed: Callable[[str, When, Any], Any]
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
        outcome = failed(trouble.kind, trouble.when, done)
        return await outcome if isinstance(outcome, Awaitable) else outcome

    def _live(self) -> None:
        if self.dead:
            raise Killed


class Delays(AioHttpTransport):  # type: ignore[misc]  # loaded lazily by azure-core, so mypy sees Any
    """Notes the visibility delay of each message that storage really took, and asks storage for none.

    A poison message is hidden from other sweeps for the shortest time that storage knows, one second.
    """

    delays: dict[str, float]

    async def send(self, request: HttpRequest, **kwargs: Any) -> AsyncHttpResponse:
        wanted, found = request.url, _DELAY.search(request.url)
        if found is None:
            return cast("AsyncHttpResponse", await super().send(request, **kwargs))
        request.url = _DELAY.sub(f"visibilitytimeout={0 if request.method == 'POST' else 1}", wanted)
        try:
            response: AsyncHttpResponse = await super().send(request, **kwargs)
        finally:
            request.url = wanted
        if request.method == "POST":
            self.delays.update(dict.fromkeys(_MESSAGE_ID.findall(response.text()), float(found[1])))
        return response


class StorageRoad(Delays):
    """The way to tables and queues. Beneath the faults are the delays: what is repeated keeps its own."""

    def __init__(self, calls: Calls, delays: dict[str, float]) -> None:
        super().__init__()
        self._calls, self.delays = calls, delays

    async def send(self, request: HttpRequest, **kwargs: Any) -> AsyncHttpResponse:
        async def perform() -> AsyncHttpResponse:
            return await super(StorageRoad, self).send(request, **kwargs)

        async def failed(kind: str, _when: When, _done: Any) -> AsyncHttpResponse:
            """A refusal with a refusal's body, in the form that the SDK expects of its own requests."""
            if kind == "reset":
                raise ServiceResponseError("connection lost")
            if kind == "refused":
                raise ServiceRequestError("connection refused")
            nothing = type(request)("GET", request.url.split("?")[0].rsplit("/", 1)[0] + "/nothing-here")
            answer: AsyncHttpResponse = await super(StorageRoad, self).send(nothing, **kwargs)
            answer.status_code = int(kind)
            return answer

        label = f"storage {request.method} {request.url.split('?')[0]}"
        return cast("AsyncHttpResponse", await self._calls.around(label, perform, failed))

    async def sleep(self, duration: float) -> None:
        """The SDK waits before it repeats; here time is the test's."""
