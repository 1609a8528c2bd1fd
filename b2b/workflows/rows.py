"""What every kind of state row has in common, as the workflows see it."""

from typing import Protocol, TypeVar

from b2b.domain.conversion.records import Change, Event

Row = TypeVar("Row")


class Rows(Protocol[Row]):
    """State rows of one kind, each with its history."""

    async def get(self, key: str) -> Row | None:
        """Return the row, or None.

        Raises:
            UnreadableRow: a newer version wrote it.

        """

    async def write(self, change: Change[Row]) -> Row:
        """Write a row and its events in one transaction, over the very row that the change was made from.

        Raises:
            LedgerConflict: that row is not there any more. Nothing was written.

        """

    async def history(self, key: str, after: int, limit: int) -> list[Event]:
        """Return the events of a row behind a number, oldest first; the first has the number 1."""
