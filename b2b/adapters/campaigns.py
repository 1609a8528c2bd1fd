"""Store campaigns in Table Storage. Each campaign is one partition, with its members, its lists and their history.

A member has two rows, its own and one on the list of its stage. Both are written in one transaction, so a page of a
stage takes one query, and no list is ever out of date.
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
"""The partition of the list of campaigns. Its name has a tilde, which no campaign's id has."""
_ROW: Final = "campaign"
_IMPORT, _PERSON = "import~", "person~"
_COMPARED: Final = ("RowKey", "names", "address", "content", "importId", "stage", "replaced")
"""The columns of a member that a new list is compared with."""
TRIES: Final = 3
_SIDE_BY_SIDE: Final = 8
"""The most concurrent calls. They are limited because the rest of the app uses the same storage account."""
_STORING: Final = 2
"""The most concurrent transactions while a list is stored. All go to one partition, where further ones would only
queue."""


class Campaigns:
    """The table of campaigns."""

    def __init__(self, table: TableClient, observer: Observer = unobserved) -> None:
        self._table = table
        self.rows = Rows[Campaign](table, _ROW, lambda row: row.campaign_id, entities.campaign, observer)
        self._gate = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def create(self, change: Change[Campaign]) -> Campaign:
        """Add a new campaign to the list of campaigns, and then write it.

        Raises:
            LedgerConflict: a campaign with this id exists already.
            Transient: storage did not answer. Try again later.

        """
        entity = {"PartitionKey": ALL, "RowKey": change.row.campaign_id, "name": change.row.name}
        async with translated():
            await self._table.upsert_entity(entity, mode=UpdateMode.REPLACE)
        return await self.rows.write(change)

    async def some(self, after: str, limit: int) -> tuple[list[Campaign], str]:
        """Return up to ``limit`` campaigns with ids after ``after``, and the last id if more follow (else empty).

        Raises:
            Transient: storage did not answer. Try again later.

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
            Transient: storage did not answer. Try again later.

        """
        query, values = range_of(campaign_id, _IMPORT)
        found = [entities.list_import(entity) async for entity in rows(self._table, query, values)]
        return sorted(found, key=lambda row: row.started_at, reverse=True)

    async def list_import(self, campaign_id: str, import_id: str) -> ListImport | None:
        """Return the record of a list, or None if the list was never sent.

        Raises:
            Transient: storage did not answer. Try again later.

        """
        entity = await fetch(self._table, campaign_id, _IMPORT + import_id)
        return None if entity is None else entities.list_import(entity)

    async def save_import(self, row: ListImport) -> None:
        """Write the record of a list. The last writer wins, because every call with a list writes the same record.

        Raises:
            Transient: storage did not answer. Try again later.

        """
        entity = {"PartitionKey": row.campaign_id, "RowKey": _IMPORT + row.import_id, **entities.to_entity(row)}
        async with translated():
            await self._table.upsert_entity(entity, mode=UpdateMode.REPLACE)

    async def known(self, campaign_id: str) -> list[Known]:
        """Return, for every member, the columns that a new list is compared with.

        Raises:
            Transient: storage did not answer. Try again later.

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
            Transient: storage did not answer. Try again later.

        """
        async with self._gate:
            entity = await fetch(self._table, campaign_id, MEMBER + key)
        return None if entity is None else entities.member(entity)

    async def members(self, campaign_id: str, keys: Iterable[str]) -> dict[str, Member]:
        """Return the members that exist among these keys, by key.

        Raises:
            Transient: storage did not answer. Try again later.

        """
        found = await asyncio.gather(*(self.member(campaign_id, key) for key in keys))
        return {member.key: member for member in found if member is not None}

    async def scan(self, campaign_id: str, stage: MemberStage | None = None) -> AsyncIterator[Member]:
        """Yield all members, or those of one stage, in the order of their keys. The members are for reading only.

        Raises:
            Transient: storage did not answer. Try again later.

        """
        query, values = range_of(campaign_id, list_of(stage))
        async for entity in rows(self._table, query, values):
            if (found := seen(entity)) is not None:
                yield found

    async def page(
        self, campaign_id: str, stage: MemberStage | None, after: str, limit: int
    ) -> tuple[list[Member], str]:
        """Return up to ``limit`` members with keys after ``after``, and the last key if more follow (else empty).

        This takes one call. The members are for reading only.

        Raises:
            Transient: storage did not answer. Try again later.

        """
        prefix = list_of(stage)
        query, values = range_of(campaign_id, prefix)
        values["first"] = prefix + after
        found = await self._first(query.replace("ge @first", "gt @first"), values, limit)
        last = found[-1]["RowKey"].removeprefix(prefix) if len(found) == limit else ""
        return [member for entity in found if (member := seen(entity)) is not None], last

    async def _first(self, query: str, values: Mapping[str, Any], limit: int) -> list[Mapping[str, Any]]:
        """Return the first page of the rows that a query finds. This takes one call."""
        async with translated():
            pages = self._table.query_entities(query, parameters=dict(values), results_per_page=limit).by_page()
            async for found in pages:
                return [entity async for entity in found]
        return []

    async def write(self, change: Change[Member], before: Member | None, person: str = "") -> Member:
        """Write a member with its events, and move it to the list of its stage.

        ``person`` is the object id of an account to claim for this member. After that, no other member can claim the
        account.

        Raises:
            LedgerConflict: another process wrote the member meanwhile, or another member has claimed the account.
            Transient: storage did not answer; only a fresh read tells whether it wrote the rows.

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
        """Return the key of the member that an account was first matched to; empty if there is none yet.

        Raises:
            Transient: storage did not answer. Try again later.

        """
        entity = await fetch(self._table, campaign_id, _PERSON + user_id)
        return entity["member"] if entity is not None else ""

    async def store(self, members: Sequence[tuple[Member, Member | None]]) -> bool:
        """Write the members of a list, each given with the member that it replaces, in as few transactions as possible.

        Return False if another process wrote one of these members meanwhile. The transaction with that member writes
        nothing.

        Raises:
            Transient: storage did not answer. The transactions that succeeded before stay written.

        """
        left, stored = portions_of(members), list[bool]()

        async def work() -> None:
            for some in left:
                stored.append(await self._transaction(some))

        await asyncio.gather(*(work() for _ in range(_STORING)))
        return all(stored)

    async def purge(self, record: RequestRecord) -> None:
        """Delete the member of a request with its history, unless the member was listed or judged again.

        The member's own row is deleted last, so that a purge that was cut off can be repeated.

        Raises:
            LedgerConflict: another process wrote the member meanwhile; read it again.
            Transient: storage did not answer. Try again later.

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
        """Update a member to show the state of its request, unless the member already shows a later state.

        A repeat changes nothing.

        Raises:
            Transient: storage did not answer, or other processes keep writing the member. Try again later.

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
        """Write some rows in one transaction, up to `TRIES` times. Return False if there is a conflict.

        The SDK does not repeat a POST, and under load a connection is often closed by the time it is used. If only the
        answer was lost, the next try conflicts with the rows of the first, and the caller compares the list again.
        """
        for left in reversed(range(TRIES)):
            try:
                async with self._gate:
                    return await taken(self._table, operations)
            except Transient:
                if not left:
                    raise
        raise AssertionError
