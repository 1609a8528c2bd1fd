"""The parts of the sweep on services in memory: each gets its turn, and both ways to follow accounts see the same."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from b2b.domain.conversion.stages import Stage
from b2b.domain.errors import Transient
from b2b.domain.request.message import Resume
from b2b.domain.sweep import BUDGETS, OVERRUN, Budget, Part
from b2b.workflows.sweep.sweep import Sweep
from b2b.workflows.sweep.turn import MOST_TROUBLE, Turn
from tests.simulation import bench_sweep
from tests.simulation.app import WORK, allowance
from tests.simulation.bench_sweep import SMALL, START, Ground, Size, campaign, seen_by
from tests.simulation.directory_accounts import ACCEPTED
from tests.simulation.gate import Call
from tests.simulation.history import Ask, History, Step
from tests.simulation.loop import SimulatedLoop
from tests.simulation.search import play

FEW = Size(rows=150, pending=100, redeemed=7, foreign=0, parked=0)


@pytest.mark.parametrize("bench", [bench_sweep.following, bench_sweep.otherwise, bench_sweep.late_queue])
def test_a_sweep_of_a_large_ledger_stays_within_its_limits(bench: Callable[[Size], None]) -> None:
    bench(SMALL)


def test_the_list_is_given_up_when_reading_by_id_is_cheaper() -> None:
    ground, redeemed = campaign(FEW, foreign=8 * 999)
    report, calls, _ = ground.sweep()
    assert seen_by(ground, redeemed) == FEW.redeemed
    assert report.of(Part.FOLLOW).note == "by id: the list was given up after 6 pages"
    assert calls["graph"] == 6 + 5
    ground.sweep()
    report, calls, _ = ground.sweep()
    assert calls["graph"] == 5, "the list is not asked for again so soon"


@pytest.mark.parametrize("trouble", ["busy", "unreachable", "expired"])
def test_all_accounts_are_read_by_id_if_the_list_breaks_off(trouble: str) -> None:
    ground, redeemed = campaign(FEW, {"page-shape": "short"}, foreign=999)
    second = count()

    def breaks(call: Call) -> str | None:
        if call.verb != "page" or next(second) == 0:
            return None
        if trouble == "expired":
            ground.directory.reads.expire_pages()
            return None
        return trouble

    ground.gate.failing = breaks
    report, calls, _ = ground.sweep()
    assert seen_by(ground, redeemed) == FEW.redeemed
    assert report.of(Part.FOLLOW).note == "by id: the list broke off after 2 pages"
    assert report.of(Part.FOLLOW).done == FEW.pending, "everybody is read by id, on whichever page they stood"
    assert calls["read state rows"] <= 2 * FEW.redeemed


def test_a_later_redemption_is_seen_in_a_tenant_that_shows_no_invitations() -> None:
    """An account that shows no invitation is put off, and is read again at the time in its schedule entry."""
    ground, redeemed = campaign(FEW, {"pending-state": "unset"})
    ground.sweep()
    assert seen_by(ground, redeemed) == FEW.redeemed
    late = next(row["RowKey"] for row in ground.tables.rows("conversions", "followed~"))
    ground.directory.update(ground.directory.truth(late) or {}, externalUserState=ACCEPTED)
    for _ in range(37):
        ground.sweep()
    assert ground.stage(late) == Stage.COMPLETED
    scheduled = [row["RowKey"].rpartition("~")[2] for row in ground.tables.rows("conversions", "schedule~")]
    assert sorted(scheduled) == sorted(row["RowKey"] for row in ground.tables.rows("conversions", "followed~"))


def test_an_account_that_the_list_shows_for_the_first_time_is_read_once() -> None:
    ground, redeemed = campaign(FEW)
    for row in ground.tables.rows("conversions", "followed~"):
        if row["RowKey"] not in redeemed:
            ground.followed(row["RowKey"], shown=False)
    report, _, _ = ground.sweep()
    assert report.of(Part.FOLLOW).done == FEW.pending
    assert ground.tables.rows("conversions", "schedule~") == []
    report, calls, _ = ground.sweep()
    assert (report.of(Part.FOLLOW).done, calls["graph"], calls["read state rows"]) == (0, 1, 0)


def test_scheduled_reads_and_reads_of_accounts_that_left_the_list_share_one_budget() -> None:
    ground, redeemed = campaign(FEW)
    ground.allowance = allowance(2, lists=True)
    ground.app = ground.process()
    others = [row["RowKey"] for row in ground.tables.rows("conversions", "followed~") if row["RowKey"] not in redeemed]
    for user_id in others[:5]:
        ground.directory.convert_back(user_id)
        ground.put_off(user_id, START)
    report, _, _ = ground.sweep()
    assert seen_by(ground, redeemed) == 1
    assert sum(row["since"] == START for row in ground.tables.rows("conversions", "schedule~")) == 4
    assert report.of(Part.FOLLOW).oldest == START


def test_a_budget_of_one_account_per_run_reaches_every_account() -> None:
    ground, redeemed = campaign(FEW)
    ground.allowance = allowance(1, lists=True)
    ground.app = ground.process()
    for number in range(1, FEW.redeemed + 1):
        report, _, _ = ground.sweep()
        assert seen_by(ground, redeemed) == number
        assert report.of(Part.FOLLOW).left == FEW.redeemed - number


def test_an_account_that_cannot_be_read_does_not_block_those_after_it() -> None:
    ground, redeemed = campaign(FEW)
    ground.directory.part_fault = lambda url: 500 if redeemed[0] in url else None
    report, _, _ = ground.sweep()
    assert seen_by(ground, redeemed) == FEW.redeemed - 1
    assert report.of(Part.FOLLOW).problems == 1


def test_a_result_that_was_not_published_is_published_without_graph() -> None:
    ground, _ = campaign(Size(rows=1, pending=1, redeemed=0, foreign=0, parked=0))
    (user_id,) = (row["RowKey"] for row in ground.tables.rows("conversions", "followed~"))
    client = ground.tables.open_client("conversions")
    row = client.read(user_id, "current")
    assert row is not None
    client.write({**row, "stage": "completed", "sequence": 4})
    client.write({"PartitionKey": "untold~", "RowKey": user_id, "since": START - timedelta(hours=3)})
    ground.gate.failing = lambda call: "unreachable" if call.service == "graph" else None
    report, _, _ = ground.sweep()
    request = ground.tables.open_client("requests").read(f"r-{user_id}", "request")
    assert request is not None
    assert request["stage"] == "completed"
    assert report.of(Part.PUBLISH).changed == 1
    assert ground.tables.rows("conversions", "untold~") == []


def test_a_recent_entry_to_publish_is_kept_because_its_row_may_not_be_written_yet() -> None:
    ground, _ = campaign(Size(rows=1, pending=1, redeemed=0, foreign=0, parked=0))
    (user_id,) = (row["RowKey"] for row in ground.tables.rows("conversions", "followed~"))
    pointer = {"PartitionKey": "untold~", "RowKey": user_id, "since": START}
    ground.tables.open_client("conversions").write(pointer)
    ground.sweep()
    assert len(ground.tables.rows("conversions", "untold~")) == 1


def test_a_lost_message_is_repaired_despite_unreadable_rows_before_it() -> None:
    ground = Ground()
    for number in range(30):
        request_id = f"r-{number:02d}"
        ground.request(request_id, Stage.REQUESTED, ground.new_id(), token="t", due_at=START - timedelta(hours=2))
        ground.opened(request_id, START - timedelta(hours=3))
        if number < 29:
            client = ground.tables.open_client("requests")
            client.write({**(client.read(request_id, "request") or {}), "stage": "teleported"})
    report, _, _ = ground.sweep()
    assert (report.of(Part.REPAIR).changed, report.of(Part.REPAIR).unreadable) == (1, 29)


@pytest.mark.parametrize(("head", "copies"), [(2.0, 0), (0.4, 1)])
def test_a_parked_request_gets_no_second_message_while_the_queue_is_late(head: float, copies: int) -> None:
    """The request arrived a day ago and was due an hour ago. The message at the head of the queue was due `head` hours
    ago.
    """
    ground, hour = Ground(), timedelta(hours=1)
    ground.request("r-parked", Stage.REQUESTED, ground.new_id(), token="t", due_at=START - hour)
    ground.opened("r-parked", START - 24 * hour)
    ground.queues.put_all(WORK, [Resume("r-other", "t", START - head * hour).message().decode()])
    report, _, _ = ground.sweep()
    assert report.of(Part.REPAIR).changed == copies


@pytest.mark.parametrize("late", [False, True])
def test_the_oldest_waiting_request_is_found_after_pages_of_ended_ones(late: bool) -> None:  # noqa: FBT001
    """More than one page of requests that have ended precede it on the list; the queue is late or not."""
    ground = Ground()
    if late:
        ground.queues.put_all(WORK, [Resume("r-other", "t", START - timedelta(days=3)).message().decode()])
    for number in range(120):
        ground.request(f"r-{number:03d}", Stage.COMPLETED, "", completed_at=START)
        ground.opened(f"r-{number:03d}", START - timedelta(days=2))
    ground.request("r-oldest", Stage.REQUESTED, "", due_at=START + timedelta(hours=1), token="t")
    ground.opened("r-oldest", START - timedelta(days=1))
    report, _, _ = ground.sweep()
    assert report.waiting_since == START - timedelta(days=1)
    assert len(ground.tables.rows("requests", "open~")) == 1


def test_an_approved_request_does_not_return_to_its_review() -> None:
    steps = (Step(0.0, "send", "", Ask("r1", "fred")), Step(1400.0, "approve", "r1"))
    assert play(History(steps, people=("fred",), known=False)).violations == []


def test_a_turn_ends_when_its_items_or_its_seconds_are_used_up() -> None:
    moments = iter((0.0, 9.9, 9.9, 10.0))
    turn = Turn(Part.DRAIN, Budget(3, 10.0), lambda: next(moments))
    assert turn.room == 3
    turn.did(2)
    assert turn.room == 1
    assert turn.room == 0


class Stuck:
    """A part that never ends."""

    async def run(self, _turn: Turn) -> None:
        await asyncio.get_running_loop().create_future()


class Counted:
    """A part that does as many items as its turn allows."""

    async def run(self, turn: Turn) -> None:
        while turn.room:
            turn.did()


class Failing:
    """A part in which every item fails."""

    async def run(self, turn: Turn) -> None:
        while True:
            turn.did()
            turn.failed(Transient("table storage", "answered 503"))


def test_each_part_has_its_turn_even_if_others_hang_or_fail() -> None:
    loop = SimulatedLoop()  # type: ignore[abstract]  # parts that no workflow calls are left out
    ground = Ground()
    parts: dict[Part, Any] = dict(
        zip(Part, (Stuck(), Failing(), Stuck(), Counted(), Counted(), Counted()), strict=True)
    )

    def now() -> datetime:
        return START + timedelta(seconds=loop.now)

    budgets = {**BUDGETS, Part.FOLLOW: Budget(3, 60.0), Part.VERIFY: Budget(4, 60.0), Part.PURGE: Budget(2, 60.0)}
    sweep = Sweep(parts, ground.app._services.ledger, now, loop.time, budgets=budgets)
    task = loop.create_task(sweep.run())
    while not task.done():
        loop.drain()
        loop.move_to(loop.next_timer() or loop.now)
    report = task.result()
    drained, repaired, _, followed, compared, purged = report.parts
    assert "cut off" in drained.note
    assert (repaired.done, repaired.problems) == (MOST_TROUBLE, MOST_TROUBLE)
    assert (followed.done, compared.done, purged.done) == (3, 4, 2)
    assert loop.now == sum(BUDGETS[part].seconds + OVERRUN for part in (Part.DRAIN, Part.PUBLISH))


def test_the_bench_counts_calls_to_lists_and_to_state_rows_separately() -> None:
    assert bench_sweep._kind(Call("tables", "read", "conversions/abc", changes=False)) == "read state rows"
    assert bench_sweep._kind(Call("tables", "list", "conversions/followed~", changes=False)) == "list lists"


@pytest.mark.parametrize("status", [400, 403])
def test_all_accounts_are_read_by_id_if_graph_refuses_the_list(status: int) -> None:
    ground, redeemed = campaign(FEW)
    ground.directory.part_fault = lambda url: (
        status if "externalUserState%20eq" in url or "externalUserState eq" in url else None
    )
    report, _, _ = ground.sweep()
    assert seen_by(ground, redeemed) == FEW.redeemed
    assert report.of(Part.FOLLOW).note == "by id: the list broke off after 0 pages"
