"""Lists of any number of requests in memory, and the number of calls to storage that a page of a list takes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from b2b.adapters import entities
from b2b.adapters.ledger import Ledger
from b2b.adapters.lines import columns, key, partition
from b2b.adapters.request_lists import MONTHS, NAMES
from b2b.domain.conversion.stages import Stage
from b2b.domain.request.line import EVERY, Line, line_of, stage_list
from b2b.workflows.listings import Listings
from tests.adapters.ledger_support import record
from tests.simulation.storage_contract import Memory, Recording

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
WAITING = 100
"""One request in this many waits for a decision; all others are completed."""
AT_ONCE = 50


@dataclass(frozen=True)
class LargeLedger:
    """The requests of one month, and the gate that counts the calls to storage."""

    listings: Listings
    gate: Recording


def name_of(number: int) -> str:
    """Return the user principal name in a request."""
    return f"person{number}@contoso.com"


def lines(requests: int) -> Iterator[Line]:
    """Yield the list lines of some requests, which arrive one second apart."""
    plain = line_of(record())
    for number in range(requests):
        came = BEGIN + timedelta(seconds=number)
        yield replace(
            plain,
            request_id=f"r-{number:06d}",
            user_principal_name=name_of(number),
            listed_at=came,
            requested_at=came,
            stage=Stage.COMPLETED if number % WAITING else Stage.NEEDS_REVIEW,
        )


async def large_ledger(requests: int) -> LargeLedger:
    """Write the lists in the adapter's format, many requests in a transaction. Only waiting requests get a row."""
    gate = Recording()
    memory = Memory(gate)
    table = memory.tables.get_table_client("requests")
    months = [
        ("upsert", {"PartitionKey": MONTHS, "RowKey": f"{name}~{BEGIN:%Y-%m}"})
        for name in (EVERY, *map(stage_list, Stage))
    ]
    await table.submit_transaction(months)
    everything = list(lines(requests))
    for first in range(0, requests, AT_ONCE):
        some = everything[first : first + AT_ONCE]
        places = [
            ("create", {"PartitionKey": partition(line.month), "RowKey": key(place, line), **columns(line)})
            for line in some
            for place in line.places
        ]
        names = [
            ("create", {"PartitionKey": NAMES, "RowKey": f"{name}~{line.request_id}"})
            for line in some
            for name in line.names
        ]
        await table.submit_transaction(places)
        await table.submit_transaction(names)
    for line in everything[::WAITING]:
        row = record(
            line.request_id,
            stage=line.stage,
            listed_at=line.listed_at,
            requested_at=line.requested_at,
            user_principal_name=line.user_principal_name,
        )
        await table.create_entity(
            {"PartitionKey": line.request_id, "RowKey": entities.REQUEST, **entities.to_entity(row)}
        )
    return LargeLedger(Listings(Ledger(memory.tables)), gate)
