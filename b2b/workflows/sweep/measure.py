"""Measure what cannot be counted from writes to the ledger: queues, the breaker, and the sweep itself."""

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
    """Return a function for the ledger to call after each write. This function logs failures and counts figures."""

    def observe(change: Change[Any]) -> None:
        failure = failure_of(change)
        if failure is not None:
            log.error("request %s failed: %s", *failure)
        if meter is not None:
            meter.add(figures_of(change))

    return observe


class Measure:
    """Measures queues and the breaker, and sends all figures of this instance."""

    def __init__(self, ledger: Ledger, queue: Queue, meter: Meter, clock: Clock) -> None:
        self._ledger, self._queue, self._meter, self._clock = ledger, queue, meter, clock

    async def run(self, report: SweepReport) -> None:
        """Count the sweep's run, measure queues and breaker, and send all figures. Never raises."""
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
        """Measure the length of the queues and the age of the oldest work, by the ledger and by the queue.

        Both are asked, because a waiting request gets a new, young message each time, and a new message may not have a
        row yet.
        """
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
    """Return the figures of a census. A reason for which no request waits is a 0, which replaces its last figure."""
    if census is None:
        return []
    waiting = [Figure(WAITING, census.waiting.get(reason, 0), (reason,)) for reason in WaitReason]
    return [*waiting, Figure(UNREADABLE, census.unreadable)]
