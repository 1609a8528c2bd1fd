"""Lists of the sweep in Table Storage. Each list is a partition that is read in order; another row holds its cursor.

An entry points to a row in another partition. The entry is written before that row and removed after it, and a reader
checks the entry against the row. An entry is removed or marked only under its ETag. So if another process has written
the entry meanwhile, the entry stays as that process wrote it.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from azure.core import MatchConditions
from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables.aio import TableClient

from b2b.adapters.entities import moment
from b2b.adapters.tables import fetch, portions, rows, taken, translated
from b2b.domain.readings import Cursor, Entry, Followed

CURSORS = "cursor~"
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


class Listing:
    """A list of keys in alphabetical order. Each key is on the list at most once."""

    def __init__(self, table: TableClient, name: str) -> None:
        """``name`` is the partition of the list."""
        self._table, self._name = table, name

    def place(self, key: str, _at: datetime) -> str:
        """Return the row key of a key's entry."""
        return key

    async def add(self, key: str, at: datetime) -> Entry:
        """Put a key on the list and return its entry."""
        place = self.place(key, at)
        async with translated():
            written = await self._table.upsert_entity(self._entity(place, at), mode=UpdateMode.REPLACE)
        return Entry(key, at, place, written.get("etag") or "")

    async def add_all(self, entries: Iterable[tuple[str, datetime]]) -> None:
        """Put several keys on the list."""
        wanted = {self.place(key, at): at for key, at in entries}
        for some in portions([("upsert", self._entity(place, at), {}) for place, at in wanted.items()]):
            async with translated():
                await self._table.submit_transaction(some)

    async def remove(self, *entries: Entry) -> None:
        """Remove entries. An entry that is gone, or that was written again since it was read, is left alone."""
        await _guarded(self._table, [("delete", self._key(each.place), each.etag) for each in entries])

    async def read(self, after: str, limit: int, until: datetime | None = None) -> list[Entry]:
        """Return up to ``limit`` entries whose row keys follow ``after``, in order.

        ``until``: only entries that are due before this time. A list that is not a `TimedListing` ignores it.
        """
        query, values = "PartitionKey eq @name and RowKey gt @after", {"name": self._name, "after": after}
        if until is not None:
            query, values = f"{query} and RowKey lt @until", {**values, "until": _text(until)}
        found = list[Entry]()
        async for entity in rows(self._table, query, values):
            found.append(_entry(entity))
            if len(found) == limit:
                break
        return found

    async def cursor(self) -> Cursor:
        """Return the position at which the last run stopped, or the beginning of the list if none is saved."""
        entity = await fetch(self._table, CURSORS, self._name)
        if entity is None:
            return Cursor()
        since = moment(entity["since"]) if "since" in entity else None
        return Cursor(entity["after"], since, msgspec.json.decode(entity.get("counts", "{}"), type=dict[str, int]))

    async def move_cursor(self, cursor: Cursor) -> None:
        """Save the position at which this run stopped."""
        since = {"since": cursor.since} if cursor.since else {}
        counts = {"counts": msgspec.json.encode(cursor.counts).decode()} if cursor.counts else {}
        entity = {"PartitionKey": CURSORS, "RowKey": self._name, "after": cursor.after, **since, **counts}
        async with translated():
            await self._table.upsert_entity(entity, mode=UpdateMode.REPLACE)

    def _key(self, place: str) -> dict[str, Any]:
        return {"PartitionKey": self._name, "RowKey": place}

    def _entity(self, place: str, at: datetime) -> dict[str, Any]:
        return {**self._key(place), "since": at}


class TimedListing(Listing):
    """A list of keys in the order of time. A key has an entry for each time at which it is due."""

    def place(self, key: str, at: datetime) -> str:
        """Return the row key of an entry: its time, then its key."""
        return f"{_text(at)}~{key}"


class FollowedIndex(Listing):
    """The accounts that are followed. An entry holds what tells whether Graph's list has news of the account."""

    async def follow(self, user_id: str, now: datetime, *, synced: bool) -> None:
        """Follow an account. If it is followed already, forget what was known of its state in the directory."""
        async with translated():
            entity = {**self._entity(user_id, now), "synced": synced}
            await self._table.upsert_entity(entity, mode=UpdateMode.REPLACE)

    async def get(self, user_id: str) -> Followed | None:
        """Return an account's entry; None if the account is not followed."""
        entity = await fetch(self._table, self._name, user_id)
        return None if entity is None else _followed(entity)

    async def scan(self, after: str) -> AsyncIterator[Followed]:
        """Yield the entries after a key, in order."""
        query = "PartitionKey eq @name and RowKey gt @after"
        async for entity in rows(self._table, query, {"name": self._name, "after": after}):
            yield _followed(entity)

    async def mark(self, entries: Sequence[Followed]) -> None:
        """Write what is now known of accounts. An entry that was written again since it was read is left alone."""
        await _guarded(self._table, [("update", self._marked(each), each.etag) for each in entries])

    async def drop(self, entries: Sequence[Followed]) -> None:
        """Stop following accounts. An entry that was written again since it was read stays."""
        await _guarded(self._table, [("delete", self._key(each.key), each.etag) for each in entries])

    def _marked(self, entry: Followed) -> dict[str, Any]:
        columns = {"shown": entry.shown, "putOff": entry.put_off, "synced": entry.synced}
        return {**self._entity(entry.key, entry.since), **columns}


def _entry(entity: TableEntity) -> Entry:
    place: str = entity["RowKey"]
    _, timed, key = place.partition("~")
    return Entry(key if timed else place, moment(entity["since"]), place, entity.metadata["etag"] or "")


def _followed(entity: TableEntity) -> Followed:
    return Followed(
        entity["RowKey"],
        moment(entity["since"]),
        entity.get("shown", False),
        entity.get("putOff", False),
        entity.get("synced", False),
        entity.metadata["etag"] or "",
    )


def _text(moment: datetime) -> str:
    """Return a time as text that sorts in the order of time."""
    return moment.astimezone(UTC).strftime(_TIME)


async def _guarded(table: TableClient, changes: Sequence[tuple[str, dict[str, Any], str]]) -> None:
    """Carry out changes, each under its ETag, in transactions of up to 100.

    If a transaction fails because an entry was written meanwhile or is gone, its changes are carried out one by one.
    """
    operations = [
        (kind, entity, {"etag": etag, "match_condition": MatchConditions.IfNotModified, **_mode(kind)})
        for kind, entity, etag in changes
    ]
    for some in portions(operations):
        if not await taken(table, some) and len(some) > 1:
            for each in some:
                await taken(table, [each])


def _mode(kind: str) -> dict[str, Any]:
    return {"mode": UpdateMode.REPLACE} if kind == "update" else {}
