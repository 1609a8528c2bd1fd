"""A common interface to storage in memory and to Azurite, for tests that compare the two."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, cast
from uuid import uuid4

from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.data.tables.aio import TableClient, TableServiceClient
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from tests.simulation.gate import OPEN, Call, Gate
from tests.simulation.queues import Queues
from tests.simulation.tables import Tables

START = datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)
TABLES = ("conversions", "requests", "campaigns")
QUEUES = ("conversion-requests", "conversion-requests-poison")
MISSING = "missing"
OUTAGES: Mapping[str, tuple[type[Exception], int | None, str | None]] = {
    "unreachable": (ServiceRequestError, None, None),
    "reset": (ServiceResponseError, None, None),
    "busy": (HttpResponseError, 503, "ServerBusy"),
    "error": (HttpResponseError, 500, "InternalError"),
}
"""The kinds of trouble that a gate knows, with the class, status and code of what the SDKs raise."""
_PATIENCE = 15.0


class Clock:
    """The clock of storage in memory."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Storage(Protocol):
    """A storage account, in memory or in Azurite."""

    tables: TableServiceClient
    queues: QueueServiceClient

    async def new_table(self) -> TableClient:
        """Return a client of an empty table."""

    async def new_queue(self) -> QueueClient:
        """Return a client of an empty queue."""

    async def until(self, condition: Callable[[], Awaitable[object]]) -> None:
        """Let time pass until the condition holds."""


class Memory:
    """Storage in memory, with the app's tables and queues."""

    def __init__(self, gate: Gate = OPEN) -> None:
        self.clock = Clock()
        self.stored_tables, self.stored_queues = Tables(TABLES, self.clock), Queues(QUEUES, self.clock)
        self.tables = cast("TableServiceClient", self.stored_tables.client(gate))
        self.queues = cast("QueueServiceClient", self.stored_queues.client(gate))

    async def new_table(self) -> TableClient:
        return self.tables.get_table_client(TABLES[0])

    async def new_queue(self) -> QueueClient:
        return self.queues.get_queue_client(QUEUES[0])

    async def until(self, condition: Callable[[], Awaitable[object]]) -> None:
        end = self.clock.now + timedelta(seconds=_PATIENCE)
        while not await condition():
            assert self.clock.now < end, "it did not come true"
            self.clock.advance(0.25)


class Emulator:
    """Azurite, without the SDK's retries. `stack` deletes the tables and queues at its end."""

    def __init__(self, connection_string: str, stack: AsyncExitStack) -> None:
        self._stack = stack
        self.tables = TableServiceClient.from_connection_string(connection_string, retry_total=0)
        self.queues = QueueServiceClient.from_connection_string(connection_string, retry_total=0)
        for service in (self.tables, self.queues):
            stack.push_async_callback(service.close)

    async def new_table(self) -> TableClient:
        table = await self.tables.create_table(f"t{uuid4().hex}")
        self._stack.push_async_callback(table.close)
        self._stack.push_async_callback(table.delete_table)
        return table

    async def new_queue(self) -> QueueClient:
        queue = await self.queues.create_queue(f"q{uuid4().hex}")
        self._stack.push_async_callback(queue.close)
        self._stack.push_async_callback(queue.delete_queue)
        return queue

    async def until(self, condition: Callable[[], Awaitable[object]]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not await condition():
            assert time.monotonic() < deadline, "it did not come true"
            await asyncio.sleep(0.02)


@dataclass(frozen=True)
class Failed:
    """An error of an SDK, reduced to what the app can see."""

    kind: str
    status: int | None = None
    code: str | None = None
    index: int | None = None


async def tried(work: Awaitable[Any]) -> Any:
    """Return the result of a call, or its error as `Failed`."""
    try:
        return await work
    except (AzureError, AttributeError, LookupError, TypeError, ValueError) as error:
        return failed(error)


def failed(error: Exception) -> Failed:
    code = getattr(error, "error_code", None)
    return Failed(
        type(error).__name__,
        getattr(error, "status_code", None),
        None if code is None else str(getattr(code, "value", code)),
        getattr(error, "index", None),
    )


def entity(row: str = "r", partition: str = "p", **columns: Any) -> dict[str, Any]:
    return {"PartitionKey": partition, "RowKey": row, **columns}


async def found(table: TableClient, text: str, parameters: dict[str, Any] | None = None, **options: Any) -> list[str]:
    """Return the row keys that a query finds."""
    return [row["RowKey"] async for row in table.query_entities(text, parameters=parameters, **options)]


async def all_rows(table: TableClient) -> list[dict[str, Any]]:
    return [dict(row) async for row in table.list_entities()]


async def pages(table: TableClient, text: str, token: Any = None, **options: Any) -> list[tuple[list[str], Any]]:
    """Return the row keys of each page, with the continuation token that follows it."""
    paged: Any = table.query_entities(text, **options).by_page(token)
    return [([row["RowKey"] async for row in page], paged.continuation_token) async for page in paged]


async def received(queue: QueueClient, **options: Any) -> list[QueueMessage]:
    return [message async for message in queue.receive_messages(**options)]


async def contents(queue: QueueClient, **options: Any) -> list[str]:
    return [message.content for message in await received(queue, **options)]


async def count(queue: QueueClient) -> int | None:
    return (await queue.get_queue_properties()).approximate_message_count


class Recording:
    """A gate that records every call, and that lets calls of one verb fail in the given ways, one after the other."""

    def __init__(self, verb: str = "", *met_with: str) -> None:
        self.calls: list[Call] = []
        self._verb, self._met_with = verb, list(met_with)

    async def call(self, call: Call, effect: Callable[[], Any], failure: Callable[[str], BaseException]) -> Any:
        """Carry out a call. `lost` repeats it, as the SDK does if the answer is lost; `<kind> before` and `<kind>
        after` raise.
        """
        self.calls.append(call)
        met_with = self._met_with.pop(0) if call.verb == self._verb and self._met_with else ""
        kind, _, when = met_with.partition(" ")
        if when == "before":
            raise failure(kind)
        if met_with:
            effect()
        if when == "after":
            raise failure(kind)
        return effect()


def assert_takes_what_the_sdks_takes(ours: type, theirs: type, *but: str) -> None:
    """Check that two classes have the same public methods, and that each parameter of ours exists in the SDK's."""
    methods = [name for name in vars(ours) if not name.startswith("_") and name not in but]
    assert len(methods) > 1
    for name in methods:
        known = inspect.signature(getattr(theirs, name)).parameters
        for parameter in inspect.signature(getattr(ours, name)).parameters.values():
            assert parameter.name in known, name
            assert parameter.kind is known[parameter.name].kind, (name, parameter.name)
            assert parameter.default == known[parameter.name].default, (name, parameter.name)
