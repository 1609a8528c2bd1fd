"""Delete requests that ended long ago, where an administrator wants that: their rows name people.

What is known of accounts stays: it keeps them from being invited twice. Requests that have come to rest stand on a
list by the time at which repair found that. One that is at work again, or waits for its person, is listed anew.
"""

from datetime import timedelta

from b2b.domain.conversion.stages import Phase, phase_of
from b2b.domain.readings import Entry
from b2b.workflows.ports import Clock, Ledger
from b2b.workflows.sweep.rounds import through
from b2b.workflows.sweep.turn import Turn


class Purge:
    """Goes through the requests that came to rest long ago, from where the last run stopped."""

    def __init__(self, ledger: Ledger, keep: timedelta, clock: Clock) -> None:
        """``keep``: for how long requests are kept after their end; no time at all: for ever."""
        self._ledger, self._keep, self._clock = ledger, keep, clock

    async def run(self, turn: Turn) -> None:
        """Go through the next requests. The cursor moves behind what fails.

        Raises:
            Transient: storage did not answer, several times.

        """
        if self._keep:
            now = self._clock()
            until = now - self._keep
            await self._ledger.purge_pauses(until)
            await through(self._ledger.rested, self._purge, turn, now, until)

    async def _purge(self, entry: Entry) -> bool:
        """Delete one request, or list it anew; the entry goes last."""
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
