"""Run the parts of the sweep, one after the other. Several sweeps may run at the same time."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Protocol

from b2b.domain.actors import BY_TIMER, acting_as
from b2b.domain.errors import B2BError, MustWait
from b2b.domain.sweep import BUDGETS, CLOSING, OVERRUN, Budget, Part, SweepReport
from b2b.workflows.ports import Clock, Ledger, Monotonic
from b2b.workflows.sweep.measure import Measure
from b2b.workflows.sweep.turn import Turn

log = logging.getLogger(__name__)


class Work(Protocol):
    """One part of the sweep."""

    async def run(self, turn: Turn) -> None:
        """Do what is due while the turn has room, and count it in the turn."""


class Sweep:
    """Gives each part its turn. A part that fails does not affect the others."""

    def __init__(
        self,
        parts: Mapping[Part, Work],
        ledger: Ledger,
        clock: Clock,
        monotonic: Monotonic,
        measure: Measure | None = None,
        budgets: Mapping[Part, Budget] = BUDGETS,
    ) -> None:
        """``parts`` run in the order of the mapping. Without ``measure``, nothing is measured."""
        self._parts, self._ledger, self._clock, self._monotonic = parts, ledger, clock, monotonic
        self._measure, self._budgets = measure, budgets

    async def run(self) -> SweepReport:
        """Run all parts and keep their report. Never raises, so that a failing part costs no other part its turn."""
        turns = [await self.turn(part) for part in self._parts]
        report = SweepReport(
            tuple(turn.report() for turn in turns),
            next((turn.waiting_since for turn in turns if turn.waiting_since), None),
            next((turn.census for turn in turns if turn.census), None),
        )
        log.info("%s", report)
        await self._keep(report)
        if self._measure is not None:
            await self._measure.run(report)
        return report

    async def turn(self, part: Part) -> Turn:
        """Run one part. The part is cancelled when its time and the overrun are used up, as if the process had died."""
        turn = Turn(part, self._budgets[part], self._monotonic)
        try:
            with acting_as(BY_TIMER):
                async with asyncio.timeout(self._budgets[part].seconds + OVERRUN):
                    await self._parts[part].run(turn)
        except MustWait as wait:
            log.info("the sweep: %s waits: %s", part, wait)
            turn.says(f"waits: {wait}")
        except TimeoutError:
            self._stopped(turn, "cut off: it did not come to an end")
        except B2BError as error:
            self._stopped(turn, f"stopped: {error}")
        except Exception as error:
            log.exception("the sweep: %s broke", part)
            self._stopped(turn, f"broke with {type(error).__name__}")
        return turn

    def _stopped(self, turn: Turn, said: str) -> None:
        log.warning("the sweep: %s %s", turn.part, said)
        turn.met_problem()
        turn.says(said)

    async def _keep(self, report: SweepReport) -> None:
        """Store the report in the ledger, for `/api/health`."""
        try:
            async with asyncio.timeout(CLOSING):
                await self._ledger.report(report, self._clock())
        except (B2BError, TimeoutError) as error:
            log.warning("the sweep's report was not kept: %s", error)
