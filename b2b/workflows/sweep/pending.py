"""Read Graph's list of all pending accounts, if that costs less than reading the followed accounts by id."""

import logging
from collections.abc import Container
from datetime import datetime, timedelta

from b2b.domain.errors import Transient
from b2b.domain.lifecycle.difference import BATCH
from b2b.domain.sweep import Allowance
from b2b.workflows.pacing import Pacer
from b2b.workflows.ports import Clock, Directory
from b2b.workflows.sweep.turn import Turn

log = logging.getLogger(__name__)

SHARE = 0.7
"""Share of a turn's time, 0 to 1, after which the list is given up. The rest is for reading accounts by id."""
REMEMBERED = timedelta(hours=1)
"""How long an instance remembers how many pages the list has."""


class PendingList:
    """Graph's list of pending accounts, with a limit on its cost."""

    def __init__(self, directory: Directory, pacer: Pacer, allowance: Allowance, clock: Clock) -> None:
        self._directory, self._pacer, self._allowance, self._clock = directory, pacer, allowance, clock
        self._pages = 1
        self._asked_at: datetime | None = None

    async def those(self, followed: Container[str], by_id: int, turn: Turn) -> frozenset[str] | None:
        """Return the followed accounts that are on the list. None if the list was not read to its end.

        ``by_id``: how many accounts have to be read by id without the list. A list that breaks off is of no use,
        because every account on its missing pages would look as if it had changed.
        """
        limit = self._allowance.page_limit(by_id)
        if limit < self._expected():
            if by_id:
                turn.says(f"by id: {-(-by_id // BATCH)} batches cost no more than the list")
            return None
        found, pages = set[str](), 0
        try:
            async for page in self._directory.pending():
                pages += 1
                found.update(each for each in page if each in followed)
                if pages > limit or not turn.within(SHARE):
                    self._remember(max(pages, limit) + 1)
                    turn.says(f"by id: the list was given up after {pages} pages")
                    return None
        except Transient as error:
            await self._pacer.heed(error)
            turn.says(f"by id: the list broke off after {pages} pages")
            log.warning("the list of pending accounts broke off after %d pages: %s", pages, error)
            return None
        self._remember(pages)
        turn.says(f"by difference: {pages} pages")
        return frozenset(found)

    def _expected(self) -> int:
        """Return how many pages the list has, as far as this instance remembers; at least one."""
        if self._asked_at is None or self._clock() - self._asked_at >= REMEMBERED:
            return 1
        return self._pages

    def _remember(self, pages: int) -> None:
        self._pages, self._asked_at = pages, self._clock()
