"""The interface that all kinds of state row share."""

from typing import Protocol, TypeVar

from b2b.domain.conversion.records import Change, Event

Row = TypeVar("Row")


class Rows(Protocol[Row]):
    """State rows of one kind, each with its history."""

    async def get(self, key: str) -> Row | None:
        """Return the row with this key, or None.

        Raises:
            UnreadableRow: a newer version of the app wrote the row.

        """

    async def write(self, change: Change[Row]) -> Row:
        """Write a row and its events in one transaction, but only over the version that the change was made from.

        Raises:
            LedgerConflict: another process wrote the row since. Nothing was written.

        """

    async def history(self, key: str, after: int, limit: int) -> list[Event]:
        """Return up to ``limit`` events of a row after number ``after``, oldest first. The first event has number 1."""
