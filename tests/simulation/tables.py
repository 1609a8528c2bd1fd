"""Table Storage in memory: one account with its switches, and methods for oracles and meddlers that bypass the gate.

`client` returns a replacement for the SDK's clients; only its calls pass a gate.
"""

import base64
import binascii
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from azure.data.tables import TableEntity

from tests.simulation.gate import Gate
from tests.simulation.storage_errors import Refusal
from tests.simulation.table_client import MemoryTableService, Token
from tests.simulation.table_filters import Query
from tests.simulation.table_rows import KEYS, Row, keys, moment, values
from tests.simulation.table_state import Operation, Position, Table

PAGE = 1000
"""Most rows in one answer."""


class Tables:
    """The tables of one storage account, and the state that all their clients share."""

    def __init__(self, names: Iterable[str], now: Callable[[], datetime]) -> None:
        """Make empty tables; `now` is the server's clock."""
        self._tables = {name: Table() for name in names}
        self._now = now
        self._stamps = 0
        self.reads = 0
        """How many read requests arrived."""
        self.writes = 0
        """How many write requests arrived, including refused ones and those that changed nothing."""
        self.begun: dict[tuple[str, str], datetime] = {}
        """When the first row of a partition was written, by table and partition key."""
        self.page_size = PAGE
        """Most rows on one page."""
        self.short_pages: Callable[[int], int] | None = None
        """Takes the number of rows that a page could have; returns how many of them the server examines. The page has
        those that match, perhaps none, and a continuation token. None: the server examines all."""

    def client(self, gate: Gate) -> MemoryTableService:
        """Return a service client that replaces the SDK's `TableServiceClient`."""
        return MemoryTableService(self, gate)

    def open_client(self, name: str) -> "OpenTable":
        """Return access to one table without a gate."""
        return OpenTable(self, name)

    def create_table(self, name: str) -> None:
        """Make a table if it does not exist."""
        self._tables.setdefault(name, Table())

    def delete_table(self, name: str) -> None:
        """Remove a table with its rows."""
        self._tables.pop(name, None)

    def partitions(self, table: str) -> list[str]:
        """Return the partition keys that have rows, in order."""
        return list(self._tables[table].partitions)

    def rows(self, table: str, partition: str | None = None) -> list[TableEntity]:
        """Return the rows of a table or of one partition in key order, as a client would read them."""
        return [row.entity() for row in self._tables[table].rows(partition)]

    def fingerprint(self, leaving_out: Collection[str] = ()) -> int:
        """Return a number that changes only if some table's values change; the partitions in `leaving_out` do not
        count.
        """
        return hash(
            tuple(
                (
                    name,
                    tuple(row.digest for key in table.partitions if key not in leaving_out for row in table.rows(key)),
                )
                for name, table in sorted(self._tables.items())
            )
        )

    def find(self, name: str) -> Table:
        """Return a table.

        Raises:
            Refusal: the table does not exist.
        """
        try:
            return self._tables[name]
        except KeyError:
            raise Refusal(404, "TableNotFound", "The table specified does not exist.") from None

    def read(self, name: str, partition: str, row: str) -> Row:
        """Carry out a read of one row."""
        self.reads += 1
        found = self.find(name).row(partition, row)
        if found is None:
            raise Refusal(404, "ResourceNotFound", "The specified resource does not exist.")
        return found

    def write(self, name: str, operations: Sequence[Operation]) -> list[Row | None]:
        """Carry out a transaction."""
        self.writes += 1
        written = self.find(name).apply(operations, self._stamp)
        self.begun.setdefault((name, operations[0].partition), self._now())
        return written

    def list_page(self, name: str, looked_for: Query, top: int | None, token: Token | None) -> tuple[Any, list[Row]]:
        """Carry out a request for one page; return the token of the next page and the rows."""
        self.reads += 1
        if top is not None and not 0 < top <= PAGE:
            raise Refusal(400, "InvalidInput", "One of the request inputs is not valid.")
        begin, after_an_empty_page = _position(token)
        limit = min(top or self.page_size, self.page_size)
        examined = None
        if self.short_pages is not None:
            examined = max(self.short_pages(limit), 1 if after_an_empty_page else 0)
        found, following = self.find(name).page(looked_for, begin, limit, examined)
        return None if following is None else _token(following, empty=not examined and examined is not None), found

    def _stamp(self) -> tuple[str, datetime]:
        """Return an ETag that no other write has, not even one at the same time, and the time."""
        self._stamps += 1
        return f"W/\"datetime'{self._stamps:012d}'\"", moment(self._now())


class OpenTable:
    """Access to one table without a gate."""

    def __init__(self, tables: Tables, name: str) -> None:
        self._tables, self._name = tables, name

    def read(self, partition: str, row: str) -> TableEntity | None:
        """Return a row; None if it does not exist."""
        found = self._tables.find(self._name).row(partition, row)
        return None if found is None else found.entity()

    def write(self, entity: Mapping[str, Any]) -> None:
        """Write a row, and replace any that has its keys."""
        self._tables.write(self._name, [Operation("replace", *keys(entity), *values(entity))])

    def delete(self, partition: str, row: str) -> None:
        """Remove a row if it exists."""
        self._tables.write(self._name, [Operation("delete", partition, row)])


def _token(position: Position, *, empty: bool) -> Token:
    """Return the continuation token for a position; it also records whether the previous page was empty."""
    partition, row = (base64.b64encode(key.encode()).decode() for key in position)
    return {"PartitionKey": f"1!{partition}", "RowKey": f"{0 if empty else 1}!{row}"}


def _position(token: Token | None) -> tuple[Position, bool]:
    if not token or not token.get("PartitionKey"):
        return ("", ""), False
    try:
        partition, row = (base64.b64decode(token[name].partition("!")[2]).decode() for name in KEYS)
    except (KeyError, binascii.Error, UnicodeDecodeError) as error:
        raise Refusal(400, "InvalidInput", "One of the request inputs is not valid.") from error
    return (partition, row), token["RowKey"].startswith("0!")
