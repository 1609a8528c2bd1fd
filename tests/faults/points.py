"""The points at which a fault can hit the app: its outgoing calls. They are counted as they are made, not listed."""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import httpx

from tests.support.world import MovingClock

When = Literal["before", "after"]
Span = Literal["once", "repeats", "outage"]
"""How long a fault lasts. `once`: one send, which a client may repeat by itself. `repeats`: the call with all repeats
of its client. `outage`: all calls to storage until time passes. The app itself sees only the last two."""
Kinds = dict[str, tuple[When, ...]]
KINDS: Kinds = {
    "kill": ("before", "after"),
    "reset": ("before", "after"),
    "refused": ("before",),
    "500": ("before", "after"),
    "503": ("before", "after"),
    "429": ("before", "after"),
    "504": ("before", "after"),
}
"""Kinds of failure of any call, with the sides of its effect on which they can happen."""
GRAPH_KINDS: Kinds = {
    "401": ("before",),
    "429 without Retry-After": ("before", "after"),
    "200 in HTML": ("before", "after"),
}
"""Further kinds of failure of a call to Graph."""
INVITATION_KINDS: Kinds = {"slow reset": ("after",), "slow kill": ("after",)}
"""Kinds of failure of a slow invitation: much of the claim's time has passed when it takes effect, and no answer
comes."""
STORAGE_KINDS: Kinds = {**{kind: sides for kind, sides in KINDS.items() if kind != "504"}, "501": ("before", "after")}
"""Kinds of failure of a call to storage. Its SDK repeats after 503 and 504 alike, so 504 is left out; it does not
repeat after 501."""
LASTING: dict[Span, Kinds] = {
    "repeats": {"500": ("after",), "reset": ("before",)},
    "outage": {"501": ("before", "after")},
}
"""Kinds of failure of storage that last longer than one send. The SDK really waits between its repeats, so there are
few."""
SLOW = 28.0
"""Seconds that a slow call takes: just less than the app's time limit for a call, B2B_GRAPH_TIMEOUT_SECONDS."""
RETRY_AFTER = 40
"""Seconds of Retry-After: longer than the app's own shortest waits, so that a caller which ignores it is noticed."""


class Killed(BaseException):
    """The process dies. A BaseException, so that no handler of the app catches it."""


class Point(NamedTuple):
    """The n-th call of a case with this label."""

    label: str
    nth: int


@dataclass(frozen=True)
class Fault:
    """A kind of failure, the call that it hits, the side of the call's effect, and how long it lasts."""

    point: Point
    kind: str
    when: When
    span: Span = "once"


def faults_at(points: Iterable[Point]) -> list[Fault]:
    """Return every possible fault at each of these calls, on each side of the call's effect."""
    return [
        Fault(point, kind, when, span)
        for point in points
        for span, kinds in _kinds_of(point.label).items()
        for kind, sides in kinds.items()
        for when in sides
    ]


_OF_ONE_CASE = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=[~'])[0-9a-f]{48,}|\d{4}-\d\d-\d\dT[0-9A-F.%:]+Z(?=~)")
"""Object ids, hashes and times in keys, which differ between cases."""


def label_of(call: str, name: str) -> str:
    """Return a label for a call that is equal in all cases; `name` is the request id that this case uses."""
    return _OF_ONE_CASE.sub("*", call).replace(name, "*") if name else _OF_ONE_CASE.sub("*", call)


def _kinds_of(label: str) -> dict[Span, Kinds]:
    if label.startswith("storage "):
        return {"once": STORAGE_KINDS, **LASTING}
    return {"once": KINDS | GRAPH_KINDS | (INVITATION_KINDS if label.endswith("/invitations") else {})}


@dataclass
class Points:
    """Counts every outgoing call of a process, lets the fault hit one of them, and keeps the time that Graph asked to
    wait.
    """

    fault: Fault | None = None
    clock: MovingClock = field(default_factory=MovingClock)
    name: str = ""
    """The request id of the case."""
    calls: list[Point] = field(default_factory=list)
    arrival: int = 0
    """How many calls were made until the request was accepted."""
    decision: tuple[int, int] = (0, 0)
    """Which of them were made for the decision about a waiting account: the first, and the first after it."""
    observed: bool = False
    """True while a test looks in from outside: calls are then neither counted nor hit."""
    dead: bool = False
    """True once the process has died: it makes no more calls, even if some handler caught the exception that killed
    it."""
    early: list[str] = field(default_factory=list)
    """Calls to Graph that were made before the wait that Graph had asked for was over."""
    _counts: Counter[str] = field(default_factory=Counter)
    _hit: object = None
    _hit_ahead: timedelta = timedelta()
    _repeated: bool = False
    _wait_until: datetime | None = None

    @property
    def reached(self) -> bool:
        """Tell whether the call that the fault is meant for was made."""
        return self._hit is not None

    @property
    def met(self) -> bool:
        """Tell whether the app saw the failure: its process lives, and no client hid the failure by a repeat."""
        return self.fault is not None and "kill" not in self.fault.kind and self.reached and not self._repeated

    def asked_to_wait(self, seconds: float) -> None:
        """Record that Graph answered with Retry-After, in seconds."""
        self._wait_until = self.clock() + timedelta(seconds=seconds)

    async def around(
        self,
        label: str,
        request: object,
        perform: Callable[[], Awaitable[Any]],
        failed: Callable[[str], Awaitable[Any]],
    ) -> Any:
        """Make a call, or fail as the fault says. If a client repeats a call, it passes the same `request` object."""
        if self.dead:
            raise Killed
        if self.observed:
            return await perform()
        named = label_of(label, self.name)
        self._counts[named] += 1
        self.calls.append(Point(named, self._counts[named]))
        if label.startswith("graph ") and self._wait_until is not None and self.clock() < self._wait_until:
            self.early.append(label)
        if not self._strikes(label, request) or self.fault is None:
            self._repeated |= request is self._hit
            return await perform()
        if self.fault.kind.startswith("slow"):
            self.clock.advance(SLOW)
        if self.fault.when == "after":
            await perform()
        if self.fault.kind.endswith("kill"):
            self.dead = True
            raise Killed
        return await failed(self.fault.kind)

    def _strikes(self, label: str, request: object) -> bool:
        if self.fault is None:
            return False
        if self.fault.point == self.calls[-1]:
            self._hit, self._hit_ahead = request, self.clock.ahead
            return True
        if self.fault.span == "outage":
            return self.reached and label.startswith("storage ") and self.clock.ahead == self._hit_ahead
        return self.fault.span == "repeats" and request is self._hit


class GraphWay(httpx.AsyncBaseTransport):
    """The transport to Graph, which applies the fault."""

    def __init__(self, points: Points) -> None:
        self._points, self._inner = points, httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async def perform() -> httpx.Response:
            response = await self._inner.handle_async_request(request)
            await response.aread()
            return response

        async def failed(kind: str) -> httpx.Response:
            if kind == "reset":
                raise httpx.RemoteProtocolError("connection lost", request=request)
            if kind == "slow reset":
                raise httpx.ReadTimeout("no answer", request=request)
            if kind == "refused":
                raise httpx.ConnectError("connection refused", request=request)
            return self._answer(kind, request)

        label = f"graph {request.method} {request.url.path}"
        answer = await self._points.around(label, request, perform, failed)
        assert isinstance(answer, httpx.Response)
        return answer

    def _answer(self, kind: str, request: httpx.Request) -> httpx.Response:
        status, _, manner = kind.partition(" ")
        if manner == "in HTML":
            return httpx.Response(int(status), html="<p>A gateway says hello.</p>", request=request)
        headers = {}
        if status in {"429", "503"} and not manner:
            self._points.asked_to_wait(RETRY_AFTER)
            headers["Retry-After"] = str(RETRY_AFTER)
        error = {"code": "InvalidAuthenticationToken" if status == "401" else "x", "message": "x"}
        return httpx.Response(int(status), json={"error": error}, headers=headers, request=request)

    async def aclose(self) -> None:
        await self._inner.aclose()
