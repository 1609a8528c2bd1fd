"""What a sweep measures when it is done: the figures that no write to the ledger tells."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from b2b.domain.conversion.records import Change
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.errors import B2BError
from b2b.domain.figures import (
    BREAKER_OPEN,
    POISON,
    QUEUE_DEPTH,
    QUEUE_OLDEST,
    SWEEP_BEHIND,
    SWEEP_DONE,
    SWEEP_LEFT,
    SWEEP_PROBLEMS,
    SWEEP_RUNS,
    UNREADABLE,
    WAITING,
    Figure,
    failure_of,
    figures_of,
)
from b2b.domain.sweep import CLOSING, Census, Part, SweepReport
from b2b.workflows.ports import Clock, Ledger, Meter, Queue

log = logging.getLogger(__name__)


def observer(meter: Meter | None) -> Callable[[Change[Any]], None]:
    """Return the function that the ledger calls after each write: it logs each failure with its cause, and counts."""

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

    async def run(self, report: SweepReport) -> None:
        """Count the run, measure, and send. Never raises."""
        try:
            async with asyncio.timeout(CLOSING):
                for part in (lambda: self._ran(report), lambda: self._backlog(report.waiting_since), self._breaker):
                    await self._guarded(part)
        except TimeoutError:
            log.warning("not everything could be measured: storage takes too long")
        await self._meter.flush()

    async def _guarded(self, part: Callable[[], Awaitable[list[Figure]]]) -> None:
        try:
            self._meter.add(await part())
        except B2BError as error:
            log.warning("a figure could not be measured: %s", error)
        except Exception:
            log.exception("a figure could not be measured")

    async def _ran(self, report: SweepReport) -> list[Figure]:
        now, poison = self._clock(), report.of(Part.DRAIN).changed
        figures = [Figure(SWEEP_RUNS, 1), *([Figure(POISON, poison)] if poison else [])]
        for part in report.parts:
            behind = (now - part.oldest).total_seconds() if part.oldest else 0.0
            figures += [
                Figure(SWEEP_DONE, part.done, (part.part,)),
                Figure(SWEEP_LEFT, part.left, (part.part,)),
                Figure(SWEEP_BEHIND, max(behind, 0.0), (part.part,)),
                Figure(SWEEP_PROBLEMS, part.problems + part.unreadable, (part.part,)),
            ]
        return [*figures, *_counted(report.census)]

    async def _backlog(self, waiting_since: datetime | None) -> list[Figure]:
        """The ledger knows what was parked, a new message each time; the queue may hold what has no row yet."""
        backlog, now = await self._queue.backlog(), self._clock()
        ages = [(now - since).total_seconds() for since in (backlog.oldest, waiting_since) if since]
        return [
            Figure(QUEUE_OLDEST, max(ages, default=0.0)),
            *(Figure(QUEUE_DEPTH, depth, (queue,)) for queue, depth in backlog.depth.items()),
        ]

    async def _breaker(self) -> list[Figure]:
        pace = await self._ledger.pace.get("pace")
        return [Figure(BREAKER_OPEN, int(pace is not None and pace.open_until is not None))]


def _counted(census: Census | None) -> list[Figure]:
    """Report 0 for a reason for which no request waits any more; otherwise its last figure would stand."""
    if census is None:
        return []
    waiting = [Figure(WAITING, census.waiting.get(reason, 0), (reason,)) for reason in WaitReason]
    return [*waiting, Figure(UNREADABLE, census.unreadable)]
