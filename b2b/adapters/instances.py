"""The rows from which inviting instances count each other. Only their keys and storage's timestamps matter."""

from contextlib import suppress
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from b2b.adapters.tables import STORAGE, translated
from b2b.domain.errors import LedgerConflict, Transient

INSTANCES = "instances~"
"""Their partition. No object id has a tilde."""
FORGOTTEN = 3600.0
"""Seconds after which other instances remove the row of an instance that no longer renews it."""
_COLUMNS = ["PartitionKey", "RowKey", "Timestamp"]
"""Nothing else of a row is read: what another version writes into its own cannot stop this one."""


class Instances:
    """The rows of all instances, one each."""

    def __init__(self, table: TableClient) -> None:
        """Use a table."""
        self._table = table

    async def renew(self, name: str) -> list[float]:
        """Write the row of this instance; then return how many seconds older the row of each other one is."""
        query, parameters = "PartitionKey eq @instances", {"instances": INSTANCES}
        found = dict[str, Any]()
        async with translated():
            await self._table.upsert_entity({"PartitionKey": INSTANCES, "RowKey": name}, mode=UpdateMode.REPLACE)
            async for row in self._table.query_entities(query, parameters=parameters, select=_COLUMNS):
                found[row["RowKey"]] = row.metadata
        if name not in found:
            raise Transient(STORAGE, "the row of this instance was removed while it was read")
        own = found.pop(name)["timestamp"]
        ages = {key: (own - each["timestamp"]).total_seconds() for key, each in found.items()}
        for key in [key for key, age in ages.items() if age > FORGOTTEN]:
            with suppress(LedgerConflict):  # it is back
                await self._forget(key, found[key]["etag"])
        return list(ages.values())

    async def _forget(self, name: str, etag: str | None) -> None:
        async with translated():
            await self._table.delete_entity(INSTANCES, name, etag=etag, match_condition=MatchConditions.IfNotModified)
