"""Keep the lease of a message while it is processed."""

import asyncio
from datetime import timedelta

from azure.core.exceptions import HttpResponseError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

_GONE = (400, 404, 409)  # stale receipt, no such message or queue, queue being deleted


class Lease:
    """Keeps a message hidden while it is processed. The lease is renewed after half of its time, and given up if
    another receiver has the message.
    """

    def __init__(self, queue: QueueClient, message: QueueMessage, duration: timedelta) -> None:
        self._queue = queue
        self._message = message
        self._seconds = duration.total_seconds()
        self._ended = asyncio.Event()
        self._renewal = asyncio.create_task(self._renew())

    async def end(self) -> None:
        """Stop renewing. The message then has the pop receipt of the last renewal."""
        self._ended.set()
        await self._renewal

    async def _renew(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._ended.wait(), self._seconds / 2)
            except TimeoutError:
                if not await self._renewed():
                    return
            else:
                return

    async def _renewed(self) -> bool:
        try:
            renewed = await self._queue.update_message(
                self._message.id, self._message.pop_receipt, visibility_timeout=int(self._seconds)
            )
        except HttpResponseError as error:
            ignore_if_gone(error)
            return False
        self._message.pop_receipt = renewed.pop_receipt
        return True


def ignore_if_gone(error: HttpResponseError) -> None:
    """Raise the error, unless it means that this receiver no longer holds the message and has nothing more to do."""
    if error.status_code not in _GONE:
        raise error
