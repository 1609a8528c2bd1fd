"""Table Storage beneath the ledger: state rows with their history, lists, and the SDK's errors turned into ours."""

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import islice
from typing import Any, Generic, TypeVar
from uuid import uuid4

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables.aio import TableClient

from b2b.adapters import entities
from b2b.domain.campaign.records import Campaign
from b2b.domain.conversion.records import Change, Conversion, Event
from b2b.domain.errors import LedgerConflict, Transient
from b2b.domain.pacing import Pace
from b2b.domain.request.record import RequestRecord

log = logging.getLogger(__name__)

NOT_FOUND = 404
TRANSACTION = 100
"""Most rows of one transaction."""
TRANSACTION_BYTES = 900_000
"""Most bytes of one transaction. Storage takes 4 MiB, but a body of more than 1 MiB keeps the event loop waiting."""
_PART_BYTES = 1_000
"""What a transaction needs for a row beside its columns: method, address and headers."""
_TYPED_BYTES = 80
"""What a column needs at most whose value is no text and no bytes, with the name of its type."""
STORAGE = "table storage"
_CONFLICTS = frozenset({409, 412})
_WRITE_ID = "writeId"
_WHOLE = {"mode": UpdateMode.REPLACE}

Row = TypeVar("Row", Conversion, RequestRecord, Pace, Campaign)
Observer = Callable[[Change[Any]], None]
"""Gets each change after storage has taken it. It cannot undo the change, and the writer waits for it."""


def unobserved(_change: Change[Any]) -> None:
    """Ignore a change."""


class Rows(Generic[Row]):
    """State rows of one kind, one to a partition, each with its history."""

    def __init__(
        self,
        table: TableClient,
        row_key: str,
        key: Callable[[Row], str],
        read: Callable[[Mapping[str, Any]], Row],
        observer: Observer = unobserved,
    ) -> None:
        """Use a table whose state rows have ``row_key``; ``key`` gives a record's partition, ``read`` a record."""
        self._table, self._row_key, self._observer = table, row_key, observer
        self._key: Callable[[Row], str] = key
        self._read: Callable[[Mapping[str, Any]], Row] = read

    async def get(self, key: str) -> Row | None:
        """Return the record, or None."""
        entity = await fetch(self._table, key, self._row_key)
        return None if entity is None else self._read(entity)

    async def write(self, change: Change[Row], *beside: Mapping[str, Any]) -> Row:
        """Write a record, its events and the rows ``beside`` it, all or nothing; return it as it now stands.

        The newest events ride in the row itself, so that most writes concern one entity: a transaction costs the app
        three times the CPU. When they become too many, they move to rows of their own.

        Raises:
            LedgerConflict: the row is not, or no longer, the one that the change was made from.
            Transient: storage did not answer; whether it wrote is open, a fresh read tells.

        """
        key: str = self._key(change.row)
        write_id = uuid4().hex
        row: Row
        moved: tuple[Event, ...]
        row, moved = entities.carrying(change)
        entity = {
            "PartitionKey": key,
            "RowKey": self._row_key,
            _WRITE_ID: write_id,
            **entities.to_entity(row),
        }
        others: list[Any] = [
            *(("create", event) for event in entities.event_entities(key, row.sequence, moved)),
            *(("upsert", {"PartitionKey": key, **other}, _WHOLE) for other in beside),
        ]
        try:
            async with translated():
                written = replace(row, etag=await self._put(entity, change.row.etag, others))
        except LedgerConflict:
            written = await self._own_write(key, write_id)
        self._tell(change)
        return written

    async def history(self, key: str, after: int, limit: int) -> list[Event]:
        """Return up to ``limit`` events of a row, behind a number."""
        query = "PartitionKey eq @key and ( RowKey eq @row or ( RowKey gt @after and RowKey lt @last ) )"
        values = {
            "key": key,
            "row": self._row_key,
            "after": entities.history_key(after),
            "last": entities.history_key("~"),
        }
        moved: list[Event] = []
        carried: list[tuple[int, Event]] = []
        async for entity in rows(self._table, query, values, page=limit + 1):
            if entity["RowKey"] == self._row_key:
                carried = entities.carried(self._read(entity))
            elif len(moved) < limit:
                moved.append(entities.event(entity))
        newest: list[Event] = [event for number, event in carried if number > after + len(moved)]
        return [*moved, *newest][:limit]

    async def _put(self, entity: dict[str, Any], etag: str, others: list[Any]) -> str:
        """Write an entity over the one with this ETag, none if it is empty, and others with it; return the new ETag."""
        operation = guarded(entity, etag)
        if others:
            return str((await self._table.submit_transaction([operation, *others]))[0]["etag"])
        if etag:
            return str((await self._table.update_entity(entity, **operation[2]))["etag"])
        return str((await self._table.create_entity(entity))["etag"])

    def _tell(self, change: Change[Row]) -> None:
        try:
            self._observer(change)
        except Exception as error:  # noqa: BLE001  the row is written; a failed count must not undo that
            log.warning("a change was written and not observed: %r", error)

    async def _own_write(self, key: str, write_id: str) -> Row:
        """The client repeats a write whose answer was lost; the repeat then meets its own row."""
        entity = await fetch(self._table, key, self._row_key)
        if entity is None or entity.get(_WRITE_ID) != write_id:
            raise LedgerConflict(f"{self._row_key} row {key}")
        return self._read(entity)


def guarded(entity: Mapping[str, Any], etag: str) -> tuple[Any, ...]:
    """Return the operation that writes an entity only if it is unchanged: still absent, or under this ETag."""
    if not etag:
        return ("create", entity)
    options = {"mode": UpdateMode.REPLACE, "etag": etag, "match_condition": MatchConditions.IfNotModified}
    return ("update", entity, options)


async def fetch(table: TableClient, partition: str, row: str) -> Any:
    """Return an entity, or None.

    Raises:
        Transient: storage did not answer, or the table is missing.

    """
    async with translated():
        try:
            return await table.get_entity(partition, row)
        except ResourceNotFoundError as error:
            if getattr(error, "error_code", None) == "TableNotFound":
                raise Transient(STORAGE, f"the table {table.table_name} does not exist") from error
            return None


async def rows(
    table: TableClient, query: str, parameters: dict[str, Any], page: int | None = None
) -> AsyncIterator[TableEntity]:
    """Give the entities that a query finds, page by page."""
    async with translated():
        async for entity in table.query_entities(query, parameters=parameters, results_per_page=page):
            yield entity


def size_of(operation: tuple[Any, ...]) -> int:
    """Return how many bytes an operation takes in a transaction: every character that is not ASCII is escaped."""
    return _PART_BYTES + sum(len(name) + _size(value) for name, value in operation[1].items())


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(json.dumps(value))
    return _TYPED_BYTES + (len(value) * 4 // 3 if isinstance(value, bytes) else 0)


def portions(operations: Iterable[Any]) -> Iterator[list[Any]]:
    """Cut operations into transactions of at most a hundred."""
    left = iter(operations)
    while some := list(islice(left, TRANSACTION)):
        yield some


async def taken(table: TableClient, operations: list[Any]) -> bool:
    """Carry out one transaction. Return False if a row is gone, or was written since it was read.

    Raises:
        Transient: storage did not answer, or the table is missing.

    """
    with suppress(LedgerConflict):
        async with translated():
            try:
                await table.submit_transaction(operations)
            except HttpResponseError as error:
                if error.status_code != NOT_FOUND or getattr(error, "error_code", None) == "TableNotFound":
                    raise
                return False
            return True
    return False


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Turn the SDK's errors into ours: a lost race, or a storage that did not do its part."""
    try:
        yield
    except (ResourceExistsError, ResourceModifiedError) as error:
        raise LedgerConflict("the row was written meanwhile") from error
    except HttpResponseError as error:
        if error.status_code in _CONFLICTS:
            raise LedgerConflict("the row was written meanwhile") from error
        raise Transient(STORAGE, f"answered {error.status_code}") from error
    except AzureError as error:
        raise Transient(STORAGE, f"not reached: {type(error).__name__}") from error
