"""Look after requests that are not at rest: one that is long overdue lost its message, and gets another."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from b2b.domain.conversion import WORKING, Change, Event, RequestRecord
from b2b.domain.errors import LedgerConflict, Transient
from b2b.domain.readings import Due
from b2b.workflows.intake import stored_request
from b2b.workflows.ports import Clock, Ledger, Queue

log = logging.getLogger(__name__)

PER_RUN = 2_000
MOST_TROUBLE = 3
"""Requests that may fail in one run: one says little, but where all fail it is no use to go on."""
OVERDUE = timedelta(minutes=30)
"""Longer than a message can be on its way: the host's lease of ten minutes, and its retries."""


class Repaired(NamedTuple):
    """How many requests were put back, and since when the oldest waits of those that the service still works on."""

    put_back: int
    waiting_since: datetime | None


class Repair:
    """Finds requests without progress by their list, not by a scan of the table."""

    def __init__(self, ledger: Ledger, queue: Queue, clock: Clock, per_run: int = PER_RUN) -> None:
        """Use the adapters; nothing is read yet."""
        self._ledger, self._queue, self._clock, self._per_run = ledger, queue, clock, per_run

    async def run(self) -> Repaired:
        """Go through the list once, from where the last run stopped, past what cannot be helped now.

        Raises:
            Transient: storage did not answer, several times.

        """
        after = await self._ledger.open.cursor()
        listed = await self._ledger.open.read(after, self._per_run)
        put_back, trouble, waiting = 0, 0, list[datetime]()
        for entry in listed:
            try:
                record = await self._ledger.requests.get(entry.key)
                if record is None or record.stage not in WORKING:
                    await self._forget(entry)
                else:
                    waiting.append(entry.since)
                    put_back += await self._look_after(entry, record)
            except Transient as error:
                log.warning("request %s could not be looked after: %s", entry.key, error)
                trouble += 1
                if trouble == MOST_TROUBLE:
                    await self._ledger.open.move_cursor(entry.key)
                    raise
        await self._ledger.open.move_cursor(listed[-1].key if len(listed) == self._per_run else "")
        return Repaired(put_back, min(waiting, default=None))

    async def _forget(self, entry: Due) -> None:
        if self._clock() - entry.since > OVERDUE:  # a young pointer may be ahead of its row
            await self._ledger.open.remove(entry)

    async def _look_after(self, entry: Due, record: RequestRecord) -> bool:
        now = self._clock()
        if now - (record.due_at or entry.since) <= OVERDUE:
            return False
        lost = Event("requeued", now, record.stage, record.request_id, "no progress")
        try:
            await self._ledger.requests.write(Change(replace(record, due_at=now), (lost,)))
        except LedgerConflict:
            return False
        await self._queue.send(stored_request(record).message(record.request_id))
        log.warning("request %s made no progress and was put back", record.request_id)
        return True
