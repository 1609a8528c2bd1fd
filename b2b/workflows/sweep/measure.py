"""What a sweep measures when it is done: the figures that no write to the ledger tells."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from b2b.domain.conversion.records import Change
from b2b.domain.errors import B2BError
from b2b.domain.figures import (
    BREAKER_OPEN,
    POISON,
    QUEUE_DEPTH,
    QUEUE_OLDEST,
    SWEEP_RUNS,
    Figure,
    failure_of,
    figures_of,
)
from b2b.workflows.ports import Clock, Ledger, Meter, Queue

log = logging.getLogger(__name__)


def observer(meter: Meter | None) -> Callable[[Change[Any]], None]:
    """Return what the ledger tells of each write: it says every failure in the log, with its cause, and counts."""

    def observe(change: Change[Any]) -> None:
        failure = failure_of(change)
        if failure is not None:
            log.error("request %s failed: %s", *failure)
        if meter is not None:
            meter.add(figures_of(change))

    return observe


class Measure:
    """Looks at queues and breaker, and sends what this instance has counted."""

    def __init__(self, ledger: Ledger, queue: Queue, meter: Meter, clock: Clock) -> None:
        """Use the adapters; nothing is read yet."""
        self._ledger, self._queue, self._meter, self._clock = ledger, queue, meter, clock

    async def run(self, poison: int, waiting_since: datetime | None) -> None:
        """Count the run and its ``poison`` messages, measure, and send. Never raises.

        ``waiting_since`` is the oldest unfinished request that the ledger knows; the queue may hold an older one.
        """
        for part in (lambda: self._ran(poison), lambda: self._backlog(waiting_since), self._breaker):
            await self._guarded(part)
        await self._meter.flush()

    async def _guarded(self, part: Callable[[], Awaitable[list[Figure]]]) -> None:
        try:
            self._meter.add(await part())
        except B2BError as error:
            log.warning("a figure could not be measured: %s", error)
        except Exception:
            log.exception("a figure could not be measured")

    async def _ran(self, poison: int) -> list[Figure]:
        return [Figure(SWEEP_RUNS, 1), *([Figure(POISON, poison)] if poison else [])]

    async def _backlog(self, waiting_since: datetime | None) -> list[Figure]:
        """A parked request is a new message each time, so the queue alone would show a long wait as many short ones."""
        backlog, now = await self._queue.backlog(), self._clock()
        ages = [(now - since).total_seconds() for since in (backlog.oldest, waiting_since) if since]
        return [
            Figure(QUEUE_OLDEST, max(ages, default=0.0)),
            *(Figure(QUEUE_DEPTH, depth, (queue,)) for queue, depth in backlog.depth.items()),
        ]

    async def _breaker(self) -> list[Figure]:
        pace = await self._ledger.pace.get("pace")
        return [Figure(BREAKER_OPEN, int(pace is not None and pace.open_until is not None))]
