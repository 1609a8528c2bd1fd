"""Convert records to table entities and back: camelCase columns, structures as JSON, times as Edm.DateTime."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from enum import Enum
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from azure.data.tables import EntityProperty

from b2b.domain.actors import BY_QUEUE, Actor
from b2b.domain.campaign.member import Member
from b2b.domain.campaign.records import Campaign, ListImport
from b2b.domain.campaign.runs import Run
from b2b.domain.conversion.records import SCHEMA_VERSION, Change, Conversion, Event
from b2b.domain.conversion.stages import Stage
from b2b.domain.errors import UnreadableRow
from b2b.domain.pacing import Pace
from b2b.domain.request.record import RequestRecord

STATE, REQUEST, PACE = "current", "request", "pace"
HISTORY = "history-"
MOST_CARRIED = 8
"""The most events that a state row holds itself. An account that is invited and redeemed has four events."""
LONGEST_CARRIED = 16_000
"""The most characters of the events that a row carries. Storage allows 32,768 in a property."""
_MISSING: tuple[Any, ...] = (None, "")
Record = TypeVar("Record", Conversion, RequestRecord, Pace, Campaign, ListImport, Member, Run)
Told = TypeVar("Told", Conversion, RequestRecord, Pace, Campaign)
"""Records with a history."""
Reader = Callable[[Any], Any]


def column(name: str) -> str:
    """Return the camelCase column name of a field."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def to_entity(row: Conversion | RequestRecord | Pace | Campaign | ListImport | Member | Run) -> dict[str, Any]:
    """Return the columns of a record. A field that is None or empty has no column."""
    columns = {stored: _stored(getattr(row, name)) for name, stored, _ in _COLUMNS[type(row)]}
    return {name: value for name, value in columns.items() if value not in _MISSING}


def conversion(entity: Mapping[str, Any]) -> Conversion:
    """Read a conversion from its row."""
    return _read(Conversion, entity)


def request_record(entity: Mapping[str, Any]) -> RequestRecord:
    """Read a request from its row."""
    return _read(RequestRecord, entity)


def pace(entity: Mapping[str, Any]) -> Pace:
    """Read the pace, which all instances share, from its row."""
    return _read(Pace, entity)


def campaign(entity: Mapping[str, Any]) -> Campaign:
    """Read a campaign from its row."""
    return _read(Campaign, entity)


def list_import(entity: Mapping[str, Any]) -> ListImport:
    """Read the import of a campaign's list from its row."""
    return _read(ListImport, entity)


def member(entity: Mapping[str, Any]) -> Member:
    """Read a member of a campaign from its row, or from the copy of the row on a list."""
    return _read(Member, entity)


def run(entity: Mapping[str, Any]) -> Run:
    """Read a run of a campaign from its row."""
    return _read(Run, entity)


def carrying(change: Change[Told]) -> tuple[Told, tuple[Event, ...]]:
    """Return the row to write, and the events that get rows of their own.

    The row carries its newest events up to a limit. When the events exceed that limit, all of them move to rows of
    their own. The rows of the pace and of campaigns carry no events.
    """
    row: Told = replace(change.row, sequence=change.row.sequence + len(change.events))
    if isinstance(row, Pace | Campaign):
        return row, change.events
    recent = (*row.recent, *change.events)
    if len(recent) <= MOST_CARRIED and len(_stored(recent) or "") <= LONGEST_CARRIED:
        return replace(row, recent=recent), ()
    return replace(row, recent=()), recent


def carried(row: Told) -> list[tuple[int, Event]]:
    """Return the events that a row carries, each with its sequence number."""
    if isinstance(row, Pace | Campaign):
        return []
    return list(enumerate(row.recent, start=row.sequence - len(row.recent) + 1))


def event_entities(partition: str, last: int, events: Sequence[Event]) -> list[dict[str, Any]]:
    """Return the history rows of consecutive events; ``last`` is the number of the last event."""
    return [event_entity(partition, number, event) for number, event in enumerate(events, start=last - len(events) + 1)]


def event_entity(partition: str, number: int, event: Event) -> dict[str, Any]:
    """Return the history row of an event. ``number`` is the event's place in the history, counted from 1."""
    columns = {
        "PartitionKey": partition,
        "RowKey": history_key(number),
        "kind": event.kind,
        "at": event.at,
        "stage": event.stage.value if event.stage else None,
        "requestId": event.request_id,
        "detail": event.detail,
        "actor": msgspec.json.encode(event.actor).decode(),
        "graphRequestId": event.graph_request_id,
    }
    return {name: value for name, value in columns.items() if value not in _MISSING}


def history_key(number: int | str) -> str:
    """Return the row key of the event with this number; `~` gives a key that sorts after all events."""
    return f"{HISTORY}{number:010d}" if isinstance(number, int) else f"{HISTORY}{number}"


def event(entity: Mapping[str, Any]) -> Event:
    """Read an event from its history row. A stage that this version does not know becomes None.

    Raises:
        UnreadableRow: a newer version wrote a kind of actor that this version does not know.

    """
    try:
        actor = msgspec.json.decode(entity["actor"], type=Actor) if "actor" in entity else BY_QUEUE
    except ValueError as error:
        said = f"an event of {entity['PartitionKey']} names an actor of a newer version"
        raise UnreadableRow(said) from error
    return Event(
        entity["kind"],
        moment(entity["at"]),
        _stage(entity.get("stage")),
        entity.get("requestId", ""),
        entity.get("detail", ""),
        actor,
        entity.get("graphRequestId", ""),
    )


def _stored(value: Any) -> Any:
    if isinstance(value, tuple) and value and isinstance(value[0], Event):
        return msgspec.json.encode([_Carried.of(event) for event in value]).decode()
    if isinstance(value, tuple):
        return msgspec.json.encode(value).decode() if value else None
    if isinstance(value, msgspec.Struct):
        return msgspec.json.encode(value).decode()
    return value.value if isinstance(value, Enum) else value


def _read(kind: type[Record], entity: Mapping[str, Any]) -> Record:
    """Read a record from its row.

    Raises:
        UnreadableRow: a newer version wrote the row, or this version cannot read a value.

    """
    partition, metadata = entity.get("PartitionKey", ""), getattr(entity, "metadata", {})
    written_at = moment(metadata["timestamp"]) if "timestamp" in metadata else None
    if int(entity.get("schemaVersion", SCHEMA_VERSION)) > SCHEMA_VERSION:
        raise UnreadableRow(f"{kind.__name__} {partition} was written by a newer version", written_at)
    try:
        found = {name: read(_plain(entity[stored])) for name, stored, read in _COLUMNS[kind] if stored in entity}
        return kind(**found, etag=metadata.get("etag", ""))
    except (TypeError, ValueError) as error:
        said = f"{kind.__name__} {partition} cannot be read: {type(error).__name__}"
        raise UnreadableRow(said, written_at) from error


class _Carried(msgspec.Struct, rename="camel", omit_defaults=True):
    """An event as JSON in the state row that carries it."""

    kind: str
    at: datetime
    actor: Actor
    stage: str = ""
    request_id: str = ""
    detail: str = ""
    graph_request_id: str = ""

    @classmethod
    def of(cls, told: Event) -> "_Carried":
        stage = told.stage.value if told.stage else ""
        return cls(told.kind, told.at, told.actor, stage, told.request_id, told.detail, told.graph_request_id)

    def event(self) -> Event:
        stage, call = _stage(self.stage), self.graph_request_id
        return Event(self.kind, self.at, stage, self.request_id, self.detail, self.actor, call)


def _carried(text: str) -> tuple[Event, ...]:
    return tuple(each.event() for each in msgspec.json.decode(text, type=list[_Carried]))


def _stage(text: str | None) -> Stage | None:
    """Return the stage of this name; None if there is no name, or if this version does not know it."""
    return Stage(text) if text in frozenset(Stage) else None


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, EntityProperty) else value


def moment(value: datetime) -> datetime:
    """Return a time as a plain `datetime` in UTC. The SDK returns a subclass that the JSON encoder does not know."""
    utc = value.astimezone(UTC)
    return datetime(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond, UTC)


def _reader(hint: Any) -> Reader:
    """Return the function that converts a stored value to the type of a field."""
    if isinstance(hint, UnionType):
        (hint,) = (each for each in get_args(hint) if each is not type(None))
    if hint == tuple[Event, ...]:
        return _carried
    if get_origin(hint) is tuple or (isinstance(hint, type) and issubclass(hint, msgspec.Struct)):
        return msgspec.json.Decoder(hint).decode
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    return moment if hint is datetime else lambda value: value


def _columns(kind: type[Any]) -> tuple[tuple[str, str, Reader], ...]:
    hints = get_type_hints(kind)
    return tuple(
        (item.name, column(item.name), _reader(hints[item.name])) for item in fields(kind) if item.name != "etag"
    )


_COLUMNS: dict[type[Any], tuple[tuple[str, str, Reader], ...]] = {
    kind: _columns(kind) for kind in (Conversion, RequestRecord, Pace, Campaign, ListImport, Member, Run)
}
"""The fields of each kind of record: field name, column name and reader."""
