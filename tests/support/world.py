"""A whole rehearsal without the Functions host: the real workflows and adapters, the Graph double, Azurite."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from b2b.bootstrap import Services
from rehearsal.tenant import RunningTenant

Rows = list[dict[str, Any]]


class MovingClock:
    """Real time plus what a test has let pass."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@dataclass
class World:
    """One tenant, one storage account and the app between them."""

    tenant: RunningTenant
    storage: str
    services: Services
    clock: MovingClock
    restart: Callable[..., Awaitable[Services]]

    def rows(self, table: str, partition: str) -> Rows:
        """All rows of a partition, in order."""
        with TableServiceClient.from_connection_string(self.storage) as service:
            client = service.get_table_client(table)
            return [dict(row) for row in client.query_entities("PartitionKey eq @key", parameters={"key": partition})]

    def request(self, request_id: str) -> dict[str, Any]:
        """The state row of a request."""
        return next(row for row in self.rows("requests", request_id) if row["RowKey"] == "request")

    def conversion(self, user_id: str) -> dict[str, Any] | None:
        """The state row of an account."""
        return next((row for row in self.rows("conversions", user_id) if row["RowKey"] == "current"), None)

    def history(self, table: str, partition: str) -> list[str]:
        """The kinds of event in a row's history, in order."""
        return [row["kind"] for row in self.rows(table, partition) if row["RowKey"].startswith("history-")]

    def waiting(self, queue: str = "conversion-requests") -> list[str]:
        """The bodies of all messages that a queue holds, hidden ones too, by taking them out."""
        with QueueServiceClient.from_connection_string(self.storage) as service:
            client = service.get_queue_client(queue)
            return [message.content for message in client.peek_messages(32)]

    def posts(self) -> Rows:
        """Everything that was sent to Graph and was not a read."""
        calls = self.tenant.control.journal()
        return [call for call in calls if call["method"] != "GET" and "$batch" not in call["path"]]

    def send_to_poison(self, body: str) -> None:
        """Put a body where the host would put it."""
        with QueueServiceClient.from_connection_string(self.storage) as service:
            service.get_queue_client("conversion-requests-poison").send_message(body)

    def all_requests(self) -> Rows:
        """The state rows of all requests."""
        with TableServiceClient.from_connection_string(self.storage) as service:
            return [dict(row) for row in service.get_table_client("requests").query_entities("RowKey eq 'request'")]


MakeWorld = Callable[..., Awaitable[World]]
