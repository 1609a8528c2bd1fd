"""Store the ledger in Table Storage: state rows, their history, and rows that find a state row by another key.

The ledger writes a state row and its events in one transaction, guarded by the row's ETag. A row that points to a state
row in another partition is written before the state row. A reader checks the pointing row against the state row, which
is the truth.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient

from b2b.adapters import entities, snapshots
from b2b.adapters.campaign_runs import CampaignRuns
from b2b.adapters.campaigns import CAMPAIGNS, Campaigns
from b2b.adapters.instances import Instances
from b2b.adapters.lists import FollowedIndex, Listing, TimedListing
from b2b.adapters.request_lists import Listed, RequestLists
from b2b.adapters.tables import Observer, Rows, fetch, portions, put, rows, taken, translated, unobserved
from b2b.domain.conversion.records import Change, Conversion
from b2b.domain.conversion.tenant_fact import TenantFact
from b2b.domain.errors import LedgerConflict
from b2b.domain.lifecycle.snapshot import Moment, Snapshot
from b2b.domain.pacing import Pace
from b2b.domain.readings import Reservation
from b2b.domain.request.line import line_of
from b2b.domain.request.record import RequestRecord
from b2b.domain.sweep import Census, LastRun, PartReport, Reported, SweepReport

CONVERSIONS = "conversions"
REQUESTS = "requests"
FOLLOWED, SCHEDULE, UNTOLD, OPEN = "followed~", "schedule~", "untold~", "open~"
RESTED, WORKING, COMPARISONS = "rested~", "working~", "comparisons~"
FACT, SWEEP, CENSUS = "tenant~fact", "sweep~", "census"
"""Partitions of lists, of the tenant fact and of the sweep's reports. Their names have a tilde, which no object id and
no request id has."""
CLIENT_OPTIONS: dict[str, Any] = {
    "retry_total": 2,
    "retry_backoff_factor": 0.5,
    "connection_timeout": 5,
    "read_timeout": 15,
}
"""Numbers of retries, and times in seconds. By default the SDK retries for minutes inside the function. That is of no
use, because the queue retries anyway."""
_MEMBER = "request-"


class Ledger:
    """The app's tables."""

    def __init__(self, service: TableServiceClient, observer: Observer = unobserved) -> None:
        """Use a storage account. ``observer`` gets each change after it was written."""
        self._service = service
        self._conversions = service.get_table_client(CONVERSIONS)
        self._requests = service.get_table_client(REQUESTS)
        self._campaigns = service.get_table_client(CAMPAIGNS)
        self.campaigns = Campaigns(self._campaigns, observer)
        self.runs = CampaignRuns(self._campaigns)
        self.working = Listing(self._campaigns, WORKING)
        self.conversions = Rows[Conversion](
            self._conversions, entities.STATE, lambda row: row.user_id, entities.conversion, observer
        )
        self.pace = Rows[Pace](self._conversions, entities.PACE, lambda _row: entities.PACE, entities.pace, observer)
        self.instances = Instances(self._conversions)
        self.followed = FollowedIndex(self._conversions, FOLLOWED)
        self.schedule = TimedListing(self._conversions, SCHEDULE)
        self.comparisons = TimedListing(self._conversions, COMPARISONS)
        self.untold = Listing(self._conversions, UNTOLD)
        self.open = TimedListing(self._requests, OPEN)
        self.rested = TimedListing(self._requests, RESTED)
        self.lists = RequestLists(self._requests)
        rows_of_requests = Rows[RequestRecord](
            self._requests, entities.REQUEST, lambda row: row.request_id, entities.request_record, observer
        )
        self.requests = Listed(rows_of_requests, self.lists, self.campaigns)

    @classmethod
    def from_connection_string(
        cls, connection_string: str, *, observer: Observer = unobserved, **options: Any
    ) -> "Ledger":
        """Open with a connection string, for Azurite or a storage account that still allows keys."""
        return cls(TableServiceClient.from_connection_string(connection_string, **CLIENT_OPTIONS, **options), observer)

    @classmethod
    def from_identity(
        cls, account_url: str, credential: AsyncTokenCredential, *, observer: Observer = unobserved, **options: Any
    ) -> "Ledger":
        """Open with the managed identity."""
        return cls(TableServiceClient(account_url, credential=credential, **CLIENT_OPTIONS, **options), observer)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._conversions.close()
        await self._requests.close()
        await self._campaigns.close()
        await self._service.close()

    async def save(
        self, change: Change[Conversion], *request_ids: str, kept: Mapping[Moment, Snapshot] | None = None
    ) -> Conversion:
        """Write an account's conversion, the requests that join it (``request_ids``) and snapshots (``kept``).

        Raises:
            LedgerConflict: another process wrote the conversion first. Read it again and decide again.

        """
        generation = change.row.generation
        members = ({"RowKey": _MEMBER + each, "generation": generation} for each in request_ids)
        taken = (snapshots.to_entity(generation, moment, each) for moment, each in (kept or {}).items())
        return await self.conversions.write(change, *members, *taken)

    async def snapshot(self, user_id: str, generation: int, moment: Moment) -> Snapshot | None:
        """Return the snapshot that a generation of an account's conversion took at a moment; None if it took none.

        Raises:
            UnreadableRow: a newer version of the app wrote the snapshot.
            Transient: storage did not answer. Try again later.

        """
        entity = await fetch(self._conversions, user_id, snapshots.key(generation, moment))
        return None if entity is None else snapshots.from_entity(entity)

    async def members(self, conversion: Conversion) -> list[str]:
        """Return the ids of the requests that belong to this conversion."""
        query = "PartitionKey eq @key and RowKey ge @first and RowKey lt @last and generation eq @generation"
        values = {
            "key": conversion.user_id,
            "first": _MEMBER,
            "last": _MEMBER[:-1] + chr(ord(_MEMBER[-1]) + 1),
            "generation": conversion.generation,
        }
        return [row["RowKey"].removeprefix(_MEMBER) async for row in rows(self._conversions, query, values)]

    async def reservation(self, address_key: str) -> Reservation | None:
        """Return the reservation of an address, by the hash of the address; None if nothing reserves it."""
        entity = await fetch(self._conversions, f"address~{address_key}", "reservation")
        if entity is None:
            return None
        absent_since, etag = entity.get("absentSince"), entity.metadata["etag"]
        return Reservation(address_key, entity["userId"], entity["since"], absent_since, etag)

    async def reserve(self, reservation: Reservation) -> Reservation:
        """Insert a reservation, or replace the stored one if it still has this reservation's ETag.

        Raises:
            LedgerConflict: another process has reserved the address, or has changed the reservation.

        """
        entity = {
            "PartitionKey": f"address~{reservation.address_key}",
            "RowKey": "reservation",
            "userId": reservation.user_id,
            "since": reservation.since,
            **({"absentSince": reservation.absent_since} if reservation.absent_since else {}),
        }
        async with translated():
            return replace(reservation, etag=await put(self._conversions, entity, reservation.etag))

    async def tenant_fact(self) -> TenantFact:
        """Return the tenant fact: whether accounts show that they are invited. It is unknown if no row is stored."""
        entity = await fetch(self._conversions, FACT, FACT)
        return TenantFact() if entity is None else msgspec.json.decode(entity["known"], type=TenantFact)

    async def learn(self, fact: TenantFact) -> None:
        """Store the tenant fact. The last writer wins, because each writer has learned the fact from Graph."""
        entity = {"PartitionKey": FACT, "RowKey": FACT, "known": msgspec.json.encode(fact).decode()}
        async with translated():
            await self._conversions.upsert_entity(entity)

    async def report(self, report: SweepReport, now: datetime) -> None:
        """Store what the parts of a sweep did and counted. This replaces the last report of each part."""
        found: dict[str, PartReport | Census] = {each.part: each for each in report.parts}
        if report.census is not None:
            found[CENSUS] = report.census
        kept = [
            {"PartitionKey": SWEEP, "RowKey": name, "at": now, "report": msgspec.json.encode(each).decode()}
            for name, each in found.items()
        ]
        async with translated():
            await self._conversions.submit_transaction([("upsert", row, {"mode": UpdateMode.REPLACE}) for row in kept])

    async def reported(self) -> Reported:
        """Return the last report of each part of the sweep, and the last census; None if there is no census yet."""
        kept = {row["RowKey"]: row async for row in rows(self._conversions, "PartitionKey eq @key", {"key": SWEEP})}
        census = kept.pop(CENSUS, None)
        return Reported(
            tuple(
                LastRun(msgspec.json.decode(row["report"], type=PartReport), entities.moment(row["at"]))
                for row in kept.values()
            ),
            None if census is None else msgspec.json.decode(census["report"], type=Census),
        )

    async def purge(self, record: RequestRecord) -> None:
        """Delete an ended request with its history, and its campaign member if that still shows this request.

        The state row is deleted last. If the process dies before that, the next sweep purges the request again.

        Raises:
            LedgerConflict: the row has changed since it was read, or another process purges it too.

        """
        await self.lists.forget(line_of(record))
        if record.campaign_id:
            await self.campaigns.purge(record)
        pointer = {"PartitionKey": f"body~{record.body_hash}", "RowKey": record.request_id}
        await taken(self._requests, [("delete", pointer)])
        query, values = "PartitionKey eq @key and RowKey ne @row", {"key": record.request_id, "row": entities.REQUEST}
        others = [each async for each in rows(self._requests, query, values)]
        state = {"PartitionKey": record.request_id, "RowKey": entities.REQUEST}
        under = {"etag": record.etag, "match_condition": MatchConditions.IfNotModified}
        for some in portions([*(("delete", each) for each in others), ("delete", state, under)]):
            if not await taken(self._requests, some):
                raise LedgerConflict(f"request {record.request_id}")

    async def purge_pauses(self, before: datetime) -> None:
        """Delete the events of the breaker's history that are older than ``before``."""
        query = "PartitionKey eq @key and RowKey ge @first and at lt @before"
        values = {"key": entities.PACE, "first": entities.HISTORY, "before": before}
        past = [each async for each in rows(self._conversions, query, values) if "kind" in each]
        for some in portions(("delete", each) for each in past):
            await taken(self._conversions, some)

    async def remember_body(self, body_hash: str, request_id: str) -> None:
        """Let `by_body` find a request whose message has no requestId, because a poison message holds only the body."""
        async with translated():
            await self._requests.upsert_entity({"PartitionKey": f"body~{body_hash}", "RowKey": request_id})

    async def by_body(self, body_hash: str) -> list[str]:
        """Return the ids of the requests whose message had this body and no requestId."""
        query = "PartitionKey eq @key"
        return [row["RowKey"] async for row in rows(self._requests, query, {"key": f"body~{body_hash}"})]

    async def check(self) -> None:
        """Read from each table.

        Raises:
            Transient: a table is missing, which the error names, or storage does not answer.

        """
        for table in (self._conversions, self._requests, self._campaigns):
            await fetch(table, "check", "check")
