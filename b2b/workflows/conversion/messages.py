"""The messages of requests: first the row names the newest one, then it goes on the queue."""

import logging
from datetime import timedelta

from b2b.domain.conversion.waits import Waiting, WaitReason
from b2b.domain.errors import LedgerConflict, Transient, Unsent
from b2b.domain.request.message import Resume
from b2b.domain.request.record import RequestRecord, put_off, rested
from b2b.workflows.conversion.conversions import RACES
from b2b.workflows.ports import Clock, Ledger, NewId, Queue

log = logging.getLogger(__name__)


class Messages:
    """Mints the messages of requests. The row names the newest one before it is sent; others do nothing."""

    def __init__(self, ledger: Ledger, queue: Queue, clock: Clock, new_id: NewId) -> None:
        """``new_id`` makes the tokens."""
        self._ledger, self._queue, self._clock, self._new_id = ledger, queue, clock, new_id

    async def put_off(self, record: RequestRecord, reason: WaitReason, seconds: float, detail: str) -> bool:
        """Let a request wait; False where it needs no message any more: it has ended, or another message sees to it.

        Raises:
            Unsent: it is not known that the row was written and the message sent. The message before is still the
                newest, or sends this one when the host delivers it again.

        """
        token = record.token
        for _ in range(RACES):
            now = self._clock()
            due = now + timedelta(seconds=seconds)
            change = put_off(rested(record, now), Waiting(reason, now, due), self._new_id(), now, detail)
            try:
                await self._ledger.requests.write(change)
            except LedgerConflict:
                latest = await self._ledger.requests.get(record.request_id)
                if latest is None or not latest.at_work or latest.token != token:
                    return False
                record = latest
            except Transient as error:
                raise Unsent(error.service, f"the request's row: {error}") from error
            else:
                await self._send(Resume(record.request_id, change.row.token, due), seconds)
                return True
        raise Transient("the app", "the request's row is being updated by other deliveries")

    async def send_again(self, record: RequestRecord) -> None:
        """Send the newest message of a request once more: a process died between the row and the message."""
        due = record.due_at or self._clock()
        left = max((due - self._clock()).total_seconds(), 0.0)
        await self._send(Resume(record.request_id, record.token, due), left)

    async def _send(self, resume: Resume, seconds: float) -> None:
        try:
            await self._queue.send(resume.message(), seconds)
        except Transient as error:
            raise Unsent(error.service, f"the message of request {resume.request_id}: {error}") from error

    def token(self) -> str:
        """Make a token."""
        return self._new_id()
