"""Combine the reads of messages that are processed at the same time into shared `$batch` calls.

Graph counts calls, each call takes time, and one call carries up to 20 reads. So a read waits briefly for other reads:
a few milliseconds while no batch is under way, longer while one is, and until a batch ends while two are. A full batch
is sent at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from b2b.adapters.batch import BATCH_LIMIT, Call
from b2b.domain.errors import Transient

QUIET = 0.005
"""Seconds to wait for other reads while no batch is under way: enough for messages that the host delivers together."""
BUSY = 0.05
"""Seconds to wait for other reads while a batch is under way."""
MOST_PARTIAL = 2
"""While this many batches are under way, a batch that is not full waits until one of them ends."""
Part = Mapping[str, Any]
Send = Callable[[Sequence[Call]], Awaitable[list[Part | None]]]
"""Sends one batch and returns its parts in the order of the calls; None for a call that has no answer."""


class Gatherer:
    """Sends all callers' calls to one root of Graph (v1.0 or beta). Each caller gets the answers to its own calls."""

    def __init__(self, send: Send) -> None:
        """``send`` sends one batch. If it raises, every caller with a call in that batch gets the error."""
        self._send = send
        self._waiting: dict[tuple[Any, ...], tuple[Call, list[asyncio.Future[Part | None]]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._overdue = False
        self._under_way: set[asyncio.Task[None]] = set()

    async def ask(self, calls: Sequence[Call]) -> list[Part | None]:
        """Return the parts that answer these calls, in their order; None for a call that has no answer.

        If another caller already waits for the same call to be sent, it is sent once for both. A call that is under way
        is not shared, because its answer may be older than what this caller has written since.

        Raises:
            Transient: Graph did not answer a batch that carried one of the calls.

        """
        loop = asyncio.get_running_loop()
        mine = [self._enlist(call, loop) for call in calls]
        self._proceed(loop)
        try:
            return list(await asyncio.gather(*mine))
        except Transient as error:
            raise error.with_traceback(None) from None

    def _enlist(self, call: Call, loop: asyncio.AbstractEventLoop) -> asyncio.Future[Part | None]:
        answer: asyncio.Future[Part | None] = loop.create_future()
        _, askers = self._waiting.setdefault((call.url, *sorted(call.headers.items())), (call, []))
        askers.append(answer)
        return answer

    def _proceed(self, loop: asyncio.AbstractEventLoop) -> None:
        while len(self._waiting) >= BATCH_LIMIT:
            self._begin(loop)
        if self._waiting and self._overdue and len(self._under_way) < MOST_PARTIAL:
            self._begin(loop)
        if self._waiting and not self._overdue and self._timer is None:
            self._timer = loop.call_later(BUSY if self._under_way else QUIET, self._due, loop)

    def _due(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer, self._overdue = None, True
        self._proceed(loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Send the calls that have waited longest. The wait of the remaining calls starts over."""
        keys = list(self._waiting)[:BATCH_LIMIT]
        batch = [self._waiting.pop(key) for key in keys]
        self._overdue = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        task = loop.create_task(self._answer(batch))
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    async def _answer(self, batch: list[tuple[Call, list[asyncio.Future[Part | None]]]]) -> None:
        try:
            parts = await self._send([call for call, _ in batch])
        except BaseException as error:  # noqa: BLE001  every error goes to the callers, or they would wait for ever
            for _, askers in batch:
                for asker in askers:
                    _refuse(asker, error)
            return
        for (_, askers), part in zip(batch, parts, strict=True):
            for asker in askers:
                if not asker.done():
                    asker.set_result(part)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._proceed(task.get_loop())


def _refuse(asker: asyncio.Future[Part | None], error: BaseException) -> None:
    if asker.done():
        return
    if isinstance(error, asyncio.CancelledError):
        asker.cancel()
    else:
        asker.set_exception(error)
