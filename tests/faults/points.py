"""The points at which the app can be hit: its outgoing calls, counted as they come. Nothing is listed by hand."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import httpx
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpResponse, HttpRequest

When = Literal["before", "after"]
KINDS: dict[str, tuple[When, ...]] = {
    "kill": ("before", "after"),
    "reset": ("before", "after"),
    "refused": ("before",),
    "500": ("before", "after"),
    "503": ("before", "after"),
    "429": ("before", "after"),
    "504": ("before", "after"),
}
"""What can go wrong with a call, and on which side of its effect."""
GRAPH_KINDS: dict[str, tuple[When, ...]] = {
    "401": ("before",),
    "429 without Retry-After": ("before", "after"),
    "200 in HTML": ("before", "after"),
}
"""What else can go wrong with a call to Graph."""


def kinds_of(label: str) -> dict[str, tuple[When, ...]]:
    """All that can go wrong with this call."""
    return KINDS | GRAPH_KINDS if label.startswith("graph ") else KINDS


class Killed(BaseException):
    """The process ends here: nothing catches it."""


@dataclass(frozen=True)
class Fault:
    """What happens at which call."""

    number: int
    kind: str
    when: When


@dataclass
class Points:
    """Counts every outgoing call and hits one of them."""

    fault: Fault | None = None
    calls: list[str] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    """Visibility delays that the app asked for: the queue here ignores them, and the clock is moved instead."""

    async def around(
        self, label: str, perform: Callable[[], Awaitable[Any]], failed: Callable[[str, When, Any], Any]
    ) -> Any:
        self.calls.append(label)
        hit = self.fault if self.fault is not None and self.fault.number == len(self.calls) else None
        if hit is None:
            return await perform()
        done = await perform() if hit.when == "after" else None
        if hit.kind == "kill":
            raise Killed
        outcome = failed(hit.kind, hit.when, done)
        return await outcome if isinstance(outcome, Awaitable) else outcome


class GraphWay(httpx.AsyncBaseTransport):
    """The way to Graph."""

    def __init__(self, points: Points) -> None:
        self._points, self._inner = points, httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async def perform() -> httpx.Response:
            response = await self._inner.handle_async_request(request)
            await response.aread()
            return response

        def failed(kind: str, _when: When, _done: Any) -> httpx.Response:
            if kind == "reset":
                raise httpx.RemoteProtocolError("connection lost", request=request)
            if kind == "refused":
                raise httpx.ConnectError("connection refused", request=request)
            status, _, manner = kind.partition(" ")
            if manner == "in HTML":
                return httpx.Response(int(status), html="<p>A gateway says hello.</p>", request=request)
            headers = {"Retry-After": "7"} if status in {"429", "503"} and not manner else {}
            code = "InvalidAuthenticationToken" if status == "401" else "x"
            return httpx.Response(
                int(status), json={"error": {"code": code, "message": "x"}}, headers=headers, request=request
            )

        answer = await self._points.around(f"graph {request.method} {request.url.path}", perform, failed)
        assert isinstance(answer, httpx.Response)
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()


class StorageWay(AioHttpTransport):  # type: ignore[misc]  # loaded lazily by azure-core, so mypy sees Any
    """The way to tables and queues. Nobody sleeps here, and a queue's visibility delay is noted instead of kept."""

    def __init__(self, points: Points) -> None:
        super().__init__()
        self._points = points

    async def send(self, request: HttpRequest, **kwargs: Any) -> AsyncHttpResponse:
        self._without_delay(request)

        async def perform() -> AsyncHttpResponse:
            return cast("AsyncHttpResponse", await super(StorageWay, self).send(request, **kwargs))

        async def failed(kind: str, when: When, done: AsyncHttpResponse | None) -> AsyncHttpResponse:
            if kind == "reset":
                raise ServiceResponseError("connection lost")
            if kind == "refused":
                raise ServiceRequestError("connection refused")
            if when == "before":
                nothing = HttpRequest("GET", request.url.split("?")[0].rsplit("/", 1)[0] + "/nothing-here")
                done = await super(StorageWay, self).send(nothing)
            assert done is not None
            done.status_code = int(kind)
            return done

        label = f"storage {request.method} {request.url.split('?')[0]}"
        return cast("AsyncHttpResponse", await self._points.around(label, perform, failed))

    def _without_delay(self, request: HttpRequest) -> None:
        if request.method == "POST" and "visibilitytimeout=" in request.url:
            head, _, tail = request.url.partition("visibilitytimeout=")
            seconds, amp, rest = tail.partition("&")
            self._points.delays.append(float(seconds))
            request.url = f"{head}visibilitytimeout=0{amp}{rest}"

    async def sleep(self, duration: float) -> None:
        """The SDK waits before it repeats; here time is the test's."""
