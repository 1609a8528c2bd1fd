"""Campaigns in Table Storage: each is one partition, with its members, its lists and what happened to them.

A member stands there twice, in its own row and on the list of its stage, and both are written in one transaction. So a
page of a stage is one query, and no list is ever behind.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from azure.core import MatchConditions
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from b2b.adapters import entities
from b2b.adapters.member_rows import (
    EVENT,
    MEMBER,
    events_of,
    known_of,
    list_of,
    operations_of,
    portions_of,
    range_of,
    seen,
)
from b2b.adapters.tables import (
    Observer,
    Rows,
    fetch,
    portions,
    rows,
    taken,
    translated,
    unobserved,
)
from b2b.domain.campaign.incoming import Known
from b2b.domain.campaign.member import Member, MemberStage
from b2b.domain.campaign.records import Campaign, ListImport
from b2b.domain.campaign.released import showing, shows
from b2b.domain.conversion.records import Change
from b2b.domain.errors import LedgerConflict, Transient
from b2b.domain.request.record import RequestRecord

log = logging.getLogger(__name__)

CAMPAIGNS: Final = "campaigns"
ALL: Final = "campaigns~"
"""Partition of the list of campaigns. No campaign's id has a tilde."""
_ROW: Final = "campaign"
_IMPORT, _PERSON = "import~", "person~"
_COMPARED: Final = ("RowKey", "names", "address", "content", "importId", "stage", "replaced")
"""The columns of a member that a new list is compared with."""
TRIES: Final = 3
_SIDE_BY_SIDE: Final = 8
"""Calls at once: the rest of the app uses the same account."""
_STORING: Final = 2
"""Transactions at once while a list is stored: they all meet in one partition, where more would only queue."""


class Campaigns:
    """The table."""

    def __init__(self, table: TableClient, observer: Observer = unobserved) -> None:
        self._table = table
        self.rows = Rows[Campaign](table, _ROW, lambda row: row.campaign_id, entities.campaign, observer)
        self._gate = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def create(self, change: Change[Campaign]) -> Campaign:
        """Write a new campaign; it is put on the list of campaigns first.

        Raises:
            LedgerConflict: there is one with this id.
            Transient: storage did not answer.

        """
        entity = {"PartitionKey": ALL, "RowKey": change.row.campaign_id, "name": change.row.name}
        async with translated():
            await self._table.upsert_entity(entity, mode=UpdateMode.REPLACE)
        return await self.rows.write(change)

    async def some(self, after: str, limit: int) -> tuple[list[Campaign], str]:
        """Return up to ``limit`` campaigns by id, and the last id if there are more (else an empty text).

        Raises:
            Transient: storage did not answer.

        """
        query, values = "PartitionKey eq @key and RowKey gt @after", {"key": ALL, "after": after}
        ids = [row["RowKey"] for row in await self._first(query, values, limit)]
        found = await asyncio.gather(*(self._campaign(each) for each in ids))
        return [campaign for campaign in found if campaign is not None], ids[-1] if len(ids) == limit else ""

    async def _campaign(self, campaign_id: str) -> Campaign | None:
        async with self._gate:
            return await self.rows.get(campaign_id)

    async def imports(self, campaign_id: str) -> list[ListImport]:
        """Return every list that was sent to a campaign, the latest first.

        Raises:
            Transient: storage did not answer.

        """
        query, values = range_of(campaign_id, _IMPORT)
        found = [entities.list_import(entity) async for entity in rows(self._table, query, values)]
        return sorted(found, key=lambda row: row.started_at, reverse=True)

    async def list_import(self, campaign_id: str, import_id: str) -> ListImport | None:
        """Return what became of a list, or None.

        Raises:
            Transient: storage did not answer.

        """
        entity = await fetch(self._table, campaign_id, _IMPORT + import_id)
        return None if entity is None else entities.list_import(entity)

    async def save_import(self, row: ListImport) -> None:
        """Write how far a list has come. The last writer wins: all who send the same list write the same.

        Raises:
            Transient: storage did not answer.

        """
        entity = {"PartitionKey": row.campaign_id, "RowKey": _IMPORT + row.import_id, **entities.to_entity(row)}
        async with translated():
            await self._table.upsert_entity(entity, mode=UpdateMode.REPLACE)

    async def known(self, campaign_id: str) -> list[Known]:
        """Return what a new list is compared with, of every member.

        Raises:
            Transient: storage did not answer.

        """
        found = list[Known]()
        async with translated():
            query, values = range_of(campaign_id, MEMBER)
            async for entity in self._table.query_entities(query, parameters=values, select=list(_COMPARED)):
                found.append(known_of(entity))
        return found

    async def member(self, campaign_id: str, key: str) -> Member | None:
        """Return a member, or None.

        Raises:
            Transient: storage did not answer.

        """
        async with self._gate:
            entity = await fetch(self._table, campaign_id, MEMBER + key)
        return None if entity is None else entities.member(entity)

    async def members(self, campaign_id: str, keys: Iterable[str]) -> dict[str, Member]:
        """Return those of these members that there are.

        Raises:
            Transient: storage did not answer.

        """
        found = await asyncio.gather(*(self.member(campaign_id, key) for key in keys))
        return {member.key: member for member in found if member is not None}

    async def scan(self, campaign_id: str, stage: MemberStage | None = None) -> AsyncIterator[Member]:
        """Give all members, or those of a stage, in the order of their keys, page by page, to be looked at.

        Raises:
            Transient: storage did not answer.

        """
        query, values = range_of(campaign_id, list_of(stage))
        async for entity in rows(self._table, query, values):
            if (found := seen(entity)) is not None:
                yield found

    async def page(
        self, campaign_id: str, stage: MemberStage | None, after: str, limit: int
    ) -> tuple[list[Member], str]:
        """Return up to ``limit`` members behind a key, and the last key if there are more: one call.

        Raises:
            Transient: storage did not answer.

        """
        prefix = list_of(stage)
        query, values = range_of(campaign_id, prefix)
        values["first"] = prefix + after
        found = await self._first(query.replace("ge @first", "gt @first"), values, limit)
        last = found[-1]["RowKey"].removeprefix(prefix) if len(found) == limit else ""
        return [member for entity in found if (member := seen(entity)) is not None], last

    async def _first(self, query: str, values: Mapping[str, Any], limit: int) -> list[Mapping[str, Any]]:
        """Return the first page of what a query finds: one call."""
        async with translated():
            pages = self._table.query_entities(query, parameters=dict(values), results_per_page=limit).by_page()
            async for found in pages:
                return [entity async for entity in found]
        return []

    async def write(self, change: Change[Member], before: Member | None, person: str = "") -> Member:
        """Write a member with its events, and move it to the list of its stage.

        ``person`` claims the account for this member: another one of the campaign that is the same account conflicts.

        Raises:
            LedgerConflict: the row is not the one that the change was made from, or the account is another member's.
            Transient: storage did not answer; whether it wrote is open, a fresh read tells.

        """
        row = replace(change.row, sequence=change.row.sequence + len(change.events))
        operations = [*operations_of(row, before), *events_of(row, change)]
        if person:
            claim = {"PartitionKey": row.campaign_id, "RowKey": _PERSON + person, "member": row.key}
            operations.append(("create", claim))
        async with self._gate, translated():
            results = await self._table.submit_transaction(operations)
        return replace(row, etag=results[0]["etag"])

    async def person(self, campaign_id: str, user_id: str) -> str:
        """Return the key of the member that an account was first found for. An empty text: no member yet.

        Raises:
            Transient: storage did not answer.

        """
        entity = await fetch(self._table, campaign_id, _PERSON + user_id)
        return entity["member"] if entity is not None else ""

    async def store(self, members: Sequence[tuple[Member, Member | None]]) -> bool:
        """Write members as a list has them, each with the row that it replaces, up to a hundred rows at once.

        False: another process wrote one of them meanwhile. What else was to be written with it was not.

        Raises:
            Transient: storage did not answer; what was written stays.

        """
        left, stored = portions_of(members), list[bool]()

        async def work() -> None:
            for some in left:
                stored.append(await self._transaction(some))

        await asyncio.gather(*(work() for _ in range(_STORING)))
        return all(stored)

    async def purge(self, record: RequestRecord) -> None:
        """Delete the member of a request with its history, unless it was listed or judged anew; its row goes last.

        Raises:
            LedgerConflict: another process wrote the member meanwhile.
            Transient: storage did not answer.

        """
        campaign_id, key = record.campaign_id, record.member
        member = await self.member(campaign_id, key)
        if member is None or not shows(member, record):
            return
        query, values = range_of(campaign_id, f"{EVENT}{key}~")
        deletes: list[tuple[Any, ...]] = [("delete", each) async for each in rows(self._table, query, values)]
        if member.user_id and await self.person(campaign_id, member.user_id) == key:
            deletes.append(("delete", {"PartitionKey": campaign_id, "RowKey": _PERSON + member.user_id}))
        deletes.append(("delete", {"PartitionKey": campaign_id, "RowKey": list_of(member.stage) + key}))
        under = {"etag": member.etag, "match_condition": MatchConditions.IfNotModified}
        state = {"PartitionKey": campaign_id, "RowKey": MEMBER + key}
        for some in portions([*deletes, ("delete", state, under)]):
            if not await taken(self._table, some):
                raise LedgerConflict(f"member {key}")

    async def show(self, record: RequestRecord) -> None:
        """Let a member show its request as it is now, unless it shows a later state. Doing so again changes nothing.

        Raises:
            Transient: storage did not answer, or others write the member all the time.

        """
        for _ in range(TRIES):
            before = await self.member(record.campaign_id, record.member)
            if before is None or (shown := showing(before, record)) == before:
                return
            with suppress(LedgerConflict):
                await self.write(Change(shown), before)
                return
        raise Transient("the app", "others write the row of a member all the time")

    async def _transaction(self, operations: list[tuple[Any, ...]]) -> bool:
        """Write some rows. The SDK repeats no POST, and a connection of a busy minute is often closed when it is used.

        Where only the answer was lost, the repeat meets its own rows: that is a conflict, and they are compared anew.
        """
        for left in reversed(range(TRIES)):
            try:
                async with self._gate:
                    return await taken(self._table, operations)
            except Transient:
                if not left:
                    raise
        raise AssertionError
