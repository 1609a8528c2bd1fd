"""Tell requests what has become of their conversions, where a process died between the one row and the others.

Every pointer names an account whose row was about to be written. It is removed once the row says that everything was
told; a young one is left alone, because the write that it announces may still come.
"""

from datetime import timedelta

from b2b.domain.errors import UnreadableRow
from b2b.domain.readings import Entry
from b2b.workflows.conversion.conversions import Conversions
from b2b.workflows.ports import Clock, Ledger
from b2b.workflows.sweep.rounds import through
from b2b.workflows.sweep.turn import Turn

POINTER_AGE = timedelta(hours=2)
"""Longer than a process can take, or stand still, between a pointer and the write that it announces."""


class Publish:
    """Goes through the accounts that may have something to tell, from where the last run stopped."""

    def __init__(self, conversions: Conversions, ledger: Ledger, clock: Clock) -> None:
        self._conversions, self._ledger, self._clock = conversions, ledger, clock

    async def run(self, turn: Turn) -> None:
        """Go through the next accounts. The cursor moves behind what fails.

        Raises:
            Transient: storage did not answer, several times.

        """
        await through(self._ledger.untold, self._publish, turn, self._clock())

    async def _publish(self, entry: Entry) -> bool:
        """Tell what is left to tell; a claim whose call may be under way has nothing to tell before its outcome."""
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
