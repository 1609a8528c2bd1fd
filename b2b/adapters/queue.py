"""The work queue and its poison queue. Messages are sent raw, because host.json sets `messageEncoding` to `none`."""

import math
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from b2b.domain.errors import Transient
from b2b.domain.figures import Backlog
from b2b.domain.readings import Poisoned, PoisonMessage

REQUESTS = "conversion-requests"
POISON = "conversion-requests-poison"
"""The queue for messages that keep failing. The Functions host makes its name by appending `-poison`."""
STORAGE = "queue storage"
_PAGE = 32
"""The most messages that storage returns in one call."""
_NEVER = -1
"""Messages never expire, because requests must still be there after the app was stopped. Storage's default is seven
days."""
CLIENT_OPTIONS: dict[str, Any] = {
    "retry_total": 2,
    "initial_backoff": 1,
    "increment_base": 1,
    "random_jitter_range": 1,
    "connection_timeout": 5,
    "read_timeout": 15,
}
"""By default the SDK waits 15 seconds, inside the function, before its first retry. A shorter wait is enough, because
the host delivers a failed message again."""
MAX_DELAY = 7 * 86_400 - 1
"""Longest visibility delay that storage accepts, in seconds."""


class Queue:
    """The request queue and its poison queue."""

    def __init__(self, service: QueueServiceClient) -> None:
        """Use a service client. Nothing is sent."""
        self._service = service
        self._requests = service.get_queue_client(REQUESTS)
        self._poison = service.get_queue_client(POISON)

    @classmethod
    def from_connection_string(cls, connection_string: str, **options: Any) -> "Queue":
        """Connect with a connection string: to Azurite, or to an account that still allows keys."""
        return cls(QueueServiceClient.from_connection_string(connection_string, **CLIENT_OPTIONS, **options))

    @classmethod
    def from_identity(cls, account_url: str, credential: AsyncTokenCredential, **options: Any) -> "Queue":
        """Connect with the managed identity."""
        return cls(QueueServiceClient(account_url, credential=credential, **CLIENT_OPTIONS, **options))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._requests.close()
        await self._poison.close()
        await self._service.close()

    async def send(self, body: bytes, delay: float = 0) -> None:
        """Put a message on the work queue. The message is visible after ``delay`` seconds, rounded up to whole seconds.

        Raises:
            Transient: storage refused the message or did not answer. Try again later.

        """
        try:
            await self._requests.send_message(
                body.decode(), visibility_timeout=math.ceil(min(max(delay, 0), MAX_DELAY)), time_to_live=_NEVER
            )
        except AzureError as error:
            raise _transient(error) from error

    async def head(self) -> list[tuple[bytes, datetime]]:
        """Return body and insertion time of each message at the head of the work queue, without receiving them."""
        try:
            ahead = await self._requests.peek_messages(max_messages=_PAGE)
        except AzureError as error:
            raise _transient(error) from error
        return [(message.content.encode(), message.inserted_on) for message in ahead if message.inserted_on]

    async def poison(self, hidden_for: float, limit: int) -> AsyncIterator[PoisonMessage]:
        """Receive up to ``limit`` messages of the poison queue, and hide each for ``hidden_for`` seconds.

        Bodies are not decoded, because a decode policy would let one bad body hide a whole page.
        """
        try:
            pages = self._poison.receive_messages(
                messages_per_page=min(_PAGE, limit), visibility_timeout=int(hidden_for), max_messages=limit
            )
            async for message in pages:
                yield PoisonMessage(message.id, message.content.encode(), message.pop_receipt or "")
        except ResourceNotFoundError:
            return  # the host creates the poison queue when it first needs it
        except AzureError as error:
            raise _transient(error) from error

    async def poisoned(self) -> Poisoned:
        """Return how many messages the poison queue holds, and when the first visible one was inserted."""
        try:
            depth = (await self._poison.get_queue_properties()).approximate_message_count or 0
            ahead = await self._poison.peek_messages(max_messages=1) if depth else []
        except ResourceNotFoundError:
            return Poisoned(0, None)
        except AzureError as error:
            raise _transient(error) from error
        return Poisoned(depth, min((each.inserted_on for each in ahead if each.inserted_on), default=None))

    async def remove_poison(self, message: PoisonMessage) -> None:
        """Delete a poison message. Do nothing if it is gone, or if another sweep has received it meanwhile."""
        try:
            await self._poison.delete_message(message.message_id, message.receipt)
        except ResourceNotFoundError:
            return
        except HttpResponseError as error:
            if getattr(error, "error_code", None) != "PopReceiptMismatch":
                raise _transient(error) from error
        except AzureError as error:
            raise _transient(error) from error

    async def check(self) -> None:
        """Check that both queues exist and answer.

        Raises:
            Transient: a queue is missing or does not answer. The error names a missing queue.

        """
        for client in (self._requests, self._poison):
            await _depth(client)

    async def backlog(self) -> Backlog:
        """Return the depth of both queues, and when the oldest message at the head of the work queue was inserted.

        A request that was put off has a new message, so its age starts again.

        Raises:
            Transient: a queue is missing or does not answer.

        """
        depth = {REQUESTS: await _depth(self._requests), POISON: await _depth(self._poison)}
        return Backlog(depth, min((inserted for _, inserted in await self.head()), default=None))


async def _depth(client: QueueClient) -> int:
    try:
        return (await client.get_queue_properties()).approximate_message_count or 0
    except ResourceNotFoundError as error:
        raise Transient(STORAGE, f"the queue {client.queue_name} does not exist") from error
    except AzureError as error:
        raise _transient(error) from error


def _transient(error: AzureError) -> Transient:
    status = getattr(error, "status_code", None)
    return Transient(STORAGE, f"answered {status}" if status else f"not reached: {type(error).__name__}")
