"""Lists of the sweep in Table Storage: each has its own partition, read in order, and a row that keeps the position.

An entry is a pointer: it is written before what it points to, checked by its reader, and removed last. So entries are
removed and marked under their ETags, and one that another process has written meanwhile is left to that.
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
    """Keys in the order of their names. A key is on the list once."""

    def __init__(self, table: TableClient, name: str) -> None:
        """Use a table; ``name`` is the partition."""
        self._table, self._name = table, name

    def place(self, key: str, _at: datetime) -> str:
        """Return the row key of an entry."""
        return key

    async def add(self, key: str, at: datetime) -> Entry:
        """Put a key on the list."""
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
        """Take entries off the list; one that is gone, or was put there anew since it was read, is left alone."""
        await _guarded(self._table, [("delete", self._key(each.place), each.etag) for each in entries])

    async def read(self, after: str, limit: int, until: datetime | None = None) -> list[Entry]:
        """Return up to ``limit`` entries after a key, in order. On a list by time, ``until`` ends it at that time."""
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
        """Return where the last run stopped."""
        entity = await fetch(self._table, CURSORS, self._name)
        if entity is None:
            return Cursor()
        since = moment(entity["since"]) if "since" in entity else None
        return Cursor(entity["after"], since, msgspec.json.decode(entity.get("counts", "{}"), type=dict[str, int]))

    async def move_cursor(self, cursor: Cursor) -> None:
        """Remember where this run stopped."""
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
    """Keys in the order of a time. A key may be on the list several times: each entry is a time at which it is due."""

    def place(self, key: str, at: datetime) -> str:
        """Return the row key of an entry: time, then what is due."""
        return f"{_text(at)}~{key}"


class FollowedIndex(Listing):
    """The accounts that are followed, each with what is needed to tell whether a list of Graph's has news of it."""

    async def follow(self, user_id: str, now: datetime, *, synced: bool) -> None:
        """Put an account there, or anew: nothing is known of what the directory shows of it."""
        async with translated():
            entity = {**self._entity(user_id, now), "synced": synced}
            await self._table.upsert_entity(entity, mode=UpdateMode.REPLACE)

    async def get(self, user_id: str) -> Followed | None:
        """Return an account's entry, or None."""
        entity = await fetch(self._table, self._name, user_id)
        return None if entity is None else _followed(entity)

    async def scan(self, after: str) -> AsyncIterator[Followed]:
        """Give the entries behind a key in order, page by page."""
        query = "PartitionKey eq @name and RowKey gt @after"
        async for entity in rows(self._table, query, {"name": self._name, "after": after}):
            yield _followed(entity)

    async def mark(self, entries: Sequence[Followed]) -> None:
        """Write what is known of accounts now, over the very entries that were read; others are left alone."""
        await _guarded(self._table, [("update", self._marked(each), each.etag) for each in entries])

    async def drop(self, entries: Sequence[Followed]) -> None:
        """Follow accounts no longer; one that was put there anew since it was read stays."""
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
    """Write a time so that the order of the texts is that of the times."""
    return moment.astimezone(UTC).strftime(_TIME)


async def _guarded(table: TableClient, changes: Sequence[tuple[str, dict[str, Any], str]]) -> None:
    """Carry out changes, each under an ETag, a hundred at once. Where one of them is out of date, go one by one."""
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
