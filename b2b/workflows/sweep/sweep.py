"""What the timer does: see who redeemed, find what was lost, empty poison. Safe to run twice, and at any time."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from b2b.domain.actors import BY_TIMER, acting_as
from b2b.domain.errors import B2BError, MustWait
from b2b.workflows.sweep.drain import Drain
from b2b.workflows.sweep.follow import Follow
from b2b.workflows.sweep.measure import Measure
from b2b.workflows.sweep.repair import Repair

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SweepReport:
    """What one run did, in numbers of accounts, requests and messages, and what it found by the way."""

    looked_at: int = 0
    moved: int = 0
    put_back: int = 0
    poison: int = 0
    unreadable: int = 0
    """Rows that a newer version wrote, and that were passed over."""
    problems: int = 0
    waiting_since: datetime | None = field(default=None, compare=False)
    """When the oldest request came in of those that the service still works on."""


class Sweep:
    """Does three things one after the other, whatever becomes of each."""

    def __init__(self, follow: Follow, repair: Repair, drain: Drain, measure: Measure | None = None) -> None:
        """Use the other workflows; without ``measure``, nobody watches."""
        self._follow, self._repair, self._drain, self._measure = follow, repair, drain, measure

    async def run(self) -> SweepReport:
        """Do all parts. Never raises: a timer's exception is logged and helps nobody."""
        with acting_as(BY_TIMER):
            return await self._run()

    async def _run(self) -> SweepReport:
        report = SweepReport()
        for part in (self._followed, self._repaired, self._drained):
            report = await self._guarded(part, report)
        log.info("%s", report)
        if self._measure is not None:
            await self._measure.run(report.poison, report.waiting_since)
        return report

    async def _guarded(self, part: Callable[[SweepReport], Awaitable[SweepReport]], report: SweepReport) -> SweepReport:
        try:
            return await part(report)
        except MustWait as wait:
            log.info("a part of the sweep waits: %s", wait)
            return report
        except B2BError as error:
            log.warning("a part of the sweep stopped: %s", error)
        except Exception:
            log.exception("a part of the sweep broke")
        return replace(report, problems=report.problems + 1)

    async def _followed(self, report: SweepReport) -> SweepReport:
        looked_at, moved, problems = await self._follow.run()
        return replace(report, looked_at=looked_at, moved=moved, problems=report.problems + problems)

    async def _repaired(self, report: SweepReport) -> SweepReport:
        done = await self._repair.run()
        return replace(
            report,
            put_back=done.put_back,
            unreadable=done.unreadable,
            problems=report.problems + done.problems,
            waiting_since=done.waiting_since,
        )

    async def _drained(self, report: SweepReport) -> SweepReport:
        recorded, problems = await self._drain.run()
        return replace(report, poison=recorded, problems=report.problems + problems)
