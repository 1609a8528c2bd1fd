"""The queue trigger: poll a queue, lease and process its messages, retry them, and move them to the poison queue.

After QueueListener and QueueProcessor in sdk/storage of Azure/azure-sdk-for-net.
"""

import asyncio
import base64
import binascii
import re
from contextlib import suppress
from datetime import UTC, datetime

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from rehearsal.host.backoff import Backoff
from rehearsal.host.bindings import Datum, QueueItem, queue_metadata
from rehearsal.host.config import QueueOptions
from rehearsal.host.engine import Engine
from rehearsal.host.lease import Lease, ignore_if_gone
from rehearsal.host.log import host_log
from rehearsal.host.worker import Function

POISON_SUFFIX = "-poison"
_LONGEST_NAME = 63


class QueueListener:
    """Serves one function from one queue until it is stopped. It never creates the queue."""

    def __init__(
        self, engine: Engine, function: Function, queue: str, service: QueueServiceClient, options: QueueOptions
    ) -> None:
        self._engine = engine
        self._function = function
        self._options = options
        self._name = queue
        self._queue = service.get_queue_client(queue)
        self._poison = _poison_queue(service, queue)
        self._backoff = Backoff(options.max_polling_interval)
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Poll and process messages.

        Returns soon after `stop`, without waiting for messages that are being processed.
        """
        found_since_wait = False
        while not self._stopping.is_set():
            if await self._fetch():
                found_since_wait = True
                await self._wait_for_room()
            else:
                await self._pause(self._backoff.next(found=found_since_wait))
                found_since_wait = False

    def stop(self) -> None:
        """Stop polling for messages."""
        self._stopping.set()

    async def settled(self) -> None:
        """Wait until every fetched message is deleted, released or in the poison queue."""
        if self._running:
            await asyncio.wait(self._running)

    async def _fetch(self) -> bool:
        """Fetch a batch of messages and start to process them.

        Return False if there are none, or the queue is missing.
        """
        try:
            pages = self._queue.receive_messages(
                messages_per_page=self._options.batch_size, visibility_timeout=int(self._options.lease.total_seconds())
            ).by_page()
            messages = [message async for message in await anext(pages)]
        except (StopAsyncIteration, ResourceNotFoundError):
            return False
        except AzureError as error:
            host_log.warning("Cannot read queue '%s': %s", self._name, type(error).__name__)
            return False
        for message in messages:
            task = asyncio.create_task(self._process(message))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return bool(messages)

    async def _wait_for_room(self) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        while len(self._running) > self._options.new_batch_threshold and not stopping.done():
            await asyncio.wait({*self._running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    async def _process(self, message: QueueMessage) -> None:
        try:
            await self._try(message)
        except AzureError as error:
            host_log.error("Message %s of queue '%s': %s", message.id, self._name, type(error).__name__)

    async def _try(self, message: QueueMessage) -> None:
        if (message.dequeue_count or 0) > self._options.max_dequeue_count:
            await self._move_to_poison(message, "was taken more often than that and did not come to an end")
            return
        text = _decoded(message.content, self._options.message_encoding)
        if text is None:
            await self._move_to_poison(message, "is not base64")
            return
        lease = Lease(self._queue, message, self._options.lease)
        item = self._item(message, text)
        result = await self._engine.invoke(
            self._function,
            Datum(text, "string"),
            queue_metadata(item),
            reason=f"New queue message detected on '{self._name}'.",
        )
        await lease.end()
        if result.succeeded:
            await self._delete(message)
        elif self._poison is not None:
            await self._retry_or_poison(message)
        # Without a poison queue a failed message stays hidden until its lease ends, which avoids a hot loop.

    async def _retry_or_poison(self, message: QueueMessage) -> None:
        if (message.dequeue_count or 0) >= self._options.max_dequeue_count:
            await self._move_to_poison(message, "failed")
            return
        delay = int(self._options.visibility_timeout.total_seconds())
        try:
            await self._queue.update_message(message.id, message.pop_receipt, visibility_timeout=delay)
        except HttpResponseError as error:
            ignore_if_gone(error)

    async def _move_to_poison(self, message: QueueMessage, why: str) -> None:
        """Copy only the body to the poison queue, then delete the message."""
        if self._poison is None:
            return
        host_log.warning(
            "Message %s %s (dequeue count %s, maximum %s): moving it to queue '%s'.",
            message.id,
            why,
            message.dequeue_count,
            self._options.max_dequeue_count,
            self._poison.queue_name,
        )
        await _send(self._poison, message.content)
        await self._delete(message)

    async def _delete(self, message: QueueMessage) -> None:
        try:
            await self._queue.delete_message(message.id, message.pop_receipt)
        except HttpResponseError as error:
            ignore_if_gone(error)

    def _item(self, message: QueueMessage, text: str) -> QueueItem:
        now = datetime.now(UTC)
        return QueueItem(
            queue=self._name,
            text=text,
            id=message.id,
            dequeue_count=message.dequeue_count or 0,
            pop_receipt=message.pop_receipt or "",
            inserted=message.inserted_on or now,
            expires=message.expires_on or now,
            next_visible=message.next_visible_on or now,
        )


def _poison_queue(service: QueueServiceClient, queue: str) -> QueueClient | None:
    name = queue + POISON_SUFFIX
    if queue.endswith(POISON_SUFFIX) or len(name) > _LONGEST_NAME:
        return None
    return service.get_queue_client(name)


async def _send(queue: QueueClient, body: str) -> None:
    """Send a message with the service's default lifetime of seven days. Create the queue if it is missing."""
    try:
        await queue.send_message(body)
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):
            await queue.create_queue()
        await _send(queue, body)


def _decoded(content: str, encoding: str) -> str | None:
    """Return the text of a message body; None if it is not in the encoding that host.json sets."""
    if encoding == "none":
        return content
    try:
        return base64.b64decode(re.sub(r"\s", "", content), validate=True).decode(errors="replace")
    except (binascii.Error, ValueError):
        return None
