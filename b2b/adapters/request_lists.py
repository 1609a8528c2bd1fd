"""Lists of requests in Table Storage, one partition for each month, and the index by which names are found.

All lines of a request are in one partition and are written in one transaction, so they always agree with each other.
They are written after the request's row. If the process dies in between, they are out of date until the sweep writes
them again.
"""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables.aio import TableClient

from b2b.adapters import lines
from b2b.adapters.campaigns import Campaigns
from b2b.adapters.group_commit import GroupCommit
from b2b.adapters.tables import Rows, fetch, guarded, rows, translated
from b2b.domain.conversion.records import Change, Event
from b2b.domain.conversion.stages import Stage
from b2b.domain.errors import LedgerConflict, Transient, UnreadableRow
from b2b.domain.request.line import EVERY, Line, Page, Place, Range, line_of, month_of
from b2b.domain.request.record import RequestRecord

log = logging.getLogger(__name__)

MONTHS: Final = "months~"
NAMES: Final = "names~"
FORMER: Final = "formerNames"
"""Column with the keys of a request's former names, whose index entries are deleted with the request."""
RACES: Final = 5
REMEMBERED: Final = 2_000
"""Number of requests whose lines this process remembers, so that it can write them again without reading them."""
MOST_MONTHS: Final = 4
"""The most months that one page covers. A page may therefore be short; the next page continues after it."""
NOT_FOUND = 404


@dataclass(frozen=True)
class _Written:
    """What the lists hold of one request."""

    places: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    """The keys of all names that the request has or had."""
    sequence: int = -1
    etag: str = ""


class RequestLists:
    """Writes and reads the lists of requests."""

    def __init__(self, table: TableClient) -> None:
        self._table, self._group = table, GroupCommit(table)
        self._known: OrderedDict[str, _Written] = OrderedDict()
        """Keyed by the row key in the list of all requests. The key holds a time, so an id that is used again after a
        purge has a new key."""
        self._months: set[str] = set()
        self._opening = asyncio.Lock()

    async def show(self, line: Line) -> None:
        """Write a request's current state into the lists, unless they already show a later state. A repeat is harmless.

        Raises:
            Transient: storage did not answer, or at each attempt another delivery had updated this request's lines
                first. Try again later.

        """
        await self._open(line)
        known = await self._before(line)
        for _ in range(RACES):
            if known.sequence > line.sequence:
                return
            try:
                await self._write(line, known)
            except LedgerConflict:
                known = await self._read(line)
            else:
                return
        raise Transient("the app", "the request's lines are being updated by other deliveries")

    async def forget(self, line: Line) -> None:
        """Remove a request from all lists, and its names from the index."""
        self._known.pop(lines.key(EVERY, line), None)
        known = await self._read(line)
        partition = lines.partition(line.month)
        keys = [{"PartitionKey": partition, "RowKey": lines.key(each, line)} for each in known.places]
        names = [{"PartitionKey": NAMES, "RowKey": f"{each}~{line.request_id}"} for each in line.names | known.names]
        async with translated():
            for each in (*keys, *names):
                await self._table.delete_entity(each["PartitionKey"], each["RowKey"])

    def unlisted(self, line: Line) -> None:
        """Remember that the lists hold nothing of a new request yet, so that its first lines are written unread."""
        self._keep(line, _Written())

    def shows(self, line: Line) -> bool:
        """Tell whether this process remembers writing a request to all lists and under all names that it has now."""
        known = self._known.get(lines.key(EVERY, line))
        return known is not None and known.places == line.places and known.names >= line.names

    async def page(self, wanted: Range, after: Place | None, limit: int, stage: Stage | None = None) -> Page:
        """Return up to ``limit`` lines of a list, oldest first. A page that is short or empty need not be the last.

        ``stage``: only lines of this stage; None for all. This filter is meant for the lists of waiting requests.
        """
        months = [month for month in await self._filled(wanted) if after is None or month >= after.month]
        found, calls = list[TableEntity](), 1
        for number, month in enumerate(months):
            if number == MOST_MONTHS or len(found) >= limit:
                return _page(found, Place(month), calls)
            start = after.after if after is not None and month == after.month else ""
            part, left, took = await self._part(_Query.of(wanted, month, start, stage), limit - len(found))
            found, calls = [*found, *part], calls + took
            if left:
                return _page(found, Place(month, left), calls)
        return _page(found, None, calls)

    async def named(self, name_key: str, limit: int, after: str = "") -> list[str]:
        """Return up to ``limit`` ids of requests that have or had this name, in order, starting after ``after``."""
        query = "PartitionKey eq @names and RowKey gt @first and RowKey lt @last"
        values = {"names": NAMES, "first": f"{name_key}~{after}", "last": f"{name_key}~~"}
        found = list[str]()
        async for row in rows(self._table, query, values):
            found.append(row["RowKey"].partition("~")[2])
            if len(found) == limit:
                break
        return found

    async def _open(self, line: Line) -> None:
        """Record which lists have lines in this month before a line is written. A process does this once per list."""
        wanted = {f"{place}~{line.month}" for place in line.places}
        if wanted <= self._months:
            return
        async with self._opening:
            new = sorted(wanted - self._months)
            if new:
                keys = [{"PartitionKey": MONTHS, "RowKey": each} for each in new]
                async with translated():
                    await self._table.submit_transaction([("upsert", key) for key in keys])
                self._months.update(new)

    async def _before(self, line: Line) -> _Written:
        known = self._known.get(lines.key(EVERY, line))
        if known is not None:
            return known
        if line.sequence <= 1:
            return _Written()  # most likely new; if not, the write conflicts and `show` reads the line
        return await self._read(line)

    async def _read(self, line: Line) -> _Written:
        entity = await fetch(self._table, lines.partition(line.month), lines.key(EVERY, line))
        if entity is None:
            return _Written()
        shown = lines.readable(entity)
        if shown is None:
            raise UnreadableRow(f"the line of request {line.request_id} was written by a newer version")
        former = frozenset(entity.get(FORMER, "").split(",")) - {""}
        return _Written(shown.places, shown.names | former, shown.sequence, entity.metadata["etag"] or "")

    async def _write(self, line: Line, known: _Written) -> None:
        """Write all lines of a request in one transaction, after adding its new names to the index."""
        await self._name(line, known)
        columns = lines.columns(line)
        partition = lines.partition(line.month)
        main = {"PartitionKey": partition, "RowKey": lines.key(EVERY, line), **columns}
        if former := known.names - line.names:
            main[FORMER] = ",".join(sorted(former))
        copies = [
            {"PartitionKey": partition, "RowKey": lines.key(each, line), **columns} for each in line.places - {EVERY}
        ]
        gone = [{"PartitionKey": partition, "RowKey": lines.key(each, line)} for each in known.places - line.places]
        operations: list[Any] = [
            guarded(main, known.etag),
            *(("upsert", copy, {"mode": UpdateMode.REPLACE}) for copy in copies),
            *(("delete", row) for row in gone),
        ]
        async with translated():
            try:
                results = await self._group.submit(partition, operations)
            except HttpResponseError as error:
                if error.status_code == NOT_FOUND and getattr(error, "error_code", None) != "TableNotFound":
                    raise LedgerConflict("a line is not where it was") from error
                raise
        self._remember(line, known.names | line.names, results[0]["etag"])

    async def _name(self, line: Line, known: _Written) -> None:
        keys = [
            {"PartitionKey": NAMES, "RowKey": f"{each}~{line.request_id}"} for each in sorted(line.names - known.names)
        ]
        async with translated():  # each entry is valid alone, and a transaction costs more than two such calls
            await asyncio.gather(*(self._table.upsert_entity(key, mode=UpdateMode.REPLACE) for key in keys))

    def _remember(self, line: Line, names: frozenset[str], etag: str) -> None:
        self._keep(line, _Written(line.places, names, line.sequence, etag))

    def _keep(self, line: Line, written: _Written) -> None:
        key = lines.key(EVERY, line)
        self._known.pop(key, None)
        self._known[key] = written
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    async def _filled(self, wanted: Range) -> list[str]:
        """Return the months in which a list has or had lines, in order."""
        query = "PartitionKey eq @months and RowKey ge @first and RowKey le @last"
        since = month_of(wanted.since) if wanted.since else "0000-00"
        until = month_of(wanted.until) if wanted.until else "9999-99"
        values = {"months": MONTHS, "first": f"{wanted.name}~{since}", "last": f"{wanted.name}~{until}"}
        return [row["RowKey"].rpartition("~")[2] async for row in rows(self._table, query, values)]

    async def _part(self, query: "_Query", limit: int) -> tuple[list[TableEntity], str, int]:
        """Read one page of one month. Return its rows, the key at which the next page begins, and the calls made.

        The key is empty if there is no next page. If storage looked through many rows without a match, it returns an
        empty page, and the next page is read at once.
        """
        found, calls = list[TableEntity](), 0
        async with translated():
            pages: Any = self._table.query_entities(
                query.text, parameters=query.values, results_per_page=limit
            ).by_page()
            async for page in pages:
                found, calls = [entity async for entity in page], calls + 1
                if found:
                    break
        more = bool(found) and (pages.continuation_token is not None or len(found) == limit)
        # Every character of a key sorts after the space, so no key lies between the last one and this.
        return found, f"{found[-1]['RowKey']} " if more else "", max(calls, 1)


@dataclass(frozen=True)
class _Query:
    """A query for the lines of one list in one month, starting at a key."""

    text: str
    values: dict[str, Any]

    @classmethod
    def of(cls, wanted: Range, month: str, after: str, stage: Stage | None) -> "_Query":
        """Build the query. ``after``: the key to start at, or empty; ``stage``: only lines of this stage, or None."""
        first = max(f"{wanted.name}~{lines.text(wanted.since) if wanted.since else ''}", after)
        last = f"{wanted.name}~{lines.text(wanted.until) if wanted.until else '~'}"
        text = "PartitionKey eq @month and RowKey ge @first and RowKey lt @last"
        values = {"month": lines.partition(month), "first": first, "last": last}
        if stage is None:
            return cls(text, values)
        return cls(f"{text} and stage eq @stage", {**values, "stage": stage.value})


class Listed:
    """The rows of requests. A write also updates the lists and the campaign that show the request."""

    def __init__(self, rows_of_requests: Rows[RequestRecord], lists: RequestLists, campaigns: Campaigns) -> None:
        self._rows, self._lists, self._campaigns = rows_of_requests, lists, campaigns
        self._behind: set[str] = set()
        """Ids of requests whose lines, or whose campaign's member, are out of date because the last write failed."""

    async def get(self, key: str) -> RequestRecord | None:
        """Return the request with this id; None if there is none."""
        return await self._rows.get(key)

    async def history(self, key: str, after: int, limit: int) -> list[Event]:
        """Return up to ``limit`` events of a request, starting after the number ``after``."""
        return await self._rows.history(key, after, limit)

    async def write(self, change: Change[RequestRecord], *, listed: bool = True) -> RequestRecord:
        """Write a request's row and events, then its lines. If the lines cannot be written, the sweep does it later.

        ``listed``: False for a request that is processed at once; its lines are written with its first wait or its end.

        Raises:
            LedgerConflict: the stored row is not the one that the change was made from.
            Transient: storage did not answer. It may have written the row; a new read shows that.

        """
        written = await self._rows.write(change)
        if not listed:
            self._lists.unlisted(line_of(written))
        elif change.events or not self.shows(written):
            self._behind.add(written.request_id)
            try:
                await self.show(written)
            except (Transient, UnreadableRow) as error:
                log.warning("request %s does not show in the lists yet: %s", written.request_id, error)
        return written

    async def show(self, record: RequestRecord) -> None:
        """Update the lists, and the member of the request's campaign if it has one, to the request's current state.

        Raises:
            Transient: storage did not answer, or other deliveries wrote the same rows first at every try.

        """
        await self._lists.show(line_of(record))
        if record.campaign_id:
            await self._campaigns.show(record)
        self._behind.discard(record.request_id)

    def shows(self, record: RequestRecord) -> bool:
        """Tell whether this process remembers writing a request to all lists that it is in now, and to its campaign."""
        return record.request_id not in self._behind and self._lists.shows(line_of(record))


def _page(found: list[TableEntity], following: Place | None, calls: int) -> Page:
    shown = (lines.readable(entity) for entity in found)
    return Page(tuple(line for line in shown if line is not None), following, calls, len(found))
