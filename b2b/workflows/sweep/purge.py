"""Delete requests that ended long ago, if the settings say so, because their rows name people.

Rows of accounts stay, because they keep people from being invited twice. Repair puts requests that have ended, or wait
for a person, on a list, by time. A request on that list that has not ended long enough ago is put on the list again.
"""

from datetime import timedelta

from b2b.domain.conversion.stages import Phase, phase_of
from b2b.domain.readings import Entry
from b2b.workflows.ports import Clock, Ledger
from b2b.workflows.sweep.rounds import through
from b2b.workflows.sweep.turn import Turn


class Purge:
    """Goes through the list of requests that ended or wait for a person, starting where the last run stopped."""

    def __init__(self, ledger: Ledger, keep: timedelta, clock: Clock) -> None:
        """``keep``: how long requests are kept after their end; zero means for ever."""
        self._ledger, self._keep, self._clock = ledger, keep, clock

    async def run(self, turn: Turn) -> None:
        """Purge the next requests. The cursor moves past those that fail, so that they do not block the rest.

        Raises:
            Transient: storage failed several times.

        """
        if self._keep:
            now = self._clock()
            until = now - self._keep
            await self._ledger.purge_pauses(until)
            await through(self._ledger.rested, self._purge, turn, now, until)

    async def _purge(self, entry: Entry) -> bool:
        """Delete one request, or put it on the list again. Return whether it was deleted.

        The old entry is removed last, because after a crash nothing else leads back to the request.
        """
        record, now = await self._ledger.requests.get(entry.key), self._clock()
        if record is None:
            await self._ledger.rested.remove(entry)
            return False
        ended_at = record.completed_at if phase_of(record.stage) is Phase.ENDED else None
        purged = ended_at is not None and now - ended_at > self._keep
        if purged:
            await self._ledger.purge(record)
        else:
            await self._ledger.rested.add(entry.key, ended_at or now)
        await self._ledger.rested.remove(entry)
        return purged
