"""The lease of a running message."""

import asyncio
from datetime import timedelta

from azure.core.exceptions import HttpResponseError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

_GONE = (400, 404, 409)  # stale receipt, no such message or queue, queue being deleted


class Lease:
    """Keeps a message hidden while it runs: renewed at half of its time, given up when another receiver has it."""

    def __init__(self, queue: QueueClient, message: QueueMessage, duration: timedelta) -> None:
        self._queue = queue
        self._message = message
        self._seconds = duration.total_seconds()
        self._ended = asyncio.Event()
        self._renewal = asyncio.create_task(self._renew())

    async def end(self) -> None:
        """Stop renewing. After this the message carries the receipt of the last renewal."""
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
    """Raise the error again unless it says that the message is no longer ours, which ends our business with it."""
    if error.status_code not in _GONE:
        raise error
