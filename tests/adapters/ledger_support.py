"""Records for tests of the ledger, and functions that read the tables directly."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from azure.data.tables import TableServiceClient

from b2b.domain.conversion.records import Change, Conversion, Event, Source
from b2b.domain.conversion.stages import Stage
from b2b.domain.pacing import Pace
from b2b.domain.request.record import RequestRecord
from rehearsal.history import history as events_of

USER = "0a000000-0000-4000-8000-000000000001"
OTHER = "0a000000-0000-4000-8000-000000000002"
Row = TypeVar("Row", Conversion, RequestRecord, Pace)
NOON = datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)


def conversion(user_id: str = USER, **columns: Any) -> Conversion:
    return Conversion(**{"user_id": user_id, "stage": Stage.INVITING, "request_id": "r-1", **columns})


def record(request_id: str = "r-1", **columns: Any) -> RequestRecord:
    defaults = {"stage": Stage.REQUESTED, "body_hash": "ab" * 32, "source": Source.QUEUE, "requested_at": NOON}
    return RequestRecord(**{"request_id": request_id, **defaults, **columns})


def events(*kinds: str) -> tuple[Event, ...]:
    return tuple(Event(kind, NOON, Stage.INVITING, "r-1", f"{kind} of a test") for kind in kinds)


def change(row: Row, *kinds: str) -> Change[Row]:
    return Change(row, events(*kinds))


@contextmanager
def tables(storage: str) -> Iterator[TableServiceClient]:
    with TableServiceClient.from_connection_string(storage) as service:
        yield service


def rows(storage: str, table: str, partition: str) -> dict[str, dict[str, Any]]:
    """Return all rows of a partition by row key."""
    with tables(storage) as service:
        found = service.get_table_client(table).query_entities("PartitionKey eq @key", parameters={"key": partition})
        return {str(row["RowKey"]): dict(row) for row in found}


def history(storage: str, table: str, partition: str) -> list[str]:
    """Return the kinds of a partition's events, in the order of their keys."""
    return [event["kind"] for event in events_of(rows(storage, table, partition).values())]
