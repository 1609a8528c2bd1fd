"""Send the messages of requests. The row names its newest message first, then the message goes on the queue."""

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
    """Sends the messages of requests. Only the message with the newest token of the row does anything."""

    def __init__(self, ledger: Ledger, queue: Queue, clock: Clock, new_id: NewId) -> None:
        """``new_id`` makes the tokens."""
        self._ledger, self._queue, self._clock, self._new_id = ledger, queue, clock, new_id

    async def put_off(self, record: RequestRecord, reason: WaitReason, seconds: float, detail: str) -> bool:
        """Let a request wait for ``seconds``, and send the message that continues it.

        Return False if the request needs no message, because it has ended or another message continues it.

        Raises:
            Unsent: the row may not have been written, or its message not sent. Let the host redeliver the message being
                handled. If the row was not written, that message is still the newest; if the row was written, the
                redelivery sends the missing message.
            Transient: other deliveries keep writing the row, and this call wrote nothing. Let the host redeliver the
                message.

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
        """Send the newest message of a request again, because a process may have died between the row and the message.

        Raises:
            Unsent: the message may not have been sent. Let the host redeliver the message being handled.

        """
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
