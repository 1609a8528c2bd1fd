"""Rows of a table: how the SDK sends them, the limits of storage, and how the SDK returns them.

Storage keeps the values that a client reads. They are immutable, so a copy of the mapping keeps the app and storage
apart.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any

from azure.data.tables import EdmType, TableEntity
from azure.data.tables._deserialize import TablesEntityDatetime, _convert_to_entity
from azure.data.tables._serialize import _add_entity_properties, _prepare_key

from tests.simulation.storage_errors import Refusal

KEYS = ("PartitionKey", "RowKey")
PROPERTIES = 252
PROPERTY_BYTES, ENTITY_BYTES, KEY_CHARACTERS, NAME_CHARACTERS = 65_536, 1_048_576, 512, 255
_INT32 = 2**31
_LIGHT = 16_384
"""Characters: an entity whose values have no more in total cannot be too large."""
_BAD_IN_KEY = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")
_WITHOUT_TYPE = frozenset({EdmType.BOOLEAN, EdmType.INT32, EdmType.STRING})
"""Types that storage does not name in its answers, because JSON tells them apart."""
_SIZES: Mapping[type, int] = {bool: 1, int: 4, float: 8, datetime: 8, TablesEntityDatetime: 8}
_OTHER_SIZE = 16

_names: set[str] = set(KEYS)
"""Names of properties that were checked and accepted before."""


class Row:
    """A row of a table."""

    __slots__ = ("_digest", "etag", "values", "weight", "written")

    def __init__(self, values: dict[str, Any], weight: int, etag: str, written: datetime) -> None:
        self.values, self.weight, self.etag, self.written = values, weight, etag, written
        self._digest: int | None = None

    @property
    def digest(self) -> int:
        """Return a number that depends on the values only, not on when they were written; it is valid within one
        process.
        """
        if self._digest is None:
            self._digest = hash(frozenset(self.values.items()))
        return self._digest

    def entity(self, select: frozenset[str] | None = None) -> TableEntity:
        """Return the entity that a client reads."""
        entity = TableEntity(self.values)
        written: datetime | None = self.written
        if select is not None:
            for name in self.values.keys() - select:
                del entity[name]
            if "Timestamp" not in select:
                written = None
        entity._metadata = {"etag": self.etag, "timestamp": written}
        return entity


def selected(select: str | Iterable[str] | None) -> frozenset[str] | None:
    """Return the names of the properties to read; None for all."""
    if not select:
        return None
    names = select.split(",") if isinstance(select, str) else select
    return frozenset(name.strip() for name in names)


def keys(entity: Mapping[str, Any]) -> tuple[str, str]:
    """Return the partition key and the row key of an entity to be sent.

    Raises:
        KeyError: a key is missing (as in the SDK).
        TypeError: a key is not a string (as in the SDK).
    """
    partition, row = entity["PartitionKey"], entity["RowKey"]
    if type(partition) is type(row) is str:
        return partition, row
    _prepare_key(partition)
    _prepare_key(row)
    return plain(partition), plain(row)


def plain(text: str) -> str:
    """Return the value of an enumeration's member, or of an instance of a subclass, as a plain string."""
    return text if type(text) is str else text.replace("", "")


def values(entity: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """Return the values that a client would read back, and how many characters they have in total.

    Raises:
        TypeError: the SDK cannot send such a value.
    """
    found: dict[str, Any] = {}
    weight = 0
    for name, value in entity.items():
        kind = type(value)
        if kind is str:
            weight += len(value)
            found[name] = value
        elif kind is bool or kind is float or (kind is int and -_INT32 <= value < _INT32):
            found[name] = value
        elif kind is datetime:
            found[name] = moment(value)
        elif kind is TablesEntityDatetime and value.tzinfo is UTC:
            found[name] = value
        elif value is not None:
            for converted in _through_the_sdk(value):
                weight += len(converted) if isinstance(converted, (str, bytes)) else 0
                found[name] = converted
    found.pop("Timestamp", None)
    return found, weight


def moment(value: datetime) -> TablesEntityDatetime:
    """Return a time as a client reads it; one without a time zone counts as local time, as in the SDK."""
    state: Any = (value if value.tzinfo is UTC else value.astimezone(UTC)).__reduce__()
    return TablesEntityDatetime(*state[1])  # copies the state, which is four times as fast as naming every part


def _through_the_sdk(value: Any) -> Iterable[Any]:
    """Let the SDK write a rare type of value as JSON and read it back; empty if the SDK does not send it."""
    sent = _add_entity_properties({"value": value})
    if sent.get("value@odata.type") in _WITHOUT_TYPE:
        del sent["value@odata.type"]
    return _convert_to_entity(sent).values()  # type: ignore[no-untyped-call, no-any-return]


def refuse_unfit(found: Mapping[str, Any], weight: int) -> None:
    """Check an entity against the limits of storage.

    Raises:
        Refusal: the limit that the entity exceeds.
    """
    if not found.keys() <= _names:
        _refuse_names(found)
    if len(found) > PROPERTIES + len(KEYS):
        raise Refusal(400, "TooManyProperties", "The entity contains more properties than allowed.")
    if not heavy(weight):
        return
    total = 4
    for name, value in found.items():
        size = _size(value)
        if size > PROPERTY_BYTES:
            raise Refusal(400, "PropertyValueTooLarge", "The property value exceeds the maximum allowed size (64KB).")
        total += size + (0 if name in KEYS else 8 + 2 * len(name))
    if total > ENTITY_BYTES:
        raise Refusal(400, "EntityTooLarge", "The entity is larger than the maximum allowed size (1MB).")


@lru_cache(maxsize=4096)
def refuse_key(key: str) -> None:
    """Check a key against the limits of storage.

    Raises:
        Refusal: a character that no key may have, or more than 1 KiB.
    """
    if _BAD_IN_KEY.search(key):
        raise Refusal(400, "OutOfRangeInput", f"The key {key!r} is out of range.")
    if _utf16(key) > 2 * KEY_CHARACTERS:
        raise Refusal(400, "KeyValueTooLarge", "The key is larger than the maximum size permitted (1KB).")


def heavy(weight: int) -> bool:
    """Tell whether an entity with this many characters can be too large."""
    return weight > _LIGHT


def characters(found: Mapping[str, Any]) -> int:
    """Return how many characters the values have in total."""
    return sum(len(value) for value in found.values() if isinstance(value, (str, bytes)))


def sent_bytes(found: Mapping[str, Any]) -> int:
    """Return roughly how many bytes the values take in a request: text as UTF-8, bytes as base64."""
    total = 0
    for value in found.values():
        if isinstance(value, str):
            total += len(value.encode("utf-8", "surrogatepass"))
        elif isinstance(value, bytes):
            total += len(value) * 4 // 3
    return total


def _refuse_names(found: Mapping[str, Any]) -> None:
    for name in found.keys() - _names:
        if len(name) > NAME_CHARACTERS:
            raise Refusal(400, "PropertyNameTooLong", "The property name exceeds the maximum allowed length (255).")
        if not name.isidentifier():
            raise Refusal(400, "PropertyNameInvalid", f"The property name {name!r} is invalid.")
        _names.add(name)


def _size(value: Any) -> int:
    """Return the bytes that storage counts for a value."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return _utf16(value)
    if isinstance(value, bytes):
        return len(value)
    return _SIZES.get(type(value), _OTHER_SIZE)


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass"))
