"""Follow invited people through redemption: nobody reports it, so the accounts are read. Bounded and resumable."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

from b2b.domain import redemption
from b2b.domain.account import Account
from b2b.domain.conversion import WORKING, Conversion, Stage
from b2b.domain.errors import GRAPH, B2BError, LedgerConflict, Transient
from b2b.domain.readings import Due
from b2b.workflows.invite import Inviter
from b2b.workflows.pacing import Pacer
from b2b.workflows.ports import Clock, Directory, Ledger

log = logging.getLogger(__name__)

T = TypeVar("T")

PER_RUN = 2_000
"""Accounts in one run: 100 round trips. The next run goes on where this one stopped."""
CHUNK = 20
MOST_TROUBLE = 3
"""Chunks that may fail in one run: one bad answer says little, but where every call fails it is no use to go on."""
POINTER_AGE = timedelta(hours=1)
"""A due row is written before the claim that it points to: a young one that points nowhere may be about to."""
FOLLOWED = frozenset({Stage.INVITING, Stage.INVITED, Stage.ACCEPTED})


class Followed(NamedTuple):
    """How many accounts were looked at, how many moved on, and how many could not be looked at."""

    looked_at: int
    moved: int
    problems: int


class Follow:
    """Goes through the list of accounts that were invited."""

    def __init__(
        self,
        inviter: Inviter,
        pacer: Pacer,
        directory: Directory,
        ledger: Ledger,
        replication_window: timedelta,
        clock: Clock,
        per_run: int = PER_RUN,
    ) -> None:
        """Use the inviter and the adapters; nothing is read yet."""
        self._inviter, self._pacer, self._directory, self._ledger = inviter, pacer, directory, ledger
        self._window, self._clock, self._per_run = replication_window, clock, per_run

    async def run(self) -> Followed:
        """Look at the next accounts of the list; a conversion that cannot be moved now is left to the next run.

        The cursor goes on with every chunk, also with one that failed: nothing that fails again and again keeps the
        accounts behind it from being looked at.

        Raises:
            Transient: Graph or storage did not answer, several times.
            Wait: everything waits for Graph.

        """
        after = await self._ledger.due.cursor()
        due = await self._ledger.due.read(after, self._per_run)
        looked_at = moved = problems = trouble = 0
        for first in range(0, len(due), CHUNK):
            await self._pacer.admit()
            chunk = due[first : first + CHUNK]
            try:
                results = await self._look_at(chunk)
            except Transient as error:
                await self._pacer.heed(error)
                await self._ledger.due.move_cursor(chunk[-1].key)
                trouble += 1
                if trouble == MOST_TROUBLE:
                    raise
                log.warning("%d accounts could not be looked at: %s", len(chunk), error)
                problems += len(chunk)
                continue
            looked_at += len(results)
            moved += sum(result is True for result in results)
            problems += _told([result for result in results if isinstance(result, Exception)])
            await self._ledger.due.move_cursor(chunk[-1].key)
        if len(due) < self._per_run:
            await self._ledger.due.move_cursor("")
        return Followed(looked_at, moved, problems)

    async def _look_at(self, chunk: list[Due]) -> list[bool | Exception]:
        """Move what can be moved: a result for each account under way. The trouble of one is not the trouble of all.

        Raises:
            Transient: Graph or storage did not answer.

        """
        rows = await _each(self._ledger.conversions.get(due.key) for due in chunk)
        broken = [row for row in rows if isinstance(row, Exception)]
        if outage := next((error for error in broken if isinstance(error, Transient)), None):
            raise outage
        found = {due: row for due, row in zip(chunk, rows, strict=True) if not isinstance(row, Exception)}
        under_way = {row.user_id: row for row in found.values() if row is not None and row.stage in FOLLOWED}
        accounts = await self._directory.accounts(list(under_way)) if under_way else {}
        moves = [
            self._move(row, accounts[row.user_id]) if row.user_id in accounts else self._unreadable(row)
            for row in under_way.values()
        ]
        over = [self._forget(due, row) for due, row in found.items() if due.key not in under_way]
        moved, forgotten = await _each(moves), await _each(over)
        return [*moved, *broken, *(result for result in forgotten if result is not None)]

    async def _move(self, conversion: Conversion, account: Account | None) -> bool:
        if account is None:
            log.warning("account %s is not there though it was invited", conversion.user_id)
        now = self._clock()
        change = redemption.followed(conversion, account, now, self._window)
        if change is None and not await self._at_work(conversion):
            change = redemption.abandoned(conversion, now, self._window)
        if change is None:
            return False
        try:
            await self._inviter.finish(change)
        except LedgerConflict:
            return False  # somebody else moved it; the next run looks again
        return True

    async def _at_work(self, conversion: Conversion) -> bool:
        """Tell whether a request still sees to this conversion; one whose message was lost is put back by `Repair`."""
        if conversion.stage is not Stage.INVITING:
            return True
        for request_id in await self._ledger.members(conversion):
            record = await self._ledger.requests.get(request_id)
            if record is not None and record.stage in WORKING:
                return True
        return False

    async def _unreadable(self, conversion: Conversion) -> bool:
        raise Transient(GRAPH, f"the account {conversion.user_id} cannot be read")

    async def _forget(self, due: Due, conversion: Conversion | None) -> None:
        """Remove a pointer whose conversion is over, or was never begun; first show its end, should that be missing."""
        if conversion is not None:
            await self._inviter.show_members(conversion)
        if self._clock() - due.since > POINTER_AGE:
            await self._ledger.due.remove(due)


async def _each(work: Iterable[Coroutine[Any, Any, T]]) -> list[T | Exception]:
    """Do all at once; an error is a result, but who is cancelled is cancelled."""
    results: list[T | Exception] = []
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, BaseException) and not isinstance(result, Exception):
            raise result
        results.append(result)
    return results


def _told(errors: list[Exception]) -> int:
    for error in errors:
        ours = isinstance(error, B2BError)
        log.warning("an account could not be followed: %s", error, exc_info=None if ours else error)
    return len(errors)
