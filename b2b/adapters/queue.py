"""The queues of work and of poison, over azure-storage-queue. Messages go out raw (host.json: messageEncoding none)."""

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
"""The Functions host appends `-poison` to the name of the queue that it could not serve."""
STORAGE = "queue storage"
_PAGE = 32
"""Most messages that one receive gives."""
_NEVER = -1
"""A request must not expire while the app is stopped: the default would be seven days."""
CLIENT_OPTIONS: dict[str, Any] = {
    "retry_total": 2,
    "initial_backoff": 1,
    "increment_base": 1,
    "random_jitter_range": 1,
    "connection_timeout": 5,
    "read_timeout": 15,
}
"""The SDK's own first repeat would come after 15 seconds, inside the function; a failed message comes back anyway."""
MAX_DELAY = 7 * 86_400 - 1
"""Longest visibility delay that storage takes, in seconds."""


class Queue:
    """The request queue and its poison queue."""

    def __init__(self, service: QueueServiceClient) -> None:
        """Use a service client; nothing is sent."""
        self._service = service
        self._requests = service.get_queue_client(REQUESTS)
        self._poison = service.get_queue_client(POISON)

    @classmethod
    def from_connection_string(cls, connection_string: str, **options: Any) -> "Queue":
        """Open with a connection string: Azurite, or an account that still allows keys."""
        return cls(QueueServiceClient.from_connection_string(connection_string, **CLIENT_OPTIONS, **options))

    @classmethod
    def from_identity(cls, account_url: str, credential: AsyncTokenCredential, **options: Any) -> "Queue":
        """Open with the managed identity."""
        return cls(QueueServiceClient(account_url, credential=credential, **CLIENT_OPTIONS, **options))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._requests.close()
        await self._poison.close()
        await self._service.close()

    async def send(self, body: bytes, delay: float = 0) -> None:
        """Put a request on the queue, visible after ``delay`` seconds, rounded up: storage knows whole ones.

        Raises:
            Transient: the queue did not take it.

        """
        try:
            await self._requests.send_message(
                body.decode(), visibility_timeout=math.ceil(min(max(delay, 0), MAX_DELAY)), time_to_live=_NEVER
            )
        except AzureError as error:
            raise _transient(error) from error

    async def head(self) -> list[tuple[bytes, datetime]]:
        """Return bodies and insertion times of the messages at the head of the work queue, without taking them."""
        try:
            ahead = await self._requests.peek_messages(max_messages=_PAGE)
        except AzureError as error:
            raise _transient(error) from error
        return [(message.content.encode(), message.inserted_on) for message in ahead if message.inserted_on]

    async def poison(self, hidden_for: float, limit: int) -> AsyncIterator[PoisonMessage]:
        """Give up to ``limit`` messages that are visible in the poison queue, and hide each for so many seconds.

        Bodies are given as they are: a decode policy would let one bad body hide a whole page.
        """
        try:
            pages = self._poison.receive_messages(
                messages_per_page=min(_PAGE, limit), visibility_timeout=int(hidden_for), max_messages=limit
            )
            async for message in pages:
                yield PoisonMessage(message.id, message.content.encode(), message.pop_receipt or "")
        except ResourceNotFoundError:
            return  # the host makes the poison queue when it first needs it
        except AzureError as error:
            raise _transient(error) from error

    async def poisoned(self) -> Poisoned:
        """Tell what lies in the poison queue."""
        try:
            depth = (await self._poison.get_queue_properties()).approximate_message_count or 0
            ahead = await self._poison.peek_messages(max_messages=1) if depth else []
        except ResourceNotFoundError:
            return Poisoned(0, None)
        except AzureError as error:
            raise _transient(error) from error
        return Poisoned(depth, min((each.inserted_on for each in ahead if each.inserted_on), default=None))

    async def remove_poison(self, message: PoisonMessage) -> None:
        """Delete a poison message. If it is gone already, or another sweep has taken it meanwhile, do nothing."""
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
        """Ask for both queues.

        Raises:
            Transient: names the queue that is missing or does not answer.

        """
        for client in (self._requests, self._poison):
            await _depth(client)

    async def backlog(self) -> Backlog:
        """Count what waits, and find the oldest of the requests at the queue's head. One that was parked is new again.

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
