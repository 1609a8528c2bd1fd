"""Read and write Table Storage for the ledger: state rows with their history, and the SDK's errors turned into ours."""

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
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
"""The most rows in one transaction."""
TRANSACTION_BYTES = 900_000
"""The most bytes in one transaction. Storage allows 4 MiB, but a body of more than 1 MiB blocks the event loop."""
_PART_BYTES = 1_000
"""Bytes that a row adds to a transaction besides its columns: method, address and headers."""
_TYPED_BYTES = 80
"""The most bytes that a column needs for a value and its type, if the value is neither text nor bytes."""
STORAGE = "table storage"
_CONFLICTS = frozenset({409, 412})
_WRITE_ID = "writeId"
_WHOLE = {"mode": UpdateMode.REPLACE}

Row = TypeVar("Row", Conversion, RequestRecord, Pace, Campaign)
Observer = Callable[[Change[Any]], None]
"""Gets each change after it was written. An observer cannot undo the change, and the writer waits for it."""


def unobserved(_change: Change[Any]) -> None:
    """Ignore a change."""


class Rows(Generic[Row]):
    """State rows of one kind. A partition holds one state row and its history."""

    def __init__(
        self,
        table: TableClient,
        row_key: str,
        key: Callable[[Row], str],
        read: Callable[[Mapping[str, Any]], Row],
        observer: Observer = unobserved,
    ) -> None:
        """Use the state rows with ``row_key``. ``key`` returns a record's partition; ``read`` decodes an entity."""
        self._table, self._row_key, self._observer = table, row_key, observer
        self._key: Callable[[Row], str] = key
        self._read: Callable[[Mapping[str, Any]], Row] = read

    async def get(self, key: str) -> Row | None:
        """Return the record of a partition; None if it has none."""
        entity = await fetch(self._table, key, self._row_key)
        return None if entity is None else self._read(entity)

    async def write(self, change: Change[Row], *beside: Mapping[str, Any]) -> Row:
        """Write a record, its events and the rows ``beside`` it, all or nothing. Return the stored record.

        The newest events are stored in the row itself, so that most writes concern one entity, because a transaction of
        several costs three times the CPU. When there are too many events for the row, they move to rows of their own.

        Raises:
            LedgerConflict: another process has written the row since it was read. Read it again.
            Transient: storage did not answer. It may have written the row; only a fresh read shows that.

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
                written = replace(row, etag=await put(self._table, entity, change.row.etag, others))
        except LedgerConflict:
            written = await self._own_write(key, write_id)
        self._tell(change)
        return written

    async def history(self, key: str, after: int, limit: int) -> list[Event]:
        """Return up to ``limit`` events of a row, after the event with the number ``after``."""
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

    def _tell(self, change: Change[Row]) -> None:
        try:
            self._observer(change)
        except Exception as error:  # noqa: BLE001  the row is written; a failed count must not undo that
            log.warning("a change was written and not observed: %r", error)

    async def _own_write(self, key: str, write_id: str) -> Row:
        """Return the row if this write created it. The SDK retries a lost answer, and the retry then conflicts.

        Raises:
            LedgerConflict: another write created the row.

        """
        entity = await fetch(self._table, key, self._row_key)
        if entity is None or entity.get(_WRITE_ID) != write_id:
            raise LedgerConflict(f"{self._row_key} row {key}")
        return self._read(entity)


def guarded(entity: Mapping[str, Any], etag: str) -> tuple[Any, ...]:
    """Return the operation that replaces an entity if it has this ETag, or creates it if ``etag`` is empty."""
    if not etag:
        return ("create", entity)
    options = {"mode": UpdateMode.REPLACE, "etag": etag, "match_condition": MatchConditions.IfNotModified}
    return ("update", entity, options)


async def put(table: TableClient, entity: dict[str, Any], etag: str, others: Sequence[Any] = ()) -> str:
    """Replace the entity that has this ETag, or create it if ``etag`` is empty; return its new ETag.

    ``others`` are operations for the same transaction. Without them the write is a call of its own, because a
    transaction costs three times the CPU. The caller translates the SDK's errors.
    """
    operation = guarded(entity, etag)
    if others:
        return str((await table.submit_transaction([operation, *others]))[0]["etag"])
    if etag:
        return str((await table.update_entity(entity, **operation[2]))["etag"])
    return str((await table.create_entity(entity))["etag"])


async def fetch(table: TableClient, partition: str, row: str) -> Any:
    """Return an entity; None if it does not exist.

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
    """Yield the entities that a query finds. ``page``: entities per call to storage."""
    async with translated():
        async for entity in table.query_entities(query, parameters=parameters, results_per_page=page):
            yield entity


def size_of(operation: tuple[Any, ...]) -> int:
    """Return how many bytes an operation needs in a transaction, whose JSON escapes characters beyond ASCII."""
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
    """Carry out one transaction. Return False if a row was deleted or changed since it was read.

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
    """Turn the SDK's errors into ours: `LedgerConflict` if another write was first, else `Transient`."""
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
