"""Go through a list in rounds: each run continues where the last one stopped. A cursor is stored with the list."""

import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Self

from b2b.domain.errors import LedgerConflict, Transient, UnreadableRow
from b2b.domain.readings import Cursor, Entry
from b2b.domain.sweep import MOST_COUNTED
from b2b.workflows.ports import Listing, Rounds
from b2b.workflows.sweep.together import each
from b2b.workflows.sweep.turn import Turn

log = logging.getLogger(__name__)

CHUNK = 20
"""Entries that are handled together."""


class Round:
    """One run's part of a round."""

    def __init__(self, listing: Rounds, cursor: Cursor, now: datetime) -> None:
        """Continue at ``cursor``; an empty cursor begins a new round."""
        self._listing, self._cursor = listing, cursor
        self.began = (cursor.since if cursor.after else None) or now
        """When this round began."""
        self.counts = Counter(cursor.counts if cursor.after else {})
        """What this round has counted so far."""

    @classmethod
    async def of(cls, listing: Rounds, now: datetime) -> Self:
        """Return the round that continues where the last run stopped."""
        return cls(listing, await listing.cursor(), now)

    @property
    def after(self) -> str:
        """The place after which this run continues; empty at the beginning of the list."""
        return self._cursor.after

    async def move(self, after: str) -> None:
        """Store the place after which the next run continues, with the counts. Empty if the round is over."""
        cursor = Cursor(after, self.began, dict(self.counts)) if after else Cursor()
        if cursor != self._cursor:
            await self._listing.move_cursor(cursor)
            self._cursor = cursor


async def through(
    listing: Listing,
    work: Callable[[Entry], Coroutine[Any, Any, bool]],
    turn: Turn,
    now: datetime,
    until: datetime | None = None,
) -> None:
    """Do ``work`` for each entry of a list, from where the last run stopped. ``work`` returns whether it changed a row.

    The cursor moves before the work. So an entry that fails, or that kills the process, does not block those after it.

    Raises:
        Transient: storage failed several times. The next run continues.

    """
    way = await Round.of(listing, now)
    while room := turn.room:
        entries = await listing.read(way.after, min(CHUNK, room), until)
        await way.move(entries[-1].place if len(entries) == min(CHUNK, room) else "")
        for entry, result in zip(entries, await each(map(work, entries)), strict=True):
            _count(entry, result, turn)
        if not way.after:
            return
    left = await listing.read(way.after, MOST_COUNTED, until)
    turn.leaves(len(left), min((entry.since for entry in left), default=None))


def _count(entry: Entry, result: object, turn: Turn) -> None:
    turn.did(changed=result is True)
    match result:
        case UnreadableRow():
            turn.passed_over()
            log.warning("%s: %s is passed over: %s", turn.part, entry.key, result)
        case Transient():
            log.warning("%s: %s has to wait: %s", turn.part, entry.key, result)
            turn.failed(result)
        case LedgerConflict():
            log.info("%s: %s moved on meanwhile", turn.part, entry.key)
        case Exception():
            log.error("%s: %s broke", turn.part, entry.key, exc_info=result)
            turn.met_problem()
