"""Bring requests up to their conversions if a process died between the conversion's row and the requests' rows.

A pointer is written before the conversion's row, and names its account. It is removed when the row says that all its
requests are up to date. A young pointer stays, because the row may not be written yet.
"""

from datetime import timedelta

from b2b.domain.errors import UnreadableRow
from b2b.domain.readings import Entry
from b2b.workflows.conversion.conversions import Conversions
from b2b.workflows.ports import Clock, Ledger
from b2b.workflows.sweep.rounds import through
from b2b.workflows.sweep.turn import Turn

POINTER_AGE = timedelta(hours=2)
"""Longer than a process can take, or be frozen, between a pointer and the write of its row."""


class Publish:
    """Goes through the pointers, starting where the last run stopped."""

    def __init__(self, conversions: Conversions, ledger: Ledger, clock: Clock) -> None:
        self._conversions, self._ledger, self._clock = conversions, ledger, clock

    async def run(self, turn: Turn) -> None:
        """Publish the next conversions. The cursor moves past those that fail, so that they do not block the rest.

        Raises:
            Transient: storage failed several times.

        """
        await through(self._ledger.untold, self._publish, turn, self._clock())

    async def _publish(self, entry: Entry) -> bool:
        """Bring an account's requests up to its conversion; return whether that was needed.

        A claim whose call may be under way is left alone, because its requests will take over the outcome.

        Raises:
            UnreadableRow: a request could not be brought up to the conversion. The pointer stays, for a later run.

        """
        row = await self._conversions.get(entry.key)
        told = row is None or row.published == row.sequence
        if row is not None and not told:
            if row.lease_until is not None:
                return False
            if (await self._conversions.published(row)).published < row.sequence:
                raise UnreadableRow(f"a request for the account {entry.key} could not be told")
        if self._clock() - entry.since > POINTER_AGE:
            await self._ledger.untold.remove(entry)
        return not told
