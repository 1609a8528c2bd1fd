"""Repair counts every open request once in a round, no matter how many runs the round takes."""

from datetime import timedelta

import pytest

from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import Waiting, WaitReason
from b2b.domain.sweep import Census, Part, SweepReport
from b2b.workflows.sweep.turn import MOST_TROUBLE
from tests.simulation.app import allowance
from tests.simulation.bench_sweep import START, Ground
from tests.simulation.gate import Call

HOUR = timedelta(hours=1)
REQUESTS = 60


def with_budget(items: int) -> Ground:
    ground = Ground()
    ground.allowance = allowance(items, lists=False)
    ground.app = ground.process()
    return ground


def paused(ground: Ground, *, due_in: timedelta = 12 * HOUR) -> None:
    """Store requests that arrived three hours ago and wait. Their messages become due `due_in` after the start."""
    for number in range(REQUESTS):
        request_id, due = f"r-{number:02d}", START + due_in
        waiting = Waiting(WaitReason.PAUSED, START - 3 * HOUR, due)
        ground.request(request_id, Stage.REQUESTED, ground.new_id(), token="t", due_at=due, waiting=waiting)
        ground.opened(request_id, START - 3 * HOUR)


def round_of(ground: Ground) -> tuple[list[SweepReport], Census]:
    """Run the sweep until repair ends a round; return the reports and the census."""
    reports = []
    for _ in range(REQUESTS):
        reports.append(ground.sweep()[0])
        if (census := reports[-1].census) is not None:
            return reports, census
    raise AssertionError("the round has no end")


@pytest.mark.parametrize(("items", "runs"), [(1000, 1), (30, 3), (7, 9)])
def test_a_census_over_several_runs_counts_every_waiting_request(items: int, runs: int) -> None:
    ground = with_budget(items)
    paused(ground)
    reports, census = round_of(ground)
    assert (len(reports), dict(census.waiting)) == (runs, {"paused": REQUESTS})


def test_a_census_counts_the_requests_of_a_run_that_failures_ended() -> None:
    ground = with_budget(1000)
    paused(ground, due_in=-2 * HOUR)
    failed: list[str] = []

    def refused(call: Call) -> str | None:
        if call.service == "queue" and call.verb == "send" and len(failed) < MOST_TROUBLE:
            failed.append(call.subject)
            return "unreachable"
        return None

    ground.gate.failing = refused
    reports, census = round_of(ground)
    assert len(failed) == MOST_TROUBLE
    assert "stopped" in reports[0].of(Part.REPAIR).note
    assert sum(census.waiting.values()) == REQUESTS


def test_rows_that_cannot_be_read_are_counted_in_the_census_and_against_the_budget() -> None:
    ground = with_budget(20)
    paused(ground)
    client = ground.tables.open_client("requests")
    for number in range(REQUESTS):
        client.write({**(client.read(f"r-{number:02d}", "request") or {}), "stage": "teleported"})
    reports, census = round_of(ground)
    handled = [(report.of(Part.REPAIR).done, report.of(Part.REPAIR).unreadable) for report in reports]
    assert handled == [(20, 20)] * 3 + [(0, 0)]
    assert (census.unreadable, sum(census.waiting.values())) == (REQUESTS, 0)
