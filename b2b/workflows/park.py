"""Let a request wait: back on the queue with a delay, and in its row why; or end it, if it has waited for too long."""

import logging
import zlib
from dataclasses import replace
from datetime import datetime, timedelta

from b2b.domain.conversion import ACTIVE, Change, Conversion, Event, RequestRecord, Stage, advance, advance_request
from b2b.domain.errors import AccessDenied, LedgerConflict, Transient
from b2b.settings import Settings
from b2b.workflows.intake import Taken
from b2b.workflows.invite import SHORTEST_WAIT, Inviter
from b2b.workflows.pacing import LONGEST_WAIT, Cause, Pacer, Wait
from b2b.workflows.ports import Clock, Ledger, Queue

log = logging.getLogger(__name__)

IDLE = timedelta(hours=1)
"""A request that comes back so late after its time was not tried in between: the app was stopped."""
ACCESS_WAIT = 300.0
"""A missing permission does not come back in seconds."""


class Parking:
    """Where requests wait."""

    def __init__(
        self, inviter: Inviter, pacer: Pacer, ledger: Ledger, queue: Queue, settings: Settings, clock: Clock
    ) -> None:
        """Use the other workflows and the adapters; nothing is read yet."""
        self._inviter, self._pacer = inviter, pacer
        self._ledger, self._queue, self._clock = ledger, queue, clock
        self._limit = timedelta(seconds=settings.give_up_after)

    async def hold(self, taken: Taken, error: Wait | LedgerConflict | Transient) -> None:
        """Let a request wait for as long as this asks for; end it where that has gone on for too long.

        Raises:
            Transient: the request could not be parked.

        """
        wait = await self._wait_after(error, taken.record)
        if not await self._given_up(taken.record, wait):
            await self._park(taken, wait)

    async def _wait_after(self, error: Wait | LedgerConflict | Transient, record: RequestRecord) -> Wait:
        """Say how long a request waits after this, and tell the others if Graph asked for it."""
        if isinstance(error, Wait):
            return error
        if isinstance(error, LedgerConflict):
            return Wait(SHORTEST_WAIT, "others write the same rows")
        await self._pacer.heed(error)
        least = ACCESS_WAIT if isinstance(error, AccessDenied) else 0.0
        backoff = min(SHORTEST_WAIT * 2 ** min(record.attempts, 10), LONGEST_WAIT)
        return Wait(max(error.retry_after or backoff, least), str(error))

    async def _park(self, taken: Taken, wait: Wait) -> None:
        """Put the request back, to be seen when the wait is over, and say so in its row.

        The delay is stretched by up to a quarter, by request, so that those who waited together do not come together.
        """
        request_id = taken.record.request_id
        delay = wait.delay * (1 + zlib.crc32(request_id.encode()) % 100 / 400)
        await self._queue.send(taken.request.message(request_id), delay)
        log.warning("request %s waits %.0f s: %s", request_id, delay, wait.reason)
        try:
            record = await self._ledger.requests.get(request_id)
            if record is not None:
                now = self._clock()
                waits = Event("parked", now, record.stage, request_id, f"{delay:.0f} s: {wait.reason}")
                row = replace(
                    record,
                    attempts=record.attempts + int(wait.cause is Cause.TROUBLE),
                    last_error=wait.reason,
                    due_at=now + timedelta(seconds=delay),
                    trouble_since=_trouble_since(record, wait, now),
                )
                await self._ledger.requests.write(Change(row, (waits,)))
        except (Transient, LedgerConflict) as error:
            log.warning("request %s waits without a note: %s", request_id, error)

    async def _given_up(self, record: RequestRecord, wait: Wait) -> bool:
        """End a request that has had to wait for too long; not while its invitation may be out.

        Decided only now that it has to wait again: whatever held it up may have been over by this try.
        """
        now = self._clock()
        if now - (_trouble_since(record, wait, now) or now) <= self._limit:
            return False
        try:
            await self._give_up(record, f"given up after {self._limit.total_seconds():.0f} s of trouble: {wait.reason}")
        except (Wait, LedgerConflict, Transient) as error:
            log.warning("request %s is not given up yet: %s", record.request_id, error)
            return False
        return True

    async def _give_up(self, record: RequestRecord, reason: str) -> None:
        conversion = await self._ledger.conversions.get(record.user_id) if record.user_id else None
        if conversion is not None and conversion.stage is Stage.INVITING:
            if await self._inviter.settle(conversion):  # an invitation that is out is followed, however late it is seen
                return
            change = advance(conversion, Stage.FAILED, self._clock(), reason, last_error=reason)
            await self._inviter.finish(change, record.request_id)
        elif conversion is not None and conversion.stage in ACTIVE and _belongs(record, conversion):
            await self._inviter.show(record, conversion)
        else:
            failed = advance_request(record, Stage.FAILED, self._clock(), reason, last_error=reason)
            await self._ledger.requests.write(failed)


def _belongs(record: RequestRecord, conversion: Conversion) -> bool:
    return record.generation == conversion.generation or record.request_id == conversion.request_id


def _trouble_since(record: RequestRecord, wait: Wait, now: datetime) -> datetime | None:
    """Return since when this request has had to wait without a break; None where an administrator wants it to wait."""
    if wait.cause is Cause.WANTED:
        return None
    idle = record.due_at is not None and now - record.due_at > IDLE
    return now if idle else record.trouble_since or now
