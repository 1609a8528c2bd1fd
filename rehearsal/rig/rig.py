"""Observe an app through its tenant and its storage account."""

import json
from collections.abc import Mapping
from contextlib import ExitStack, closing
from types import TracebackType
from typing import Any, Self

from azure.data.tables import TableClient, TableServiceClient
from azure.storage.queue import LinearRetry, QueueClient, QueueServiceClient

from rehearsal.storage import QUEUES
from rehearsal.tenant import RunningTenant

REQUESTS, POISON = QUEUES
Row = Mapping[str, Any]
Rows = list[dict[str, Any]]


class Rig:
    """Sends messages to an app, and reads its queues, its tables and its Graph calls.

    It is a context manager that closes its connections to storage at the end.
    """

    def __init__(self, tenant: RunningTenant, storage: str) -> None:
        self.tenant = tenant
        self.storage = storage
        """The connection string of queues and tables."""
        self._connections = ExitStack()
        self._queues: dict[str, QueueClient] = {}
        self._tables: dict[str, TableClient] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connections.close()

    def queue(self, name: str = REQUESTS) -> QueueClient:
        """Return the client of a queue."""
        if name not in self._queues:
            # By default the SDK waits 15 s before it retries a call.
            again = LinearRetry(backoff=1, retry_total=5, random_jitter_range=0)
            service = self._connections.enter_context(
                QueueServiceClient.from_connection_string(self.storage, retry_policy=again)
            )
            self._queues[name] = self._connections.enter_context(closing(service.get_queue_client(name)))
        return self._queues[name]

    def table(self, name: str) -> TableClient:
        """Return the client of a table."""
        if name not in self._tables:
            service = self._connections.enter_context(TableServiceClient.from_connection_string(self.storage))
            self._tables[name] = self._connections.enter_context(service.get_table_client(name))
        return self._tables[name]

    def send(self, body: str | Mapping[str, Any], queue: str = REQUESTS) -> str:
        """Put a message on a queue and return the message's id. A text is sent unchanged, a mapping as JSON."""
        text = body if isinstance(body, str) else json.dumps(body)
        return str(self.queue(queue).send_message(text).id)

    def waiting(self, queue: str = REQUESTS) -> int:
        """Return how many messages a queue holds, hidden ones included."""
        return self.queue(queue).get_queue_properties().approximate_message_count or 0

    def lose_messages(self, queue: str = REQUESTS) -> None:
        """Delete every message of a queue."""
        self.queue(queue).clear_messages()

    def query(self, table: str, condition: str = "", **parameters: str) -> Rows:
        """Return the rows of a table that match an OData filter; empty: all rows."""
        return [dict(row) for row in self.table(table).query_entities(condition, parameters=parameters)]

    def rows(self, table: str, partition: str) -> Rows:
        """Return all rows of a partition, in order."""
        return self.query(table, "PartitionKey eq @key", key=partition)

    def request_row(self, request_id: str) -> dict[str, Any] | None:
        """Return the state row of a request, or None."""
        return next((row for row in self.rows("requests", request_id) if row["RowKey"] == "request"), None)

    def posts(self) -> Rows:
        """Return the Graph calls other than reads. Parts of a batch count as calls; the batch itself does not."""
        calls = self.tenant.control.journal()
        return [call for call in calls if call["method"] != "GET" and not call["path"].endswith("/$batch")]
