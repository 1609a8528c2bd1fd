"""Follow invited accounts until their invitation is redeemed. Graph does not notify the app, so the sweep looks.

Scheduled accounts are read when they are due. For the rest, the sweep compares Graph's list of pending accounts with
the index of followed accounts, and reads only those that differ, by id. If the list would cost more calls than reading
every account, or fails partway, the sweep reads the accounts by id instead, in rounds. Both ways find the same
redemptions; the list finds them sooner.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from itertools import islice

from b2b.domain.conversion.situation import Limits
from b2b.domain.errors import Transient
from b2b.domain.lifecycle.difference import BATCH, LEARNERS, is_news, is_young
from b2b.domain.readings import Followed
from b2b.domain.sweep import MOST_COUNTED
from b2b.workflows.conversion.facts import TenantFacts
from b2b.workflows.pacing import Pacer
from b2b.workflows.ports import Clock, Ledger
from b2b.workflows.sweep.look import Looks
from b2b.workflows.sweep.pending import PendingList
from b2b.workflows.sweep.rounds import Round
from b2b.workflows.sweep.sources import Difference, Scheduled, Segment, is_look
from b2b.workflows.sweep.turn import Turn

log = logging.getLogger(__name__)

MOST_ENTRIES = 200_000
"""The most entries of the index that one run keeps in memory."""
READING = 0.25
"""Share of a turn's time, 0 to 1, that reading the index may take."""


class Follow:
    """Reads the accounts that may have changed, starting where the last run stopped."""

    def __init__(
        self,
        looks: Looks,
        listing: PendingList,
        facts: TenantFacts,
        pacer: Pacer,
        ledger: Ledger,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._looks, self._listing, self._facts, self._pacer = looks, listing, facts, pacer
        self._ledger, self._limits, self._clock = ledger, limits, clock
        self._turns = 0

    async def run(self, turn: Turn) -> None:
        """Read the accounts that are due in the schedule, and those with news in Graph's list. Each get half the turn.

        Raises:
            Transient: Graph or storage failed several times. A later run continues.
            MustWait: Graph asked the app to wait. A later run continues.

        """
        await self._pacer.admit()
        now = self._clock()
        # An account may change between these reads. It is then read by id once more than needed, or in the next run.
        way = await Round.of(self._ledger.followed, now)
        segment = await self._segment(way.after, turn)
        scheduled = await self._ledger.schedule.read("", turn.room + MOST_COUNTED, until=now)
        due = [entry for entry in scheduled if is_look(entry)]
        news = await self._news(segment, turn, now)
        first: Scheduled | Difference = Scheduled(due, segment.entries, self._ledger, self._clock)
        second: Scheduled | Difference = Difference(news, segment, way)
        self._turns += 1
        if self._turns % 2 == 0:  # so that with a budget of one account both are served
            first, second = second, first
        reserved, halfway = min(second.left, turn.room // 2), turn.halfway
        try:
            await self._walk(first, turn, lambda: turn.room - reserved if turn.within(halfway) else 0)
            await self._walk(second, turn, lambda: turn.room)
            await self._walk(first, turn, lambda: turn.room)
        finally:
            oldest = [each for each in (first.oldest, second.oldest) if each is not None]
            turn.leaves(first.left + second.left, min(oldest, default=None))

    async def _segment(self, after: str, turn: Turn) -> Segment:
        entries: dict[str, Followed] = {}
        async for entry in self._ledger.followed.scan(after):
            if len(entries) == MOST_ENTRIES or (entries and not turn.within(READING)):
                return Segment(entries, whole=False)
            entries[entry.key] = entry
        return Segment(entries, whole=True)

    async def _news(self, segment: Segment, turn: Turn, now: datetime) -> list[Followed]:
        """Return the accounts to read by id, in the order of the index."""
        settled = [entry for entry in segment.entries.values() if not is_young(entry, self._limits, now)]
        by_id = sum(is_news(entry, listed=None) for entry in settled)
        listed = await self._listing.those(segment.entries, by_id, turn)
        news = [each for each in settled if is_news(each, listed=None if listed is None else each.key in listed)]
        return sorted([*news, *await self._learners(segment, now)], key=lambda each: each.key)

    async def _learners(self, segment: Segment, now: datetime) -> list[Followed]:
        """Return the young accounts that are worth reading now.

        First come accounts of a kind (synced or not) of which the app does not know yet whether this tenant shows a
        pending invitation: reading them tells. One batch of other accounts follows, because a read that shows a
        redemption is reliable even if the account is young.
        """
        young = [entry for entry in segment.entries.values() if is_young(entry, self._limits, now)]
        unknown = await self._facts.unknown() if young else frozenset[bool]()
        learners = [entry for entry in young if entry.synced in unknown and not entry.shown][:LEARNERS]
        chosen = {entry.key for entry in learners}
        return [*learners, *islice((entry for entry in young if entry.key not in chosen), BATCH)]

    async def _walk(self, source: Scheduled | Difference, turn: Turn, room: Callable[[], int]) -> None:
        """Look at a source's accounts, batch by batch.

        A batch counts as done only after its accounts were read, so that after a crash the next run reads them again.
        In `rounds`, the cursor moves before the work; here, that would put the batch off for a whole round.
        """
        while source.left and (number := min(BATCH, room())) > 0:
            await self._pacer.admit()
            entries = await source.take(number)
            try:
                if entries:
                    await self._looks.at(entries, turn)
            except Transient as error:
                await self._pacer.heed(error)
                await source.failed()
                log.warning("%d accounts could not be looked at: %s", len(entries), error)
                turn.did(len(entries))
                turn.failed(error, len(entries))
            else:
                await source.done()
        await source.end()
