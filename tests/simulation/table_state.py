"""One table: partitions of rows in key order, changed by transactions and read in pages."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.simulation.storage_errors import Refusal
from tests.simulation.table_filters import Query, Span
from tests.simulation.table_rows import Row, characters, heavy, refuse_key, refuse_unfit, sent_bytes

MAX_OPERATIONS = 100
MAX_REQUEST_BYTES = 4 * 1_048_576
ANY_ETAG = "*"
Stamp = Callable[[], tuple[str, datetime]]
"""Returns a new ETag and the time of the write."""
Position = tuple[str, str]
"""Partition key and row key at which a page begins."""
Found = tuple[list[Row], Position | None]
"""The rows of a page, and where the next page begins; None if there is none."""


@dataclass(slots=True)
class Operation:
    """One change of one row."""

    action: str
    """`create`, `merge`, `replace` or `delete`."""
    partition: str
    row: str
    values: dict[str, Any] = field(default_factory=dict)
    weight: int = 0
    etag: str | None = None
    """The ETag that the row must have; `*` if any existing row will do; None if there is no condition."""

    def outcome(self, before: Row | None, stamp: Stamp) -> Row | None:
        """Return the row after the operation; None if it is deleted.

        Raises:
            Refusal: the condition does not hold, or the row exceeds a limit of storage.
        """
        self._hold_condition(before)
        if self.action == "delete":
            return None
        found, weight = self.values, self.weight
        if before is not None and self.action == "merge":
            found, weight = {**before.values, **found}, before.weight + weight
            if heavy(weight):
                weight = characters(found)
        refuse_unfit(found, weight)
        if before is None:
            refuse_key(self.partition)
            refuse_key(self.row)
        return Row(found, weight, *stamp())

    def _hold_condition(self, before: Row | None) -> None:
        if self.action == "create":
            if before is not None:
                raise Refusal(409, "EntityAlreadyExists", "The specified entity already exists.")
            return
        if self.etag is None:
            return
        if self.etag != ANY_ETAG and not self.etag.startswith('W/"'):
            raise Refusal(400, "InvalidInput", f"The etag value '{self.etag}' is not valid.")
        if before is None:
            raise Refusal(404, "ResourceNotFound", "The specified resource does not exist.")
        if self.etag not in (ANY_ETAG, before.etag):
            raise Refusal(
                412, "UpdateConditionNotSatisfied", "The update condition specified in the request was not satisfied."
            )


class _Partition:
    __slots__ = ("keys", "rows")

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.rows: dict[str, Row] = {}

    def put(self, key: str, row: Row | None) -> None:
        if row is None:
            if self.rows.pop(key, None) is not None:
                del self.keys[bisect_left(self.keys, key)]
        else:
            if key not in self.rows:
                insort(self.keys, key)
            self.rows[key] = row


class Table:
    """The rows of one table."""

    def __init__(self) -> None:
        self._partitions: dict[str, _Partition] = {}
        self._keys: list[str] = []

    @property
    def partitions(self) -> Sequence[str]:
        """Return the partition keys that have rows, in order."""
        return self._keys

    def rows(self, partition: str | None = None) -> Iterator[Row]:
        """Yield the rows in the order of their keys."""
        return self._scan(Query() if partition is None else Query(Span(low=partition, high=partition)), ("", ""))

    def row(self, partition: str, row: str) -> Row | None:
        """Return a row; None if it does not exist."""
        found = self._partitions.get(partition)
        return None if found is None else found.rows.get(row)

    def apply(self, operations: Sequence[Operation], stamp: Stamp) -> list[Row | None]:
        """Carry out all operations, which are on one partition, or none; return the rows afterwards.

        Raises:
            Refusal: names the first operation that cannot be carried out.
        """
        name = operations[0].partition
        partition = self._partitions.get(name)
        rows: Mapping[str, Row] = {} if partition is None else partition.rows
        outcomes: dict[str, Row | None] = {}
        for index, operation in enumerate(operations):
            try:
                _refuse_second(operation.row, outcomes)
                outcomes[operation.row] = operation.outcome(rows.get(operation.row), stamp)
            except Refusal as refusal:
                refusal.index = index
                raise
        self._commit(name, partition or _Partition(), outcomes)
        return list(outcomes.values())

    def page(self, query: Query, begin: Position, limit: int, examined: int | None) -> Found:
        """Return up to `limit` rows that match, and where the next page begins; None if no more rows match.

        If `examined` is given, storage stops after it has looked at that many rows, whether they match or not.
        """
        found: list[Row] = []
        for number, row in enumerate(self._scan(query, begin)):
            matches = query.test is None or query.test(row)
            if number == examined or (matches and len(found) == limit):
                return found, (row.values["PartitionKey"], row.values["RowKey"])
            if matches:
                found.append(row)
        return found, None

    def _scan(self, query: Query, begin: Position) -> Iterator[Row]:
        first, last = query.partitions.of(self._keys)
        for name in self._keys[max(first, bisect_left(self._keys, begin[0])) : last]:
            partition = self._partitions[name]
            start, stop = query.rows.of(partition.keys)
            if name == begin[0]:
                start = max(start, bisect_left(partition.keys, begin[1]))
            for key in partition.keys[start:stop]:
                yield partition.rows[key]

    def _commit(self, name: str, partition: _Partition, outcomes: Mapping[str, Row | None]) -> None:
        for key, row in outcomes.items():
            partition.put(key, row)
        if partition.rows and name not in self._partitions:
            self._partitions[name] = partition
            insort(self._keys, name)
        elif not partition.rows and self._partitions.pop(name, None) is not None:
            del self._keys[bisect_left(self._keys, name)]


def _refuse_second(row: str, outcomes: Mapping[str, Row | None]) -> None:
    if row in outcomes:
        raise Refusal(400, "InvalidDuplicateRow", f"A command with RowKey '{row}' is already present in the batch.")


def refuse_oversized(operations: Sequence[Operation]) -> None:
    """Check a transaction as a whole against the limits of storage.

    Raises:
        Refusal: no operation, too many operations, or too many bytes.
    """
    if not operations:
        raise Refusal(400, "InvalidInput", "The batch request has no operations.")
    if len(operations) > MAX_OPERATIONS:
        text = f"The batch request operation exceeds the maximum {MAX_OPERATIONS} changes per change set."
        raise Refusal(400, "InvalidInput", text, index=MAX_OPERATIONS - 1)
    if sum(operation.weight for operation in operations) * 4 < MAX_REQUEST_BYTES:
        return
    if sum(sent_bytes(operation.values) for operation in operations) > MAX_REQUEST_BYTES:
        raise Refusal(413, "RequestBodyTooLarge", "The request body is too large.")
