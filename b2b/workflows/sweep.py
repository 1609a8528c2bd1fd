"""What the timer does: see who redeemed, and record what the host gave up on. Bounded, resumable, safe to run twice."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from b2b.domain import redemption
from b2b.domain.account import Account
from b2b.domain.conversion import Conversion, Stage
from b2b.domain.errors import B2BError, LedgerConflict
from b2b.domain.readings import Due
from b2b.workflows.drain import Drain
from b2b.workflows.invite import Inviter
from b2b.workflows.ports import Clock, Directory, Ledger

log = logging.getLogger(__name__)

LOOKED_AT_PER_RUN = 2_000
"""Accounts in one run: 100 round trips. The next run goes on where this one stopped."""
CHUNK = 20
POINTER_AGE = timedelta(hours=1)
"""A due row is written before the claim that it points to: a young one that points nowhere may be about to."""
FOLLOWED = frozenset({Stage.INVITING, Stage.INVITED, Stage.ACCEPTED})


@dataclass(frozen=True)
class SweepReport:
    """What one run did, in numbers of accounts and messages."""

    looked_at: int = 0
    moved: int = 0
    poison: int = 0
    problems: int = 0


class Sweep:
    """Follows invited people through redemption, and drains the poison queue."""

    def __init__(
        self,
        drain: Drain,
        inviter: Inviter,
        directory: Directory,
        ledger: Ledger,
        replication_window: timedelta,
        clock: Clock,
        per_run: int = LOOKED_AT_PER_RUN,
    ) -> None:
        """Use the other workflows and the adapters; nothing is read yet."""
        self._drain, self._inviter, self._directory, self._ledger = drain, inviter, directory, ledger
        self._window, self._clock, self._per_run = replication_window, clock, per_run

    async def run(self) -> SweepReport:
        """Do both parts, whatever becomes of each. Never raises: a timer's exception is logged and helps nobody."""
        followed = await self._guarded(self._follow)
        drained = await self._guarded(self._drained)
        report = SweepReport(followed.looked_at, followed.moved, drained.poison, followed.problems + drained.problems)
        log.info("%s", report)
        return report

    async def _guarded(self, part: Callable[[], Awaitable[SweepReport]]) -> SweepReport:
        try:
            return await part()
        except B2BError as error:
            log.warning("a part of the sweep stopped: %s", error)
        except Exception:
            log.exception("a part of the sweep broke")
        return SweepReport(problems=1)

    async def _drained(self) -> SweepReport:
        recorded, problems = await self._drain.run()
        return SweepReport(poison=recorded, problems=problems)

    async def _follow(self) -> SweepReport:
        after = await self._ledger.cursor()
        due = await self._ledger.due(after, self._per_run)
        moved = problems = 0
        for first in range(0, len(due), CHUNK):
            chunk = due[first : first + CHUNK]
            moves = await asyncio.gather(*await self._moves(chunk), return_exceptions=True)
            moved += sum(move is True for move in moves)
            failed = [move for move in moves if isinstance(move, BaseException)]
            problems += len(failed)
            for error in failed:
                log.warning(
                    "an account could not be followed: %s", error if isinstance(error, B2BError) else repr(error)
                )
        await self._ledger.move_cursor(due[-1].user_id if len(due) == self._per_run else "")
        return SweepReport(looked_at=len(due), moved=moved, problems=problems)

    async def _moves(self, chunk: list[Due]) -> list[Awaitable[bool]]:
        """Read the state rows and then, in one round trip, the accounts that are still under way."""
        rows = await asyncio.gather(*(self._ledger.conversions.get(due.user_id) for due in chunk))
        under_way = {row.user_id: row for row in rows if row is not None and row.stage in FOLLOWED}
        accounts = await self._directory.accounts(list(under_way)) if under_way else {}
        return [
            self._move(under_way[due.user_id], accounts[due.user_id]) if due.user_id in under_way else self._forget(due)
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

    async def _forget(self, due: Due) -> bool:
        """Remove a pointer whose conversion is over, or was never begun."""
        if self._clock() - due.since > POINTER_AGE:
            await self._ledger.remove_due(due.user_id)
        return False
