"""Follow invited accounts until their people redeem. Graph reports no redemption, so the accounts are read."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

from b2b.domain.conversion.assessment import Sighting
from b2b.domain.conversion.records import Conversion, advance
from b2b.domain.conversion.situation import Limits
from b2b.domain.conversion.stages import Stage
from b2b.domain.errors import GRAPH, B2BError, LedgerConflict, Transient
from b2b.domain.lifecycle.followed import followed, is_followed
from b2b.domain.readings import Entry
from b2b.workflows.conversion.conversions import Conversions
from b2b.workflows.conversion.facts import TenantFacts
from b2b.workflows.pacing import Pacer
from b2b.workflows.ports import Clock, Directory, Ledger

log = logging.getLogger(__name__)

T = TypeVar("T")

PER_RUN = 2_000
"""Accounts in one run: 100 round trips. The next run goes on where this one stopped."""
CHUNK = 20
MOST_TROUBLE = 3
"""Stop the run after this many failed chunks; a single failure is tolerated."""
POINTER_AGE = timedelta(hours=1)
"""The pointer is written before its claim, so young pointers stay even if the claim does not exist yet."""


class Followed(NamedTuple):
    """How many accounts were looked at, how many moved on, and how many could not be looked at."""

    looked_at: int
    moved: int
    problems: int


class Follow:
    """Goes through the list of followed accounts, from where the last run stopped."""

    def __init__(
        self,
        conversions: Conversions,
        facts: TenantFacts,
        pacer: Pacer,
        directory: Directory,
        ledger: Ledger,
        limits: Limits,
        clock: Clock,
        per_run: int = PER_RUN,
    ) -> None:
        self._conversions, self._facts, self._pacer, self._directory = conversions, facts, pacer, directory
        self._ledger, self._limits, self._clock, self._per_run = ledger, limits, clock, per_run

    async def run(self) -> Followed:
        """Look at the next accounts of the list. The cursor moves with every chunk, also with one that failed.

        Raises:
            Transient: Graph or storage did not answer, several times.
            MustWait: Graph asked the app to wait.

        """
        after = await self._ledger.followed.cursor()
        entries = await self._ledger.followed.read(after, self._per_run)
        looked_at = moved = problems = trouble = 0
        for first in range(0, len(entries), CHUNK):
            await self._pacer.admit()
            chunk = entries[first : first + CHUNK]
            try:
                results = await self._look_at(chunk)
            except Transient as error:
                await self._pacer.heed(error)
                await self._ledger.followed.move_cursor(chunk[-1].key)
                trouble += 1
                if trouble == MOST_TROUBLE:
                    raise
                log.warning("%d accounts could not be looked at: %s", len(chunk), error)
                problems += len(chunk)
                continue
            looked_at += len(results)
            moved += sum(result is True for result in results)
            problems += _logged([result for result in results if isinstance(result, Exception)])
            await self._ledger.followed.move_cursor(chunk[-1].key)
        if len(entries) < self._per_run:
            await self._ledger.followed.move_cursor("")
        return Followed(looked_at, moved, problems)

    async def _look_at(self, chunk: list[Entry]) -> list[bool | Exception]:
        """Move what can be moved: a result for each account. The trouble of one is not the trouble of all."""
        rows = await _each(self._ledger.conversions.get(entry.key) for entry in chunk)
        broken = [row for row in rows if isinstance(row, Exception)]
        if outage := next((error for error in broken if isinstance(error, Transient)), None):
            raise outage
        found = {entry: row for entry, row in zip(chunk, rows, strict=True) if not isinstance(row, Exception)}
        wanted = {row.user_id: row for row in found.values() if row is not None and is_followed(row)}
        accounts = await self._directory.accounts(list(wanted)) if wanted else {}
        missing = [user_id for user_id, account in accounts.items() if account is None]
        binned = await self._directory.deleted(missing) if missing else frozenset[str]()
        moved = await _each(
            self._move(row, Sighting(self._clock(), accounts[row.user_id], row.user_id in binned))
            if row.user_id in accounts
            else _unreadable(row)
            for row in wanted.values()
        )
        ended = await _each(self._over(entry, row) for entry, row in found.items() if entry.key not in wanted)
        return [*moved, *broken, *(result for result in ended if result is not None)]

    async def _move(self, conversion: Conversion, sighting: Sighting) -> bool:
        """Record what the account's state means, bring the requests up to it, and learn from it."""
        now = self._clock()
        if conversion.stage is Stage.ACCEPTED:
            change = advance(conversion, Stage.COMPLETED, now)
        else:
            found = followed(conversion, sighting, self._limits, now)
            if found is None:
                await self._publish(conversion)
                return False
            change = found
        try:
            after = await self._conversions.save(change)
        except LedgerConflict:
            return False  # another process moved it; the next run looks again
        await self._facts.learn(conversion, after, sighting.account)
        return True

    async def _publish(self, conversion: Conversion) -> None:
        """Bring up the requests of a conversion, where a process died before it did."""
        if conversion.published < conversion.sequence and conversion.lease_until is None:
            try:
                await self._conversions.published(conversion)
            except LedgerConflict:
                return

    async def _over(self, entry: Entry, conversion: Conversion | None) -> None:
        """Remove a pointer whose conversion is over, once every request shows that."""
        if conversion is not None and conversion.published < conversion.sequence:
            await self._publish(conversion)
            return
        if self._clock() - entry.since > POINTER_AGE:
            await self._ledger.followed.remove(entry)


async def _unreadable(conversion: Conversion) -> bool:
    raise Transient(GRAPH, f"the account {conversion.user_id} cannot be read")


async def _each(work: Iterable[Coroutine[Any, Any, T]]) -> list[T | Exception]:
    """Do all at once; an error is a result, but a cancellation cancels all."""
    results: list[T | Exception] = []
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, BaseException) and not isinstance(result, Exception):
            raise result
        results.append(result)
    return results


def _logged(errors: list[Exception]) -> int:
    for error in errors:
        ours = isinstance(error, B2BError)
        log.warning("an account could not be followed: %s", error, exc_info=None if ours else error)
    return len(errors)
