"""Turn a snapshot into a table entity and back. The entity holds compressed JSON, cut into several properties."""

import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from b2b.domain.errors import UnreadableRow
from b2b.domain.lifecycle.snapshot import Moment, Snapshot

CHUNK = 48_000
"""The most bytes in one property. Table Storage allows 65,536."""
_CHUNKS = "chunk"


def key(generation: int, moment: Moment) -> str:
    """Return the row key of a snapshot. Its partition is that of its account."""
    return f"access-{generation:010d}-{moment.value}"


def to_entity(generation: int, moment: Moment, snapshot: Snapshot) -> dict[str, Any]:
    """Return the entity of a snapshot, without its PartitionKey."""
    body = zlib.compress(msgspec.json.encode(snapshot))
    chunks = {f"{_CHUNKS}{number}": body[at : at + CHUNK] for number, at in enumerate(range(0, len(body), CHUNK))}
    return {"RowKey": key(generation, moment), "takenAt": snapshot.taken_at, **chunks}


def from_entity(entity: Mapping[str, Any]) -> Snapshot:
    """Read a snapshot from its entity.

    Raises:
        UnreadableRow: a newer version of the app wrote the snapshot.

    """
    try:
        return msgspec.json.decode(zlib.decompress(b"".join(_chunks(entity))), type=Snapshot)
    except (zlib.error, ValueError) as error:
        said = f"the snapshot {entity['RowKey']} of {entity['PartitionKey']} cannot be read: {type(error).__name__}"
        raise UnreadableRow(said) from error


def _chunks(entity: Mapping[str, Any]) -> Iterator[bytes]:
    number = 0
    while (chunk := entity.get(f"{_CHUNKS}{number}")) is not None:
        yield bytes(chunk)
        number += 1
