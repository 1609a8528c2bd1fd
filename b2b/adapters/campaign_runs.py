"""Store the runs of campaigns and their parts in Table Storage."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from b2b.adapters import entities
from b2b.adapters.member_rows import range_of
from b2b.adapters.tables import fetch, portions, put, rows, translated
from b2b.domain.campaign.runs import Part, Run

_RUN: Final = "run~"
_PART: Final = "part~"


class CampaignRuns:
    """The rows of runs in the table of campaigns."""

    def __init__(self, table: TableClient) -> None:
        self._table = table

    async def save(self, run: Run, *parts: Part) -> Run:
        """Write the parts of a run, and then the run's row: a new row, or the next version of the row that was read.

        The parts are written first, so that every part of a stored run exists. Several processes may cut a run into
        parts. Then only the parts whose cut the run's row names are used.

        Raises:
            LedgerConflict: another process wrote the run meanwhile; read it again.
            Transient: storage did not answer; only a fresh read tells whether it wrote the rows.

        """
        rows_of_parts = [_part(run, part) for part in parts]
        for some in portions([("upsert", row, {"mode": UpdateMode.REPLACE}) for row in rows_of_parts]):
            async with translated():
                await self._table.submit_transaction(some)
        entity = {"PartitionKey": run.campaign_id, "RowKey": f"{_RUN}{run.run_id}", **entities.to_entity(run)}
        async with translated():
            return replace(run, etag=await put(self._table, entity, run.etag))

    async def get(self, campaign_id: str, run_id: str) -> Run | None:
        """Return a run, or None.

        Raises:
            Transient: storage did not answer. Try again later.

        """
        entity = await fetch(self._table, campaign_id, f"{_RUN}{run_id}")
        return None if entity is None else entities.run(entity)

    async def parts(self, run: Run) -> list[Part]:
        """Return the parts of a run in order. If several processes cut the run, its row names the cut to return.

        Raises:
            Transient: storage did not answer. Try again later.

        """
        if not run.planned:
            return []
        query, values = range_of(run.campaign_id, _key(run))
        return [_read_part(entity) async for entity in rows(self._table, query, values)]

    async def part(self, run: Run, number: int) -> Part | None:
        """Return a part of a run, or None.

        Raises:
            Transient: storage did not answer. Try again later.

        """
        entity = await fetch(self._table, run.campaign_id, f"{_key(run)}{number:05d}")
        return None if entity is None else _read_part(entity)

    async def finish(self, run: Run, part: Part) -> None:
        """Write the result of a part. The last writer wins, because a part that is done twice has the same result.

        Raises:
            Transient: storage did not answer. Try again later.

        """
        async with translated():
            await self._table.upsert_entity(_part(run, part), mode=UpdateMode.REPLACE)


def _key(run: Run) -> str:
    """Return the prefix of the row keys of a run's parts."""
    return f"{_PART}{run.run_id}~{run.plan}~"


def _part(run: Run, part: Part) -> dict[str, Any]:
    return {
        "PartitionKey": run.campaign_id,
        "RowKey": f"{_key(run)}{part.number:05d}",
        "keys": msgspec.json.encode(part.keys).decode(),
        "done": part.done,
        "counts": msgspec.json.encode(part.counts).decode(),
    }


def _read_part(entity: Mapping[str, Any]) -> Part:
    return Part(
        int(entity["RowKey"].rpartition("~")[2]),
        msgspec.json.decode(entity["keys"], type=tuple[str, ...]),
        entity["done"],
        msgspec.json.decode(entity["counts"], type=dict[str, int]),
    )
