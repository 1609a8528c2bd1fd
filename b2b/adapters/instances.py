"""Rows by which the instances that invite count each other. Only row keys and storage's timestamps are read."""

from contextlib import suppress
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from b2b.adapters.tables import STORAGE, translated
from b2b.domain.errors import LedgerConflict, Transient

INSTANCES = "instances~"
"""The partition of the instances' rows. No object id contains a tilde."""
FORGOTTEN = 3600.0
"""Seconds without renewal after which another instance removes an instance's row."""
_COLUMNS = ["PartitionKey", "RowKey", "Timestamp"]
"""No other column is read, so that nothing another version writes into its row can stop this version."""


class Instances:
    """The rows of all instances, one for each instance."""

    def __init__(self, table: TableClient) -> None:
        self._table = table

    async def renew(self, name: str) -> list[float]:
        """Renew the row of this instance. Return by how many seconds the row of each other instance is older.

        Rows that are older than `FORGOTTEN` are also returned, and then removed.
        """
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
            with suppress(LedgerConflict):  # the instance has renewed its row meanwhile
                await self._forget(key, found[key]["etag"])
        return list(ages.values())

    async def _forget(self, name: str, etag: str | None) -> None:
        async with translated():
            await self._table.delete_entity(INSTANCES, name, etag=etag, match_condition=MatchConditions.IfNotModified)
