"""Read followed accounts by id, twenty at a time, and update their conversions.

Accounts are read before rows. If an account is still pending, its conversion's row is not read.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from b2b.domain.account import Account
from b2b.domain.conversion.assessment import Sighting
from b2b.domain.conversion.records import Change, Conversion
from b2b.domain.conversion.situation import Limits
from b2b.domain.conversion.stages import Care, Stage, row_of
from b2b.domain.errors import GRAPH, LedgerConflict, Transient, UnreadableRow
from b2b.domain.lifecycle.difference import SOONEST, next_look
from b2b.domain.lifecycle.followed import followed, is_followed
from b2b.domain.lifecycle.verification import first_refresh
from b2b.domain.readings import Followed
from b2b.domain.request.record import shows_alike
from b2b.workflows.conversion.conversions import Conversions
from b2b.workflows.conversion.facts import TenantFacts
from b2b.workflows.ports import Clock, Directory, Ledger
from b2b.workflows.sweep.publish import POINTER_AGE
from b2b.workflows.sweep.sources import LOOK, whole_minute
from b2b.workflows.sweep.together import each
from b2b.workflows.sweep.turn import Turn

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Seen:
    """The result of reading one followed account."""

    moved: bool = False
    """Whether the conversion changed."""
    over: bool = False
    """Whether the account is no longer followed, so that its entry leaves the index."""
    shown: bool = False
    """Whether the account is pending."""
    look_at: datetime | None = None
    """When the account is read again by the schedule; None if it is not scheduled."""
    refresh_at: datetime | None = None
    """When the account's access is read again; None if that is not to be scheduled."""
    kept: bool = False
    """Whether the entry stays as it is, so that the next run reads the account again."""


class Looks:
    """Reads followed accounts and updates their conversions."""

    def __init__(
        self,
        conversions: Conversions,
        facts: TenantFacts,
        directory: Directory,
        ledger: Ledger,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._conversions, self._facts, self._directory = conversions, facts, directory
        self._ledger, self._limits, self._clock = ledger, limits, clock

    async def at(self, entries: Sequence[Followed], turn: Turn) -> None:
        """Read up to twenty accounts, and store the results in the index and the schedule.

        Raises:
            Transient: Graph or storage did not answer. The index does not change, so a later run reads them again.

        """
        accounts = await self._directory.accounts([entry.key for entry in entries])
        quiet = [entry for entry in entries if entry.shown and _pending(accounts.get(entry.key))]
        turn.did(len(quiet))
        news = [entry for entry in entries if entry not in quiet]
        if news:
            await self._record(news, accounts, turn)

    async def _record(self, news: list[Followed], accounts: dict[str, Account | None], turn: Turn) -> None:
        rows = await each(self._ledger.conversions.get(entry.key) for entry in news)
        if outage := next((row for row in rows if isinstance(row, Transient)), None):
            raise outage
        missing = [key for key, account in accounts.items() if account is None]
        binned = await self._directory.deleted(missing) if missing else frozenset[str]()
        seen = await each(
            self._see(entry, row, accounts, in_bin=entry.key in binned) for entry, row in zip(news, rows, strict=True)
        )
        await self._remember(news, [self._counted(entry, one, turn) for entry, one in zip(news, seen, strict=True)])

    async def _see(
        self, entry: Followed, row: Conversion | Exception | None, accounts: dict[str, Account | None], *, in_bin: bool
    ) -> Seen:
        if isinstance(row, Exception):
            raise row
        if row is None or not is_followed(row):
            return await self._over(entry, row)
        if entry.key not in accounts:
            raise Transient(GRAPH, f"the account {entry.key} cannot be read")
        now, account = self._clock(), accounts[entry.key]
        change = followed(row, Sighting(now, account, in_bin), self._limits, now)
        after = await self._written(row, change, account)
        if not is_followed(after):
            return Seen(moved=True, over=True)
        shown = _pending(account)
        look_at = None if shown else self._next(after, entry)
        new = after.stage is Stage.INVITED and not (entry.shown or entry.put_off)
        refresh_at = first_refresh(after, now) if new else None
        return Seen(moved=change is not None, shown=shown, look_at=look_at, refresh_at=refresh_at)

    async def _written(self, row: Conversion, change: Change[Conversion] | None, account: Account | None) -> Conversion:
        """Write a change and publish it to the requests. Without a change, publish what they do not show yet."""
        if change is None:
            untold = row.published < row.sequence and row.lease_until is None
            return await self._conversions.published(row) if untold else row
        await self._hand_over(change.row)
        if shows_alike(row, change.row) and row.lease_until is None:
            after = await self._conversions.save_quietly(change, row)
        else:
            after = await self._conversions.save(change)
        # The fact is learned after the write, from the written row. If the process dies in between, the app learns it
        # from another account.
        await self._facts.learn(row, after, account)
        return after

    async def _over(self, entry: Followed, row: Conversion | None) -> Seen:
        """Publish a conversion that is no longer followed, and drop its entry unless it is young.

        An entry is written before its claim, so the claim of a young entry may still be to come.
        """
        if row is not None and row.published < row.sequence:
            await self._conversions.published(row)
        if row is not None:
            await self._hand_over(row)
        leaves_at = entry.since + POINTER_AGE
        return Seen(over=True) if self._clock() >= leaves_at else Seen(look_at=leaves_at)

    async def _hand_over(self, row: Conversion) -> None:
        """Schedule the comparison of an account that has redeemed. This happens before its row is written."""
        if row_of(row.stage).care is Care.VERIFY:
            await self._ledger.comparisons.add(row.user_id, whole_minute(self._clock()))

    def _next(self, row: Conversion, entry: Followed) -> datetime:
        return next_look(row, entry.since, self._limits, self._clock())

    def _counted(self, entry: Followed, seen: Seen | Exception, turn: Turn) -> Seen:
        """Count an account. If it could not be read, postpone it, so that it does not block others."""
        turn.did(changed=isinstance(seen, Seen) and seen.moved)
        match seen:
            case Seen():
                return seen
            case LedgerConflict():
                log.info("account %s was changed by another process", entry.key)
            case UnreadableRow():
                turn.passed_over()
                log.warning("account %s is passed over: %s", entry.key, seen)
            case Transient():
                turn.met_problem()
                log.warning("an account could not be followed: %s", seen)
            case _:
                turn.met_problem()
                log.error("an account could not be followed", exc_info=seen)
        return Seen(kept=True) if entry.shown else Seen(look_at=self._clock() + SOONEST)

    async def _remember(self, news: list[Followed], seen: list[Seen]) -> None:
        """Store the results: first in the schedule, then in the index, which relies on the schedule."""
        known = [(entry, one) for entry, one in zip(news, seen, strict=True) if not one.kept]
        looks = [(entry.key, one.look_at) for entry, one in known if one.look_at is not None]
        await self._ledger.schedule.add_all((LOOK + key, whole_minute(at)) for key, at in looks)
        later = [(entry.key, one.refresh_at) for entry, one in known if one.refresh_at is not None]
        await self._ledger.comparisons.add_all((key, whole_minute(at)) for key, at in later)
        marked = [
            (entry, replace(entry, shown=one.shown, put_off=one.look_at is not None))
            for entry, one in known
            if not one.over
        ]
        await self._ledger.followed.mark([after for before, after in marked if before != after])
        await self._ledger.followed.drop([entry for entry, one in known if one.over])


def _pending(account: Account | None) -> bool:
    return account is not None and account.pending
