"""The ledger in Table Storage: state rows, their history, and the rows by which other keys find them.

A state row and the events that explain it are written in one transaction, guarded by the row's ETag. Rows that point
into another partition are written first; a reader checks them against the state row, which is the truth.
"""

from datetime import datetime
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient

from b2b.adapters import entities
from b2b.adapters.tables import Rows, fetch, guarded, rows, translated
from b2b.domain.conversion import Change, Conversion, RequestRecord
from b2b.domain.pacing import Pace
from b2b.domain.readings import Due, Reservation

CONVERSIONS = "conversions"
REQUESTS = "requests"
DUE, OPEN, SWEEP = "due", "open~", "sweep"
"""Partitions of lists; no object id and no request id can be called so."""
CLIENT_OPTIONS: dict[str, Any] = {
    "retry_total": 2,
    "retry_backoff_factor": 0.5,
    "connection_timeout": 5,
    "read_timeout": 15,
}
"""The SDK alone would repeat for minutes inside the function; a message that fails comes back anyway."""
_MEMBER = "request-"


class Ledger:
    """Both tables."""

    def __init__(self, service: TableServiceClient) -> None:
        """Use a service client; nothing is sent."""
        self._service = service
        self._conversions = service.get_table_client(CONVERSIONS)
        self._requests = service.get_table_client(REQUESTS)
        self.conversions = Rows[Conversion](
            self._conversions, entities.STATE, lambda row: row.user_id, entities.conversion
        )
        self.pace = Rows[Pace](self._conversions, entities.PACE, lambda _row: entities.PACE, entities.pace)
        self.requests = Rows[RequestRecord](
            self._requests, entities.REQUEST, lambda row: row.request_id, entities.request_record
        )

    @classmethod
    def from_connection_string(cls, connection_string: str, **options: Any) -> "Ledger":
        """Open with a connection string: Azurite, or an account that still allows keys."""
        return cls(TableServiceClient.from_connection_string(connection_string, **CLIENT_OPTIONS, **options))

    @classmethod
    def from_identity(cls, account_url: str, credential: AsyncTokenCredential, **options: Any) -> "Ledger":
        """Open with the managed identity."""
        return cls(TableServiceClient(account_url, credential=credential, **CLIENT_OPTIONS, **options))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._conversions.close()
        await self._requests.close()
        await self._service.close()

    async def save(self, change: Change[Conversion], *request_ids: str) -> Conversion:
        """Write an account's conversion, together with the requests that belong to it from now on.

        Raises:
            LedgerConflict: somebody else wrote first; read again and decide again.
            Transient: storage did not answer.

        """
        members = ({"RowKey": _MEMBER + each, "generation": change.row.generation} for each in request_ids)
        return await self.conversions.write(change, *members)

    async def members(self, conversion: Conversion) -> list[str]:
        """Return the ids of the requests that belong to this conversion.

        Raises:
            Transient: storage did not answer.

        """
        query = "PartitionKey eq @key and RowKey ge @first and RowKey lt @last and generation eq @generation"
        values = {
            "key": conversion.user_id,
            "first": _MEMBER,
            "last": _MEMBER[:-1] + chr(ord(_MEMBER[-1]) + 1),
            "generation": conversion.generation,
        }
        return [row["RowKey"].removeprefix(_MEMBER) async for row in rows(self._conversions, query, values)]

    async def reservation(self, address_key: str) -> Reservation | None:
        """Return who reserved an address, by the hash of the address.

        Raises:
            Transient: storage did not answer.

        """
        entity = await fetch(self._conversions, f"address~{address_key}", "reservation")
        return None if entity is None else Reservation(entity["userId"], entity.metadata["etag"])

    async def reserve(self, address_key: str, user_id: str, over: Reservation | None) -> None:
        """Reserve an address for an account, over a reservation that was found to point nowhere.

        Raises:
            LedgerConflict: somebody else reserved it meanwhile.
            Transient: storage did not answer.

        """
        entity = {"PartitionKey": f"address~{address_key}", "RowKey": "reservation", "userId": user_id}
        async with translated():
            await self._conversions.submit_transaction([guarded(entity, over.etag if over else "")])

    async def add_due(self, user_id: str, now: datetime) -> None:
        """Put an account on the list of those that the sweep follows.

        Raises:
            Transient: storage did not answer.

        """
        await _point(self._conversions, DUE, user_id, now)

    async def remove_due(self, user_id: str) -> None:
        """Take an account off that list; one that is not on it is fine.

        Raises:
            Transient: storage did not answer.

        """
        await _unpoint(self._conversions, DUE, user_id)

    async def due(self, after: str, limit: int) -> list[Due]:
        """Return up to ``limit`` accounts of the list, in order of their ids, behind the given one.

        Raises:
            Transient: storage did not answer.

        """
        return await _pointers(self._conversions, DUE, after, limit)

    async def add_open(self, request_id: str, now: datetime) -> None:
        """Put a request on the list of those that are not at rest.

        Raises:
            Transient: storage did not answer.

        """
        await _point(self._requests, OPEN, request_id, now)

    async def remove_open(self, request_id: str) -> None:
        """Take a request off that list; one that is not on it is fine.

        Raises:
            Transient: storage did not answer.

        """
        await _unpoint(self._requests, OPEN, request_id)

    async def open(self, after: str, limit: int) -> list[Due]:
        """Return up to ``limit`` requests of that list, in order of their ids, behind the given one.

        Raises:
            Transient: storage did not answer.

        """
        return await _pointers(self._requests, OPEN, after, limit)

    async def cursor(self, listing: str) -> str:
        """Return where the last sweep of a list stopped; empty: at the start.

        Raises:
            Transient: storage did not answer.

        """
        entity = await fetch(self._conversions, SWEEP, listing)
        return entity.get("after", "") if entity else ""

    async def move_cursor(self, listing: str, after: str) -> None:
        """Remember where this sweep of a list stopped.

        Raises:
            Transient: storage did not answer.

        """
        entity = {"PartitionKey": SWEEP, "RowKey": listing, "after": after}
        async with translated():
            await self._conversions.upsert_entity(entity, mode=UpdateMode.REPLACE)

    async def remember_body(self, body_hash: str, request_id: str) -> None:
        """Make a request without an id of its own findable by its body: a poison copy keeps nothing else.

        Raises:
            Transient: storage did not answer.

        """
        async with translated():
            await self._requests.upsert_entity({"PartitionKey": f"body~{body_hash}", "RowKey": request_id})

    async def by_body(self, body_hash: str) -> list[str]:
        """Return the ids of the requests that came with this body and without an id.

        Raises:
            Transient: storage did not answer.

        """
        query = "PartitionKey eq @key"
        return [row["RowKey"] async for row in rows(self._requests, query, {"key": f"body~{body_hash}"})]

    async def check(self) -> None:
        """Ask for both tables.

        Raises:
            Transient: names the table that is missing, or says that storage does not answer.

        """
        for table in (self._conversions, self._requests):
            await fetch(table, SWEEP, "cursor")


async def _point(table: TableClient, listing: str, key: str, now: datetime) -> None:
    async with translated():
        await table.upsert_entity({"PartitionKey": listing, "RowKey": key, "since": now})


async def _unpoint(table: TableClient, listing: str, key: str) -> None:
    async with translated():
        await table.delete_entity(listing, key)


async def _pointers(table: TableClient, listing: str, after: str, limit: int) -> list[Due]:
    query, found = "PartitionKey eq @key and RowKey gt @after", list[Due]()
    async for entity in rows(table, query, {"key": listing, "after": after}):
        found.append(Due(entity["RowKey"], entity["since"]))
        if len(found) == limit:
            break
    return found
