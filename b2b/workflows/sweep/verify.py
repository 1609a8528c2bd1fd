"""Compare what the directory grants an account with its baseline: after the redemption, and while it is pending.

The accounts that are due are in a list, ordered by time. Twenty accounts are read at once with all their relations, so
that their reads share batches. If an account has to be read again, its new entry is added before the old one is
removed.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from b2b.domain.conversion.assessment import Sighting
from b2b.domain.conversion.proof import NO_SNAPSHOT, uncompared
from b2b.domain.conversion.records import Conversion
from b2b.domain.conversion.situation import Limits
from b2b.domain.conversion.stages import Stage
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.fact import Fact
from b2b.domain.errors import LedgerConflict, Transient, UnreadableRow
from b2b.domain.lifecycle import verification
from b2b.domain.lifecycle.snapshot import FACTS, Moment, Snapshot, snapshot_of
from b2b.domain.lifecycle.verification import SOONEST, Kept, Look, Outcome
from b2b.domain.readings import Entry
from b2b.domain.request.record import shows_alike
from b2b.domain.sweep import MOST_COUNTED
from b2b.workflows.conversion.conversions import Conversions
from b2b.workflows.pacing import Pacer
from b2b.workflows.ports import Clock, Directory, Ledger
from b2b.workflows.sweep.redeemers import Redeemers
from b2b.workflows.sweep.sources import whole_minute
from b2b.workflows.sweep.together import each
from b2b.workflows.sweep.turn import Turn

log = logging.getLogger(__name__)

TOGETHER = 20
"""How many accounts are read at once. Their relations fill seven batches."""
OFF = "B2B_COMPARE_ACCESS is false"


@dataclass(frozen=True)
class Comparing:
    """The settings of the comparison."""

    limits: Limits
    deadline: timedelta
    """How long after a redemption the app compares before a person decides about a difference."""
    on: bool
    reads_log: bool = False
    """Whether the app reads from the audit log who redeemed."""


class Verify:
    """Compares the accounts that are due."""

    def __init__(
        self,
        conversions: Conversions,
        directory: Directory,
        pacer: Pacer,
        ledger: Ledger,
        comparing: Comparing,
        clock: Clock,
    ) -> None:
        self._conversions, self._directory, self._pacer = conversions, directory, pacer
        self._ledger, self._comparing, self._clock = ledger, comparing, clock
        self._redeemers = Redeemers(directory, clock, reads_log=comparing.reads_log)

    async def run(self, turn: Turn) -> None:
        """Compare the accounts that are due, longest overdue first. An account that fails is postponed and blocks none.

        Raises:
            Transient: Graph or storage failed repeatedly. The next run continues.
            MustWait: Graph asked the app to wait. A later run continues.

        """
        due = await self._ledger.comparisons.read("", turn.room + MOST_COUNTED, until=self._clock())
        accounts: dict[str, list[Entry]] = {}
        for entry in due:
            accounts.setdefault(entry.key, []).append(entry)
        left = list(accounts.items())
        try:
            while left and (number := min(TOGETHER, turn.room)) > 0:
                await self._pacer.admit()
                some, left = left[:number], left[number:]
                await self._some(some, turn)
        finally:
            turn.leaves(len(left), min((entries[0].since for _, entries in left), default=None))

    async def _some(self, some: list[tuple[str, list[Entry]]], turn: Turn) -> None:
        """Compare some accounts at once, and schedule those that have to be read again."""
        found = await each(self._look(key) for key, _ in some)
        trouble = next((result for result in found if isinstance(result, Transient)), None)
        again = [(key, self._again(key, result, turn)) for (key, _), result in zip(some, found, strict=True)]
        await self._ledger.comparisons.add_all((key, whole_minute(at)) for key, at in again if at is not None)
        await self._ledger.comparisons.remove(*(entry for _, entries in some for entry in entries))
        if trouble is not None:
            await self._pacer.heed(trouble)
            turn.failed(trouble)

    def _again(self, key: str, result: tuple[bool, datetime | None] | Exception, turn: Turn) -> datetime | None:
        """Count an account. Return when to read it again; None if it need not be read again."""
        match result:
            case (changed, look_at):
                turn.did(changed=changed)
                return look_at
            case LedgerConflict():
                log.info("account %s was changed by another process", key)
            case UnreadableRow():
                turn.passed_over()
                log.warning("account %s is passed over: %s", key, result)
            case Transient():
                log.warning("account %s could not be compared: %s", key, result)
            case _:
                turn.met_problem()
                log.error("account %s could not be compared", key, exc_info=result)
        turn.did()
        return self._clock() + SOONEST

    async def _look(self, user_id: str) -> tuple[bool, datetime | None]:
        """Compare one account. Return whether its row was changed, and when to read it again (None: not again)."""
        row = await self._conversions.get(user_id)
        if row is None or row.stage not in {Stage.INVITED, Stage.ACCEPTED, Stage.VERIFIED}:
            return False, None
        if row.stage is Stage.INVITED and not (row.baseline and self._comparing.on):
            return False, None
        outcome = await self._decided(row)
        if outcome.change is not None:
            await self._save(row, outcome)
        return outcome.change is not None, outcome.look_at

    async def _decided(self, row: Conversion) -> Outcome:
        """Read the account and its snapshots as far as needed, and return the outcome."""
        comparing = self._comparing
        if row.stage is Stage.VERIFIED:
            return Outcome(verification.completed(row, self._clock()))
        if not (comparing.on and row.baseline):
            look = await self._read(row, frozenset())
            why = NO_SNAPSHOT if comparing.on else OFF
            return Outcome(uncompared(row, why, look.redeemer, self._clock()))
        kept = await self._kept(row)
        look = await self._read(row, FACTS)
        if row.stage is Stage.INVITED:
            return verification.refreshed(row, look, kept, comparing.limits, self._clock())
        return verification.compared(row, look, kept, comparing.limits, comparing.deadline, self._clock())

    async def _kept(self, row: Conversion) -> Kept:
        before = await self._ledger.snapshot(row.user_id, row.baseline, Moment.BEFORE)
        seen: Snapshot | None = None
        if row.stage is Stage.INVITED and row.access_seen_at is not None:
            seen = await self._ledger.snapshot(row.user_id, row.generation, Moment.SEEN)
        return Kept(before, seen)

    async def _read(self, row: Conversion, wanted: frozenset[Fact[Any]]) -> Look:
        """Read an account with the wanted facts and its redeemer, or whether it is in the recycle bin."""
        at = self._clock()
        known = await self._directory.granted(row.user_id, wanted)
        found = known[facts.ACCOUNT]
        if not found:
            binned = await self._directory.deleted([row.user_id])
            return Look(Sighting(at, None, row.user_id in binned), None)
        account = found[0]
        asked = row.stage is Stage.ACCEPTED and account.accepted
        redeemer = await self._redeemers.of(row, account) if asked else None
        return Look(Sighting(at, account), snapshot_of(account, known, at), redeemer)

    async def _save(self, row: Conversion, outcome: Outcome) -> None:
        """Write the outcome. Update the requests only if they show it."""
        change, kept = outcome.change, dict(outcome.keep)
        if change is None:
            return
        if shows_alike(row, change.row):
            await self._conversions.save_quietly(change, row, kept)
        else:
            await self._conversions.save(change, follow=change.row.stage is Stage.INVITED, kept=kept)
