"""Follow invited people through redemption: nobody reports it, so the accounts are read. Bounded and resumable."""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import timedelta
from typing import NamedTuple

from b2b.domain import redemption
from b2b.domain.account import Account
from b2b.domain.conversion import Conversion, Stage
from b2b.domain.errors import GRAPH, B2BError, LedgerConflict, Transient
from b2b.domain.readings import Due
from b2b.workflows.invite import Inviter
from b2b.workflows.pacing import Pacer
from b2b.workflows.ports import Clock, Directory, Ledger

log = logging.getLogger(__name__)

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
                results = await asyncio.gather(*await self._moves(chunk), return_exceptions=True)
            except Transient as error:
                await self._pacer.heed(error)
                await self._ledger.due.move_cursor(chunk[-1].key)
                trouble += 1
                if trouble == MOST_TROUBLE:
                    raise
                log.warning("%d accounts could not be looked at: %s", len(chunk), error)
                problems += len(chunk)
                continue
            looked_at += len(chunk)
            moved += sum(result is True for result in results)
            problems += _told([result for result in results if isinstance(result, BaseException)])
            await self._ledger.due.move_cursor(chunk[-1].key)
        if len(due) < self._per_run:
            await self._ledger.due.move_cursor("")
        return Followed(looked_at, moved, problems)

    async def _moves(self, chunk: list[Due]) -> list[Awaitable[bool]]:
        """Read the state rows and then, in one round trip, the accounts that are still under way."""
        rows = await asyncio.gather(*(self._ledger.conversions.get(due.key) for due in chunk))
        under_way = {row.user_id: row for row in rows if row is not None and row.stage in FOLLOWED}
        accounts = await self._directory.accounts(list(under_way)) if under_way else {}
        return [
            self._forget(due)
            if due.key not in under_way
            else self._move(under_way[due.key], accounts[due.key])
            if due.key in accounts
            else self._unreadable(due)
            for due in chunk
        ]

    async def _move(self, conversion: Conversion, account: Account | None) -> bool:
        if account is None:
            log.warning("account %s is not there though it was invited", conversion.user_id)
        change = redemption.followed(conversion, account, self._clock(), self._window)
        if change is None:
            return False
        try:
            await self._inviter.finish(change)
        except LedgerConflict:
            return False  # somebody else moved it; the next run looks again
        return True

    async def _unreadable(self, due: Due) -> bool:
        raise Transient(GRAPH, f"the account {due.key} cannot be read")

    async def _forget(self, due: Due) -> bool:
        """Remove a pointer whose conversion is over, or was never begun; first show its end, should that be missing."""
        conversion = await self._ledger.conversions.get(due.key)
        if conversion is not None:
            await self._inviter.show_members(conversion)
        if self._clock() - due.since > POINTER_AGE:
            await self._ledger.due.remove(due.key)
        return False


def _told(errors: list[BaseException]) -> int:
    for error in errors:
        log.warning("an account could not be followed: %s", error if isinstance(error, B2BError) else repr(error))
    return len(errors)
