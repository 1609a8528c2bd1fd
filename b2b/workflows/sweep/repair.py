"""Find requests whose message was lost, and send each a new one.

A message may also be late, because the queue is long or the app was stopped. It counts as lost only if it was due long
ago and the messages at the head of the queue were due later. The list of open requests is sorted by arrival. So its
beginning shows how long the oldest request has waited, and requests that came after the queue's head are not read.
"""

import logging
from collections import Counter
from datetime import datetime, timedelta

from b2b.domain.conversion.records import Conversion
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.errors import LedgerConflict, Transient, UnreadableRow
from b2b.domain.readings import Entry
from b2b.domain.request.message import due_of
from b2b.domain.request.record import RequestRecord
from b2b.domain.sweep import MOST_COUNTED, Census
from b2b.workflows.conversion.conversions import Conversions
from b2b.workflows.conversion.endings import Endings
from b2b.workflows.conversion.messages import Messages
from b2b.workflows.ports import Clock, Ledger, Queue
from b2b.workflows.sweep.rounds import Round
from b2b.workflows.sweep.together import each
from b2b.workflows.sweep.turn import Turn

log = logging.getLogger(__name__)

CHUNK = 25
"""Rows that are read together."""
AHEAD = 500
"""The most entries that one run reads, from the beginning of the list, to find the oldest open request."""
OVERDUE = timedelta(minutes=30)
"""Lateness from which a message may be lost. The host hides a message for ten minutes in each delivery, and may deliver
it several times."""
UNREADABLE = "unreadable-row"
"""The name under which unreadable rows are counted, next to the reasons of waits."""
Found = RequestRecord | Exception | None


class Repair:
    """Goes through the list of open requests, starting where the last run stopped."""

    def __init__(
        self,
        conversions: Conversions,
        endings: Endings,
        messages: Messages,
        ledger: Ledger,
        queue: Queue,
        give_up: timedelta,
        clock: Clock,
    ) -> None:
        """``give_up``: how long a leader's row may stay unreadable before another request takes over."""
        self._conversions, self._endings, self._messages = conversions, endings, messages
        self._ledger, self._queue, self._give_up, self._clock = ledger, queue, give_up, clock

    async def run(self, turn: Turn) -> None:
        """Repair the next requests. The cursor moves past those that fail, so that they do not block the rest.

        Raises:
            Transient: storage failed several times.

        """
        opened, now = self._ledger.open, self._clock()
        way = await Round.of(opened, now)
        turn.waiting_since = await self._oldest(turn)
        if not await opened.read(way.after, 1, now - OVERDUE):
            await way.move("")
            turn.census = _census(way.counts, now)
            return
        head = await self.head()
        until = min(head or now, now) - OVERDUE
        while room := turn.room:
            entries = await opened.read(way.after, min(CHUNK, room), until)
            found = await self._rows(entries)
            # The cursor keeps the counts, so the rows are counted before it moves. It moves before the work, so that a
            # request that ends the run, or kills the process, does not hold up those after it in the next run too.
            way.counts.update(filter(None, map(_state, found)))
            await way.move(entries[-1].place if len(entries) == min(CHUNK, room) else "")
            await self._look_after(entries, found, head, turn)
            if not way.after:
                turn.census = _census(way.counts, now)
                return
        left = await opened.read(way.after, MOST_COUNTED, until)
        turn.leaves(len(left), way.began)

    async def _oldest(self, turn: Turn) -> datetime | None:
        """Return when the oldest request that the app still works on arrived. None if this run found none."""
        after, seen = "", 0
        while seen < AHEAD and turn.within(0.5):
            entries = await self._ledger.open.read(after, CHUNK)
            found = await self._rows(entries)
            await self._forget(entries, found)
            waiting = [entry for entry, row in zip(entries, found, strict=True) if _works(row)]
            if waiting or len(entries) < CHUNK:
                return waiting[0].since if waiting else None
            after, seen = entries[-1].place, seen + len(entries)
        return None

    async def head(self) -> datetime | None:
        """Return when the oldest message at the head of the queue was due. None if the queue is empty."""
        due = [due_of(body) or inserted for body, inserted in await self._queue.head()]
        return min(due, default=None)

    async def _rows(self, entries: list[Entry]) -> list[Found]:
        return await each(self._ledger.requests.get(entry.key) for entry in entries)

    async def _look_after(self, entries: list[Entry], found: list[Found], head: datetime | None, turn: Turn) -> None:
        """Take requests that have ended off the list, and send new messages for those that lost theirs."""
        await self._forget(entries, found)
        for entry, row in zip(entries, found, strict=True):
            turn.did()  # first: a row that cannot be read uses up the budget, too
            try:
                turn.did(0, changed=await self._put_back(row, entry, head))
            except UnreadableRow as error:
                turn.passed_over()
                log.warning("request %s is passed over: %s", entry.key, error)
            except (Transient, LedgerConflict) as error:
                log.warning("request %s could not be looked after: %s", entry.key, error)
                turn.failed(error if isinstance(error, Transient) else Transient("the app", str(error)))

    async def _forget(self, entries: list[Entry], found: list[Found]) -> None:
        """Take requests that have ended, or wait for a person, off the list.

        A young entry stays, because its row may not be written yet.
        """
        old = self._clock() - OVERDUE
        rest = [(entry, row) for entry, row in zip(entries, found, strict=True) if _rests(row) and entry.since < old]
        over = [(entry, row) for entry, row in rest if await self._listed(row)]
        if over:
            now = self._clock()
            # Onto purge's list before off this one: after a crash in between, this list leads here again. In the other
            # order, a crash would leave a request on no list, and it would never be purged.
            await self._ledger.rested.add_all((entry.key, now) for entry, row in over if row is not None)
            await self._ledger.open.remove(*(entry for entry, _ in over))

    async def _listed(self, row: Found) -> bool:
        """Write a request's lines in the lists. Return False if a newer version of the app wrote them."""
        try:
            if isinstance(row, RequestRecord):
                await self._ledger.requests.show(row)
        except UnreadableRow as error:
            log.warning("%s", error)
            return False
        return True

    async def _put_back(self, row: Found, entry: Entry, head: datetime | None) -> bool:
        """Send a new message for a request whose message was lost. Return whether anything was repaired.

        A request that joined another one needs no message, because it takes over what its conversion becomes.
        """
        if isinstance(row, Exception):
            raise row
        if row is None or not row.at_work:
            return False
        due = row.due_at or entry.since
        if self._clock() - due <= OVERDUE or (head is not None and head <= due + OVERDUE):
            return False
        conversion = await self._conversions.get(row.user_id)
        if conversion is not None and row.generation and not _leads(row, conversion):
            return await self._look_after_member(row, conversion)
        sent = await self._messages.put_off(row, WaitReason.SERVICE, 0.0, "its message was lost")
        if sent:
            log.warning("request %s lost its message and got another", row.request_id)
        return sent

    async def _look_after_member(self, record: RequestRecord, conversion: Conversion) -> bool:
        """Complete what a process left undone for a request that joined another one. Return whether there was anything.

        If the conversion has moved on, bring the request up to it. If the conversion is inviting and its leader has
        ended, is gone or stays unreadable, let another request lead.
        """
        if conversion.generation != record.generation:
            return False
        if conversion.stage is record.stage:
            return conversion.stage is Stage.INVITING and await self._endings.succeed(conversion, self._give_up)
        await self._conversions.show(record, conversion)
        return True


def _works(row: Found) -> bool:
    return isinstance(row, RequestRecord) and row.at_work


def _rests(row: Found) -> bool:
    return row is None or (isinstance(row, RequestRecord) and not row.at_work)


def _state(row: Found) -> str:
    """Return why a request waits, or that its row cannot be read. Empty if neither is the case."""
    if isinstance(row, UnreadableRow):
        return UNREADABLE
    return row.waiting.reason.value if isinstance(row, RequestRecord) and row.at_work and row.waiting else ""


def _census(counts: Counter[str], now: datetime) -> Census:
    waiting = {reason: number for reason, number in counts.items() if reason != UNREADABLE}
    return Census(waiting, counts[UNREADABLE], now)


def _leads(record: RequestRecord, conversion: Conversion) -> bool:
    return conversion.request_id == record.request_id
