"""What a page costs: the size of the ledger does not decide it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from b2b.adapters.ledger import Ledger
from b2b.adapters.lines import columns, key, partition
from b2b.domain.conversion.stages import Stage
from b2b.domain.request.line import EVERY, Line, Range, line_of, stage_list
from b2b.workflows.listings import PAGE, Listings
from tests.adapters.ledger_support import record
from tests.simulation.storage_contract import Memory, Recording

REQUESTS = 100_000
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
MOST_CALLS = 2


def lines() -> list[Line]:
    """A hundred thousand requests of one month; every hundredth waits for a decision."""
    plain = line_of(record(user_principal_name="someone@contoso.com"))
    return [
        replace(
            plain,
            request_id=f"r-{number:06d}",
            listed_at=BEGIN + timedelta(seconds=number),
            requested_at=BEGIN + timedelta(seconds=number),
            stage=Stage.COMPLETED if number % 100 else Stage.NEEDS_REVIEW,
        )
        for number in range(REQUESTS)
    ]


@pytest.mark.timeout(300)
async def test_a_page_of_a_hundred_of_a_hundred_thousand_costs_two_calls(
    capsys: pytest.CaptureFixture[str], record_property: Any
) -> None:
    gate = Recording()
    memory = Memory(gate)
    table = memory.tables.get_table_client("requests")
    months = [
        ("upsert", {"PartitionKey": "months~", "RowKey": f"{name}~2026-11"})
        for name in (EVERY, *map(stage_list, Stage))
    ]
    await table.submit_transaction(months)
    everything = lines()
    for first in range(0, REQUESTS, 50):
        some = everything[first : first + 50]
        rows = [
            ("create", {"PartitionKey": partition(line.month), "RowKey": key(place, line), **columns(line)})
            for line in some
            for place in line.places
        ]
        await table.submit_transaction(rows)
    listings = Listings(Ledger(memory.tables))
    for name, number in ((stage_list(Stage.NEEDS_REVIEW), REQUESTS // 100), (EVERY, REQUESTS)):
        before = len(gate.calls)
        page = await listings.page(Range(name), None)
        calls = len(gate.calls) - before
        record_property(f"storage calls for a page of {name}", calls)
        with capsys.disabled():
            print(f"\n{name}: {len(page.lines)} of {number} with {calls} calls to storage")  # noqa: T201
        assert (len(page.lines), calls, page.calls) == (PAGE, calls, calls)
        assert calls <= MOST_CALLS
        before = len(gate.calls)
        second = await listings.page(Range(name), page.next)
        assert len(gate.calls) - before <= MOST_CALLS
        assert second.lines[0].listed_at > page.lines[-1].listed_at
        assert len(second.lines) == PAGE
