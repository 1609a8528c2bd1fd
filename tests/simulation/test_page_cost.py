"""The cost of a page of requests: it does not grow with the ledger."""

from typing import Any

import pytest

from b2b.domain.conversion.stages import Stage
from b2b.domain.request.line import EVERY, Range, stage_list
from b2b.workflows.listings import PAGE
from tests.simulation.large_ledger import WAITING, large_ledger

REQUESTS = 100_000
MOST_CALLS = 2


@pytest.mark.timeout(300)
async def test_a_page_of_100_requests_out_of_100000_takes_two_calls(
    capsys: pytest.CaptureFixture[str], record_property: Any
) -> None:
    ledger = await large_ledger(REQUESTS)
    listings, gate = ledger.listings, ledger.gate
    for name, number in ((stage_list(Stage.NEEDS_REVIEW), REQUESTS // WAITING), (EVERY, REQUESTS)):
        before = len(gate.calls)
        page = await listings.page(Range(name), None)
        calls = len(gate.calls) - before
        record_property(f"storage calls for a page of {name}", calls)
        with capsys.disabled():
            print(f"\n{name}: {len(page.lines)} of {number} with {calls} calls to storage")  # noqa: T201
        assert (len(page.lines), page.calls) == (PAGE, calls)
        assert calls <= MOST_CALLS
        before = len(gate.calls)
        second = await listings.page(Range(name), page.next)
        assert len(gate.calls) - before <= MOST_CALLS
        assert second.lines[0].listed_at > page.lines[-1].listed_at
        assert len(second.lines) == PAGE
