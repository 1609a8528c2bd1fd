"""Clients in memory that replace the SDK's queue clients.

What the SDK checks before sending is checked before the gate; what storage checks is part of the effect. A gate may
carry out an effect twice, because the SDK repeats a request whose answer was lost.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

from azure.core.async_paging import AsyncItemPaged, AsyncPageIterator
from azure.storage.queue import QueueMessage, QueueProperties

from tests.simulation.gate import Call, Gate
from tests.simulation.storage_errors import Refusal, carried_out, failures, queue_error

if TYPE_CHECKING:
    from tests.simulation.queues import Queues, StoredMessage

T = TypeVar("T")

MAX_PAGE = 32
MAX_DELAY = 7 * 86_400
DEFAULT_LEASE = 30
_OUTAGE = failures(queue_error)
_CHANGING = frozenset({"send", "receive", "update", "delete"})


class MemoryQueueService:
    """Replaces `azure.storage.queue.aio.QueueServiceClient`."""

    def __init__(self, queues: "Queues", gate: Gate) -> None:
        self._queues, self._gate = queues, gate

    def get_queue_client(self, queue: str) -> "MemoryQueueClient":
        """Return a client of a queue, which need not exist."""
        return MemoryQueueClient(self._queues, self._gate, queue)

    async def close(self) -> None:
        """Close nothing."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class MemoryQueueClient:
    """Replaces `azure.storage.queue.aio.QueueClient`."""

    def __init__(self, queues: "Queues", gate: Gate, queue_name: str) -> None:
        self._queues, self._gate, self.queue_name = queues, gate, queue_name

    async def close(self) -> None:
        """Close nothing."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def send_message(
        self, content: object, *, visibility_timeout: int | None = None, time_to_live: int | None = None
    ) -> QueueMessage:
        """Put a message on the queue."""
        queues, name, text = self._queues, self.queue_name, _text(content)

        def send() -> "StoredMessage":
            delay, life = _delay(visibility_timeout or 0), _life(time_to_live, visibility_timeout or 0)
            return queues.add(name, _body(text), delay, life)

        stored = await self._send("send", send)
        return _shown(stored, content=content, dequeue_count=None)

    async def receive_message(self, *, visibility_timeout: int | None = None) -> QueueMessage | None:
        """Receive one message; return None if none is visible."""
        return next(iter(await self._receive(1, visibility_timeout)), None)

    def receive_messages(
        self,
        *,
        messages_per_page: int | None = None,
        visibility_timeout: int | None = None,
        max_messages: int | None = None,
    ) -> AsyncItemPaged[QueueMessage]:
        """Receive messages page by page until none is visible."""
        if max_messages is not None and messages_per_page is not None and max_messages < messages_per_page:
            raise ValueError("max_messages must be greater or equal to messages_per_page")

        def pages(continuation_token: str | None = None) -> "_Pages":
            per_page = 1 if messages_per_page is None else messages_per_page
            return _Pages(
                lambda number: self._receive(number, visibility_timeout), per_page, max_messages, continuation_token
            )

        return AsyncItemPaged(page_iterator_class=pages)

    async def update_message(
        self,
        message: str | QueueMessage,
        pop_receipt: str | None = None,
        content: object | None = None,
        *,
        visibility_timeout: int | None = None,
    ) -> QueueMessage:
        """Change when a message becomes visible, and its content."""
        given = message if isinstance(message, QueueMessage) else QueueMessage(content=None, id=message)
        receipt = _receipt(given, pop_receipt)
        if isinstance(message, QueueMessage):
            content = content or message.content
        text = None if content is None else _text(content)
        queues, name = self._queues, self.queue_name

        def update() -> "StoredMessage":
            visible_in = _delay(visibility_timeout or 0)
            return queues.update(name, given.id, receipt, text, visible_in)

        stored = await self._send("update", update)
        return QueueMessage(
            content=content,
            id=given.id,
            inserted_on=given.inserted_on,
            dequeue_count=given.dequeue_count,
            expires_on=given.expires_on,
            pop_receipt=stored.pop_receipt,
            next_visible_on=_seconds(stored.visible_at),
        )

    async def delete_message(self, message: str | QueueMessage, pop_receipt: str | None = None) -> None:
        """Delete a message."""
        given = message if isinstance(message, QueueMessage) else QueueMessage(content=None, id=message)
        receipt = _receipt(given, pop_receipt)
        queues, name = self._queues, self.queue_name
        await self._send("delete", lambda: queues.delete(name, given.id, receipt))

    async def peek_messages(self, max_messages: int | None = None) -> list[QueueMessage]:
        """Return visible messages without receiving them."""
        if max_messages and not 1 <= max_messages <= MAX_PAGE:
            raise ValueError("Number of messages to peek should be between 1 and 32")
        number = 1 if max_messages is None else max_messages
        queues, name = self._queues, self.queue_name

        def peek() -> "list[StoredMessage]":
            _refuse_number(number)
            return queues.visible(name)[:number]

        return [_shown(stored, pop_receipt=None, next_visible_on=None) for stored in await self._send("peek", peek)]

    async def clear_messages(self) -> None:
        """Delete all messages."""
        queues, name = self._queues, self.queue_name
        await self._send("delete", lambda: queues.clear(name))

    async def get_queue_properties(self) -> QueueProperties:
        """Count the messages, including hidden ones."""
        queues, name = self._queues, self.queue_name
        properties = QueueProperties(metadata={})
        properties.approximate_message_count = await self._send("peek", lambda: len(queues.live(name)))
        properties.name = name
        return properties

    async def _receive(self, number: int, visibility_timeout: int | None) -> list[QueueMessage]:
        lease = DEFAULT_LEASE if visibility_timeout is None else visibility_timeout
        queues, name = self._queues, self.queue_name

        def receive() -> "list[StoredMessage]":
            _refuse_number(number)
            if lease < 1:
                raise _out_of_range()
            return queues.receive(name, number, _delay(lease))

        return [_shown(stored) for stored in await self._send("receive", receive)]

    async def _send(self, verb: str, effect: Callable[[], T]) -> T:
        call = Call("queue", verb, self.queue_name, verb in _CHANGING)
        return await self._gate.call(call, carried_out(effect, queue_error), _OUTAGE)


class _Pages(AsyncPageIterator[QueueMessage]):
    """Pages of messages; an empty page ends them. Like the SDK's, they accept no continuation token."""

    def __init__(
        self, receive: Callable[[int], Any], per_page: int, most: int | None, continuation_token: str | None
    ) -> None:
        if continuation_token is not None:
            raise ValueError("This operation does not support continuation token")
        self._receive, self._per_page, self._left = receive, per_page, most
        super().__init__(self._next, self._extract)

    async def _next(self, _token: str | None) -> list[QueueMessage]:
        if self._left is None:
            number = self._per_page
        elif self._left < 1:
            raise StopAsyncIteration
        else:
            number = min(self._per_page, self._left)
        found: list[QueueMessage] = await self._receive(number)
        return found

    async def _extract(self, page: list[QueueMessage]) -> tuple[str, Any]:
        if not page:
            raise StopAsyncIteration
        if self._left is not None:
            self._left -= len(page)
        return "TOKEN_IGNORED", page


def _text(content: object) -> str | None:
    """Return the text that the SDK would send."""
    if isinstance(content, bytes) and content:
        raise TypeError("Message content must not be bytes. Use the BinaryBase64EncodePolicy to send bytes.")
    return None if content is None else str(content)


def _body(text: str | None) -> str:
    if text is None:
        raise Refusal(400, "InvalidXmlDocument", "XML specified is not syntactically valid.")
    return text


def _receipt(message: QueueMessage, given: str | None) -> str:
    receipt = given or message.pop_receipt
    if receipt is None:
        raise ValueError("pop_receipt must be present")
    return receipt


def _shown(stored: "StoredMessage", **otherwise: Any) -> QueueMessage:
    columns = {
        "content": stored.content,
        "id": stored.id,
        "inserted_on": stored.inserted_on,
        "expires_on": _seconds(stored.expires_at),
        "dequeue_count": stored.dequeue_count,
        "pop_receipt": stored.pop_receipt,
        "next_visible_on": _seconds(stored.visible_at),
    }
    return QueueMessage(**{**columns, **otherwise})


def _seconds(moment: datetime) -> datetime:
    """Return a time in whole seconds, as storage sends it."""
    return moment.replace(microsecond=0)


def _delay(seconds: float) -> float:
    if not 0 <= seconds <= MAX_DELAY:
        raise _out_of_range()
    if seconds != int(seconds):
        raise _invalid()
    return seconds


def _life(seconds: int | None, delay: int) -> float:
    if seconds is None:
        return MAX_DELAY
    if seconds < -1 or seconds == 0 or (seconds > 0 and delay >= seconds):
        raise _invalid()
    return seconds


def _refuse_number(number: int) -> None:
    if not 1 <= number <= MAX_PAGE:
        raise _out_of_range()


def _out_of_range() -> Refusal:
    text = "One of the query parameters specified in the request URI is outside the permissible range."
    return Refusal(400, "OutOfRangeQueryParameterValue", text)


def _invalid() -> Refusal:
    text = "Value for one of the query parameters specified in the request URI is invalid."
    return Refusal(400, "InvalidQueryParameterValue", text)
