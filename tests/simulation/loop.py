"""A deterministic event loop in virtual time: callbacks run in the order in which they were scheduled.

asyncio's own tasks, futures, locks and timeouts run on it unchanged. The loop never waits: `drain` runs what is ready,
and the scheduler moves the time.
"""

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any

Postpone = Callable[[Context | None], float | None]
"""Returns until when the timers of a context are held back: a frozen process notices its timeouts when it continues.
None: they are not held back."""


class SimulatedLoop(asyncio.AbstractEventLoop):
    """Runs one history. `time` is virtual: seconds since the history began."""

    def __init__(self) -> None:
        self.now = 0.0
        self.postpone: Postpone = lambda _context: None
        self.errors: list[dict[str, Any]] = []
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._count = 0

    def drain(self) -> None:
        """Run callbacks until none is ready, including those that become ready meanwhile."""
        ready = self._ready
        if not ready:
            return
        events._set_running_loop(self)
        try:
            while ready:
                handle = ready.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            events._set_running_loop(None)

    def next_timer(self) -> float | None:
        """Return the time of the next timer; None if no timer is set."""
        timers = self._timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        return timers[0][0] if timers else None

    def move_to(self, moment: float) -> None:
        """Move the time forward, and make ready every timer that is due then."""
        self.now = max(self.now, moment)
        while (due := self.next_timer()) is not None and due <= self.now:
            _, _, handle = heapq.heappop(self._timers)
            later = self.postpone(getattr(handle, "_context", None))
            if later is not None and later > self.now:
                self._push(later, handle)
            else:
                self._ready.append(handle)

    def time(self) -> float:
        return self.now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._push(when, handle)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None) -> asyncio.Task[Any]:
        task: Any = asyncio.Task(coro, loop=self, name=name, context=context)
        task._log_destroy_pending = False  # a killed process leaves its tasks unfinished, as in reality
        created: asyncio.Task[Any] = task
        return created

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # noqa: ARG002
        """Run the function at once. Work in a thread calls no service, so nothing can happen in between."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  the caller gets it
            future.set_exception(error)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.errors.append(context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def _push(self, when: float, handle: asyncio.TimerHandle) -> None:
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, handle))

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Do nothing: cancelled timers are dropped when they reach the top of the heap."""
