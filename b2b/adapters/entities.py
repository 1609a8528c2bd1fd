"""How records become table entities and back: camelCase columns, findings as JSON, times as Edm.DateTime."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import msgspec
from azure.data.tables import EntityProperty

from b2b.domain.conversion import Conversion, Event, RequestRecord, Source, Stage
from b2b.domain.findings import Finding, Verdict
from b2b.domain.pacing import Pace

STATE, REQUEST, PACE = "current", "request", "pace"
HISTORY = "history-"
SYSTEM_COLUMNS = frozenset({"etag"})
_ENUMS: dict[str, type[Enum]] = {"stage": Stage, "verdict": Verdict, "source": Source}
_MISSING: tuple[Any, ...] = (None, "")


def column(name: str) -> str:
    """Return the column of a field: camelCase."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def to_entity(row: Conversion | RequestRecord | Pace) -> dict[str, Any]:
    """Return the columns of a record; what is empty has no column."""
    columns = {column(item.name): _stored(getattr(row, item.name)) for item in fields(row) if item.name != "etag"}
    return {name: value for name, value in columns.items() if value not in _MISSING}


def conversion(entity: Mapping[str, Any]) -> Conversion:
    """Read the state row of an account."""
    return Conversion(**_values(Conversion, entity))


def request_record(entity: Mapping[str, Any]) -> RequestRecord:
    """Read the row of a request."""
    return RequestRecord(**_values(RequestRecord, entity))


def pace(entity: Mapping[str, Any]) -> Pace:
    """Read the row that holds everybody back."""
    return Pace(**_values(Pace, entity))


def event_entity(partition: str, number: int, event: Event) -> dict[str, Any]:
    """Return a history row: numbered, so that the order is that of the writes."""
    columns = {
        "PartitionKey": partition,
        "RowKey": f"{HISTORY}{number:010d}",
        "kind": event.kind,
        "at": event.at,
        "stage": event.stage.value if event.stage else None,
        "requestId": event.request_id,
        "detail": event.detail,
    }
    return {name: value for name, value in columns.items() if value not in _MISSING}


def _stored(value: Any) -> Any:
    if isinstance(value, tuple):
        return msgspec.json.encode(value).decode() if value else None
    return value.value if isinstance(value, Enum) else value


def _values(kind: type[Conversion | RequestRecord | Pace], entity: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        item.name: _loaded(item.name, entity[column(item.name)])
        for item in fields(kind)
        if column(item.name) in entity and item.name not in SYSTEM_COLUMNS
    }
    metadata = getattr(entity, "metadata", {})
    return {**found, "etag": metadata.get("etag", "")}


def _loaded(name: str, value: Any) -> Any:
    if isinstance(value, EntityProperty):
        value = value.value
    if name in _ENUMS:
        return _ENUMS[name](value)
    if name == "findings":
        return msgspec.json.decode(value, type=tuple[Finding, ...])
    return value.astimezone(UTC).replace(tzinfo=UTC) if isinstance(value, datetime) else value
