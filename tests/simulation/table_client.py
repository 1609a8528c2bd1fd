"""Clients in memory that replace the SDK's table clients.

What the SDK checks before sending is checked before the gate; what storage checks is part of the effect. A gate may
carry out an effect twice, because the SDK repeats a request whose answer was lost.
"""

from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from azure.core import MatchConditions
from azure.core.async_paging import AsyncItemPaged
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables._deserialize import _extract_continuation_token
from azure.data.tables._serialize import _get_match_condition, _prepare_key

from tests.simulation.gate import Call, Gate
from tests.simulation.storage_errors import (
    AsError,
    Refusal,
    carried_out,
    create_error,
    failures,
    table_error,
    transaction_error,
)
from tests.simulation.table_filters import Query, query
from tests.simulation.table_rows import KEYS, Row, keys, plain, selected, values
from tests.simulation.table_state import ANY_ETAG, Operation, refuse_oversized

if TYPE_CHECKING:
    from tests.simulation.tables import Tables

T = TypeVar("T")

_NOT_FOUND, _BAD_REQUEST = 404, 400
_OUTAGE = failures(table_error)
_OUTAGE_OF_CREATE = failures(create_error)
_EVERYWHERE = "*"
Token = Mapping[str, str]
"""A continuation token, which says where the next page begins."""
Page = tuple[Token | None, list[Row]]
Select = str | list[str] | None


class MemoryTableService:
    """Replaces `azure.data.tables.aio.TableServiceClient`."""

    def __init__(self, tables: "Tables", gate: Gate) -> None:
        self._tables, self._gate = tables, gate

    def get_table_client(self, table_name: str) -> "MemoryTableClient":
        """Return a client of a table, which need not exist."""
        return MemoryTableClient(self._tables, self._gate, table_name)

    async def close(self) -> None:
        """Close nothing."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class MemoryTableClient:
    """Replaces `azure.data.tables.aio.TableClient`."""

    def __init__(self, tables: "Tables", gate: Gate, table_name: str) -> None:
        self._tables, self._gate, self.table_name = tables, gate, table_name

    async def close(self) -> None:
        """Close nothing."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def get_entity(self, partition_key: str, row_key: str, *, select: Select = None) -> TableEntity:
        """Read one row."""
        partition, row, names = _key(partition_key), _key(row_key), selected(select)
        tables, table = self._tables, self.table_name
        return await self._send("read", partition, lambda: tables.read(table, partition, row).entity(names))

    async def create_entity(self, entity: Mapping[str, Any]) -> dict[str, Any]:
        """Insert a row."""
        for name in KEYS:
            if entity.get(name) is None:
                raise ValueError(f"{name} must be present in an entity")
        return await self._write(Operation("create", *keys(entity), *values(entity)))

    async def upsert_entity(
        self, entity: Mapping[str, Any], mode: str | UpdateMode = UpdateMode.MERGE
    ) -> dict[str, Any]:
        """Insert a row; if it exists, merge into it or replace it, as `mode` says."""
        return await self._write(Operation(_mode(mode), *keys(entity), *values(entity)))

    async def update_entity(
        self,
        entity: Mapping[str, Any],
        mode: str | UpdateMode = UpdateMode.MERGE,
        *,
        etag: str | None = None,
        match_condition: MatchConditions | None = None,
    ) -> dict[str, Any]:
        """Merge into a row or replace it, as `mode` says."""
        condition = _condition(entity, etag, match_condition)
        return await self._write(Operation(_mode(mode), *keys(entity), *values(entity), condition))

    async def delete_entity(
        self, *args: Any, etag: str | None = None, match_condition: MatchConditions | None = None, **named: Any
    ) -> None:
        """Delete a row, given as an entity or by its keys. A missing row or table is no error."""
        given = named.get("entity") or (args[0] if args else None)
        if isinstance(given, Mapping):
            partition, row = keys(given)
        else:
            first, second = [*args, *(named[name] for name in ("partition_key", "row_key") if name in named)]
            partition, row = _key(first), _key(second)
        operation = Operation("delete", partition, row, etag=_condition(given, etag, match_condition))
        tables, table = self._tables, self.table_name
        try:
            await self._send("delete", partition, lambda: tables.write(table, [operation]))
        except HttpResponseError as error:
            if error.status_code != _NOT_FOUND:
                raise

    async def submit_transaction(self, operations: Iterable[Any] | AsyncIterable[Any]) -> list[dict[str, Any]]:
        """Carry out all operations on one partition, or none."""
        if isinstance(operations, AsyncIterable):
            prepared = [_operation(*each) async for each in operations]
        else:
            prepared = [_operation(*each) for each in operations]
        if any(operation.partition != prepared[0].partition for operation in prepared):
            raise ValueError("Partition Keys in the batch must all be the same.")
        partition = prepared[0].partition if prepared else _EVERYWHERE
        tables, table = self._tables, self.table_name

        def commit() -> list[dict[str, Any]]:
            refuse_oversized(prepared)
            return [{} if row is None else {"etag": row.etag} for row in tables.write(table, prepared)]

        try:
            return await self._send("write", partition, commit, transaction_error)
        except HttpResponseError as error:
            if prepared or error.status_code != _BAD_REQUEST:
                raise
            return []

    def query_entities(
        self,
        query_filter: str,
        *,
        results_per_page: int | None = None,
        select: Select = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> AsyncItemPaged[TableEntity]:
        """Return the rows that match a filter, page by page."""
        refused: Refusal | None = None
        looked_for = Query()
        try:
            looked_for = query(query_filter, parameters)
        except Refusal as refusal:
            refused = refusal
        return self._paged(looked_for, results_per_page, select, refused)

    def list_entities(
        self, *, results_per_page: int | None = None, select: Select = None
    ) -> AsyncItemPaged[TableEntity]:
        """Return all rows, page by page."""
        return self._paged(Query(), results_per_page, select, None)

    def _paged(
        self, looked_for: Query, top: int | None, select: Select, refused: Refusal | None
    ) -> AsyncItemPaged[TableEntity]:
        single, names = looked_for.partitions.single, selected(select)
        tables, table = self._tables, self.table_name

        async def get_next(token: Any) -> Page:
            _extract_continuation_token(token)  # type: ignore[no-untyped-call]

            def effect() -> Page:
                if refused is not None:
                    raise refused
                return tables.list_page(table, looked_for, top, token)

            return await self._send("list", _EVERYWHERE if single is None else single, effect)

        async def extract(page: Page) -> tuple[Any, Any]:
            return page[0], [row.entity(names) for row in page[1]]

        return AsyncItemPaged(get_next, extract)

    async def _write(self, operation: Operation) -> dict[str, Any]:
        tables, table = self._tables, self.table_name

        def write() -> dict[str, Any]:
            (row,) = tables.write(table, [operation])
            return {"etag": row and row.etag, "date": row and row.written, "version": "2019-02-02"}

        as_error = create_error if operation.action == "create" else table_error
        return await self._send("write", operation.partition, write, as_error)

    async def _send(self, verb: str, partition: str, effect: Callable[[], T], as_error: AsError = table_error) -> T:
        call = Call("tables", verb, f"{self.table_name}/{partition}", verb in ("write", "delete"))
        outage = _OUTAGE_OF_CREATE if as_error is create_error else _OUTAGE
        return await self._gate.call(call, carried_out(effect, as_error), outage)


def _key(key: str) -> str:
    _prepare_key(key)
    return plain(key)


def _mode(mode: str | UpdateMode) -> str:
    if mode not in (UpdateMode.MERGE, UpdateMode.REPLACE):
        raise ValueError(f"Mode type '{mode}' is not supported.")
    return str(UpdateMode(mode).value)


def _condition(entity: Any, etag: str | None, match_condition: MatchConditions | None) -> str:
    """Return the ETag that the row must have; `*`, which any row has, if there is no condition."""
    if match_condition and not etag and isinstance(entity, TableEntity):
        etag = entity.metadata["etag"]
    condition = match_condition or MatchConditions.Unconditionally
    _get_match_condition(etag=etag, match_condition=condition)  # type: ignore[no-untyped-call]
    return etag or ANY_ETAG


def _operation(kind: str, entity: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> Operation:
    """Return an operation of a transaction, from any form that the SDK accepts."""
    prepare = _OPERATIONS.get(kind.lower())
    if prepare is None:
        raise ValueError(f"Unrecognized operation: {kind}")
    if not all(name in entity for name in KEYS):
        raise ValueError("PartitionKey and/or RowKey were not provided in entity")
    return prepare(entity, **(options or {}))


def _create(entity: Mapping[str, Any]) -> Operation:
    return Operation("create", *keys(entity), *values(entity))


def _upsert(entity: Mapping[str, Any], mode: str | UpdateMode = UpdateMode.MERGE) -> Operation:
    return Operation(_mode(mode), *keys(entity), *values(entity))


def _update(
    entity: Mapping[str, Any],
    mode: str | UpdateMode = UpdateMode.MERGE,
    *,
    etag: str | None = None,
    match_condition: MatchConditions | None = None,
) -> Operation:
    # In a transaction the SDK ignores the ETag in the entity's metadata.
    condition = _condition(None, etag, match_condition)
    return Operation(_mode(mode), *keys(entity), *values(entity), condition)


def _delete(
    entity: Mapping[str, Any], *, etag: str | None = None, match_condition: MatchConditions | None = None
) -> Operation:
    return Operation("delete", *keys(entity), etag=_condition(entity, etag, match_condition))


_OPERATIONS: Mapping[str, Callable[..., Operation]] = {
    "create": _create,
    "upsert": _upsert,
    "update": _update,
    "delete": _delete,
}
