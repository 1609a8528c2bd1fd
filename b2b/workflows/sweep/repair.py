"""Find requests that lost their message, and give each a new one. A queue that is late is not a lost message.

A request is overdue when the time at which its message was to be seen is long past, and the messages at the head of
the queue are younger than it: then its own would have been seen.
"""

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from b2b.domain.conversion.records import Conversion
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.errors import B2BError, UnreadableRow
from b2b.domain.readings import Entry
from b2b.domain.request.line import line_of
from b2b.domain.request.message import due_of
from b2b.domain.request.record import RequestRecord
from b2b.workflows.conversion.conversions import Conversions
from b2b.workflows.conversion.messages import Messages
from b2b.workflows.ports import Clock, Ledger, Queue

log = logging.getLogger(__name__)

PER_RUN = 2_000
MOST_TROUBLE = 3
"""Stop the run after this many failed requests; a few failures are tolerated."""
OVERDUE = timedelta(minutes=30)
"""Longer than a message can be on its way: the host's lease of ten minutes, and its retries."""


class Repaired(NamedTuple):
    """What one run did."""

    put_back: int
    waiting_since: datetime | None
    """Since when the oldest request waits of those that the service works on."""
    unreadable: int
    problems: int


class Repair:
    """Goes through the list of open requests, from where the last run stopped."""

    def __init__(
        self,
        conversions: Conversions,
        messages: Messages,
        ledger: Ledger,
        queue: Queue,
        clock: Clock,
        per_run: int = PER_RUN,
    ) -> None:
        self._conversions, self._messages = conversions, messages
        self._ledger, self._queue, self._clock, self._per_run = ledger, queue, clock, per_run

    async def run(self) -> Repaired:
        """Go through the next requests. The cursor moves past what cannot be helped now.

        Raises:
            Transient: storage did not answer, several times.

        """
        entries = await self._ledger.open.read(await self._ledger.open.cursor(), self._per_run)
        head = await self._head() if entries else None
        put_back = unreadable = trouble = 0
        waiting: list[datetime] = []
        for entry in entries:
            try:
                record = await self._ledger.requests.get(entry.key)
                if record is None or not record.at_work:
                    await self._forget(entry, record)
                    continue
                waiting.append(entry.since)
                put_back += await self._look_after(record, entry, head)
            except UnreadableRow as error:
                unreadable += 1
                log.warning("request %s is passed over: %s", entry.key, error)
            except B2BError as error:
                log.warning("request %s could not be looked after: %s", entry.key, error)
                trouble += 1
                if trouble == MOST_TROUBLE:
                    await self._ledger.open.move_cursor(entry.key)
                    raise
        await self._ledger.open.move_cursor(entries[-1].key if len(entries) == self._per_run else "")
        return Repaired(put_back, min(waiting, default=None), unreadable, trouble)

    async def _head(self) -> datetime | None:
        """Return the time for which the queue's head was meant; None: nothing waits there."""
        due = [due_of(body) or inserted for body, inserted in await self._queue.head()]
        return min(due, default=None)

    async def _forget(self, entry: Entry, record: RequestRecord | None) -> None:
        """Take off a request that rests, once the lists show it. A young entry may be ahead of its row."""
        if self._clock() - entry.since > OVERDUE:
            if record is not None:
                await self._ledger.lists.show(line_of(record))
            await self._ledger.open.remove(entry)

    async def _look_after(self, record: RequestRecord, entry: Entry, head: datetime | None) -> bool:
        """Send a new message for a request that has lost its own; a member of a conversion needs none."""
        due = record.due_at or entry.since
        if self._clock() - due <= OVERDUE or (head is not None and head <= due + OVERDUE):
            return False
        conversion = await self._conversions.get(record.user_id)
        if conversion is not None and record.generation and not _leads(record, conversion):
            return await self._look_after_member(record, conversion)
        sent = await self._messages.put_off(record, WaitReason.SERVICE, 0.0, "its message was lost")
        if sent:
            log.warning("request %s lost its message and got another", record.request_id)
        return sent

    async def _look_after_member(self, record: RequestRecord, conversion: Conversion) -> bool:
        """Complete an end, or a hand-over, that was cut short: the conversion has moved on and this row has not."""
        if conversion.generation == record.generation and conversion.stage is not record.stage:
            await self._conversions.show(record, conversion)
        return False


def _leads(record: RequestRecord, conversion: Conversion) -> bool:
    return conversion.request_id == record.request_id
