"""A way through a list in rounds: each run goes on where the one before stopped, and the list remembers where."""

from datetime import datetime
from typing import Self

from b2b.domain.readings import Cursor
from b2b.workflows.ports import Rounds


class Round:
    """One run's part of a round."""

    def __init__(self, listing: Rounds, cursor: Cursor, now: datetime) -> None:
        """Go on at ``cursor``; an empty one begins a round."""
        self._listing, self._cursor = listing, cursor
        self.began = (cursor.since if cursor.after else None) or now
        """When this round began."""

    @classmethod
    async def of(cls, listing: Rounds, now: datetime) -> Self:
        """Read where the last run stopped.

        Raises:
            Transient: storage did not answer.

        """
        return cls(listing, await listing.cursor(), now)

    @property
    def after(self) -> str:
        """Behind which place this run goes on."""
        return self._cursor.after

    async def move(self, after: str) -> None:
        """Remember a place; empty: the round is over.

        Raises:
            Transient: storage did not answer.

        """
        cursor = Cursor(after, self.began) if after else Cursor()
        if cursor != self._cursor:
            await self._listing.move_cursor(cursor)
            self._cursor = cursor
