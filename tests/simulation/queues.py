"""Queue Storage in memory: one account, with methods for the host, the oracles and the meddlers that bypass the gate.

Delivery is at least once and in approximate order: a receive takes the messages that became visible first, and the
scheduler may `take` any visible message. A message returns when its lease ends. A caller who sends a message twice
calls `put` twice.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.simulation.gate import Gate
from tests.simulation.queue_client import MemoryQueueService
from tests.simulation.storage_errors import Refusal

SEVEN_DAYS = 7 * 86_400
NEVER = -1
MAX_BYTES = 65_536
_NEVER_EXPIRES = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message in a queue."""

    id: str
    content: str
    inserted_on: datetime
    """In whole seconds, as clients see it."""
    expires_at: datetime
    visible_at: datetime
    dequeue_count: int
    pop_receipt: str
    turn: int
    """The number of the message's last change. Messages that become visible at the same time do so in this order."""


class Queues:
    """The queues of one storage account, and the state that all their clients share."""

    def __init__(self, names: Iterable[str], now: Callable[[], datetime]) -> None:
        """Make empty queues; `now` is the server's clock."""
        self._queues: dict[str, dict[str, StoredMessage]] = {name: {} for name in names}
        self._now = now
        self._messages = self._turns = 0
        self.stale_receipt_is_missing = False
        """Whether a stale receipt is answered as a missing message, as Azure sometimes does, instead of as a
        mismatch."""

    def client(self, gate: Gate) -> MemoryQueueService:
        """Return a service client that replaces the SDK's `QueueServiceClient`."""
        return MemoryQueueService(self, gate)

    def create_queue(self, name: str) -> None:
        """Make a queue if it does not exist."""
        self._queues.setdefault(name, {})

    def delete_queue(self, name: str) -> None:
        """Remove a queue with its messages."""
        self._queues.pop(name, None)

    # Methods for the host, the oracles and the meddlers: they pass no gate.

    def stored(self, name: str) -> list[StoredMessage]:
        """Return all messages of a queue, including hidden ones, in the order in which they become visible."""
        return sorted(self.live(name).values(), key=_visibility)

    def visible(self, name: str) -> list[StoredMessage]:
        """Return the messages that could be received now, in order."""
        messages = self.live(name)
        if not messages:
            return []
        now = self._now()
        return sorted((each for each in messages.values() if each.visible_at <= now), key=_visibility)

    def next_change(self, name: str) -> datetime | None:
        """Return when the next hidden message becomes visible; None if no message is hidden."""
        now = self._now()
        return min((each.visible_at for each in self.live(name).values() if each.visible_at > now), default=None)

    def put(self, name: str, content: str, delay: float = 0, *, time_to_live: float = SEVEN_DAYS) -> StoredMessage:
        """Add a message, as a caller does; `delay` and `time_to_live` are seconds."""
        return self.add(name, content, delay, time_to_live)

    def put_all(self, name: str, contents: Iterable[str]) -> None:
        """Add many messages that never expire."""
        messages = self.live(name)
        for content in contents:
            self._added(messages, content, 0, NEVER)

    def take(self, name: str, message_id: str, lease: float) -> StoredMessage:
        """Receive one visible message: it is hidden for `lease` seconds, and gets a new receipt.

        Raises:
            LookupError: the message is not visible.
        """
        message = self.live(name).get(message_id)
        now = self._now()
        if message is None or message.visible_at > now:
            raise LookupError(f"message {message_id} is not visible in {name}")
        return self._leased(name, message, now + timedelta(seconds=lease))

    def release(self, name: str, message_id: str, receipt: str, delay: float) -> StoredMessage | None:
        """Make a message visible after `delay` seconds, under a new receipt; return None if `receipt` is stale."""
        message = self._held(name, message_id, receipt)
        return message and self._changed(name, message, visible_at=self._now() + timedelta(seconds=delay))

    def lapse(self, name: str, message_id: str, receipt: str, after: float) -> None:
        """Let a lease end after some seconds. The receipt stays valid until the message is received again."""
        message = self._held(name, message_id, receipt)
        if message is not None:
            visible_at = self._now() + timedelta(seconds=after)
            self._queues[name][message_id] = replace(message, visible_at=visible_at)

    def done(self, name: str, message_id: str, receipt: str) -> bool:
        """Delete a message; return False if it is gone or the receipt is stale."""
        message = self._held(name, message_id, receipt)
        if message is not None:
            self.drop(name, message_id)
        return message is not None

    def drop(self, name: str, message_id: str) -> None:
        """Remove a message, even if it is being processed."""
        self._queues[name].pop(message_id, None)

    # What the clients' requests do.

    def live(self, name: str) -> dict[str, StoredMessage]:
        """Return the messages of a queue that have not expired.

        Raises:
            Refusal: the queue does not exist.
        """
        try:
            messages = self._queues[name]
        except KeyError:
            raise Refusal(404, "QueueNotFound", "The specified queue does not exist.") from None
        if not messages:
            return messages
        now = self._now()
        if any(each.expires_at <= now for each in messages.values()):
            messages = self._queues[name] = {key: each for key, each in messages.items() if each.expires_at > now}
        return messages

    def add(self, name: str, content: str, delay: float, time_to_live: float) -> StoredMessage:
        """Carry out a send."""
        messages = self.live(name)
        refuse_content(content)
        return self._added(messages, content, delay, time_to_live)

    def _added(
        self, messages: dict[str, StoredMessage], content: str, delay: float, time_to_live: float
    ) -> StoredMessage:
        now = self._now()
        self._messages += 1
        message = StoredMessage(
            id=f"00000000-0000-4000-8000-{self._messages:012d}",
            content=content,
            inserted_on=now.replace(microsecond=0),
            expires_at=_NEVER_EXPIRES if time_to_live == NEVER else now + timedelta(seconds=time_to_live),
            visible_at=now + timedelta(seconds=delay),
            dequeue_count=0,
            **self._turn(),
        )
        messages[message.id] = message
        return message

    def receive(self, name: str, number: int, lease: float) -> list[StoredMessage]:
        """Carry out a receive."""
        ahead = self.visible(name)[:number]
        until = self._now() + timedelta(seconds=lease)
        return [self._leased(name, message, until) for message in ahead]

    def update(self, name: str, message_id: str, receipt: str, content: str | None, visible_in: float) -> StoredMessage:
        """Carry out an update; if `content` is None, the message keeps its content."""
        message = self._owned(name, message_id, receipt)
        if content is not None:
            refuse_content(content)
            message = replace(message, content=content)
        return self._changed(name, message, visible_at=self._now() + timedelta(seconds=visible_in))

    def delete(self, name: str, message_id: str, receipt: str) -> None:
        """Carry out a delete."""
        self._owned(name, message_id, receipt)
        self.drop(name, message_id)

    def clear(self, name: str) -> None:
        """Carry out the deletion of all messages."""
        self.live(name).clear()

    def _held(self, name: str, message_id: str, receipt: str) -> StoredMessage | None:
        message = self.live(name).get(message_id)
        return message if message is not None and message.pop_receipt == receipt else None

    def _owned(self, name: str, message_id: str, receipt: str) -> StoredMessage:
        message = self.live(name).get(message_id)
        stale = message is not None and message.pop_receipt != receipt
        if message is None or (stale and self.stale_receipt_is_missing):
            raise Refusal(404, "MessageNotFound", "The specified message does not exist.")
        if stale:
            text = "The specified pop receipt did not match the pop receipt for a dequeued message."
            raise Refusal(400, "PopReceiptMismatch", text)
        return message

    def _leased(self, name: str, message: StoredMessage, until: datetime) -> StoredMessage:
        message = replace(message, dequeue_count=message.dequeue_count + 1)
        return self._changed(name, message, visible_at=until)

    def _changed(self, name: str, message: StoredMessage, visible_at: datetime) -> StoredMessage:
        message = replace(message, visible_at=visible_at, **self._turn())
        self._queues[name][message.id] = message
        return message

    def _turn(self) -> dict[str, Any]:
        self._turns += 1
        return {"pop_receipt": f"receipt-{self._turns}", "turn": self._turns}


def refuse_content(content: str) -> None:
    """Check a message against the limits of storage.

    Raises:
        Refusal: characters that XML cannot carry, or more than 64 KiB of UTF-8.
    """
    if _NOT_IN_XML.search(content):
        raise Refusal(400, "InvalidXmlDocument", "XML specified is not syntactically valid.")
    if len(content.encode()) > MAX_BYTES:
        raise Refusal(
            413, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit."
        )


def _visibility(message: StoredMessage) -> tuple[datetime, int]:
    return message.visible_at, message.turn
