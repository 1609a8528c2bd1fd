"""`make bench-sweep`: what one sweep of a large ledger costs, counted call by call on services in memory.

Calls run one after the other, and each takes its usual time, so that the sweep's time budgets apply. The figures are
calls and rows, which do not depend on the machine; seconds are those of the simulated clock.
"""

import argparse
import asyncio
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from b2b.adapters import entities
from b2b.domain.conversion.records import Conversion, Source
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import Waiting, WaitReason
from b2b.domain.request.message import Resume
from b2b.domain.request.record import RequestRecord
from b2b.domain.sweep import Allowance, Part, SweepReport
from tests.simulation.app import QUEUES, TABLES, WORK, App
from tests.simulation.directory import Directory
from tests.simulation.directory_accounts import ACCEPTED, PENDING
from tests.simulation.gate import Call
from tests.simulation.people import TENANT_ID
from tests.simulation.queues import Queues
from tests.simulation.tables import Tables

T = TypeVar("T")
START = datetime(2026, 3, 1, tzinfo=UTC)
SECONDS = {"graph": 0.2, "tables": 0.02, "queue": 0.02}
MONTH = timedelta(days=30)


@dataclass
class Counting:
    """A gate that carries out every call at once, counts it, and moves the simulated clock by the call's usual time."""

    now: float = 0.0
    graph_seconds: float = SECONDS["graph"]
    calls: Counter[str] = field(default_factory=Counter)
    before: Callable[[Call], object] = lambda _call: None
    failing: Callable[[Call], str | None] = lambda _call: None
    after: Callable[[Call], object] = lambda _call: None

    async def call(self, call: Call, effect: Callable[[], T], failure: Callable[[str], BaseException]) -> T:
        self.now += self.graph_seconds if call.service == "graph" else SECONDS[call.service]
        self.calls[call.service] += 1
        if call.service == "tables":
            self.calls[_kind(call)] += 1
        self.before(call)
        if trouble := self.failing(call):
            raise failure(trouble)
        done = effect()
        self.after(call)
        return done


def _kind(call: Call) -> str:
    """Tell lists from state rows: the partition key of a list contains a tilde."""
    key = call.subject.partition("/")[2]
    return f"{call.verb} {'lists' if '~' in key or key == 'pace' else 'state rows'}"


class Ground:
    """A ledger of any size, a tenant, and one process of the app."""

    def __init__(self, switches: dict[str, str] | None = None, settings: dict[str, str] | None = None) -> None:
        self.gate, self._draw = Counting(), Random(7)  # noqa: S311
        self.tables, self.queues = Tables(TABLES, self.now), Queues(QUEUES, self.now)
        self.directory = Directory(self.now, [], switches or {}, tenant_id=TENANT_ID)
        self.allowance, self.settings = Allowance(), settings or {}
        self.app = self.process()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.gate.now)

    def new_id(self) -> str:
        return str(UUID(int=self._draw.getrandbits(128), version=4))

    def process(self) -> App:
        settings, time = self.settings, lambda: self.gate.now
        return App(
            settings,
            self.now,
            self.gate,
            self.tables,
            self.queues,
            self.directory,
            monotonic=time,
            allowance=self.allowance,
        )

    def account(self, state: str | None, number: int) -> str:
        user_id = self.new_id()
        changed = START.strftime("%Y-%m-%dT%H:%M:%SZ") if state else None
        name = f"p{number}@contoso.com"
        self.directory.add(
            id=user_id,
            userPrincipalName=name,
            mail=f"p{number}@fabrikam.com",
            externalUserState=state,
            externalUserStateChangeDateTime=changed,
        )
        return user_id

    def conversion(self, user_id: str, stage: Stage, *, seen: bool = True) -> None:
        row = Conversion(
            user_id=user_id,
            stage=stage,
            request_id=f"r-{user_id}",
            was_internal=True,
            invitation_id="i",
            invited_at=START - MONTH,
            seen_at=START - MONTH if seen else None,
            sequence=2,
            published=2,
        )
        self._put("conversions", user_id, entities.STATE, entities.to_entity(row))

    def followed(self, user_id: str, *, shown: bool) -> None:
        self._put("conversions", "followed~", user_id, {"since": START - MONTH, "shown": shown})

    def put_off(self, user_id: str, until: datetime) -> None:
        self._put("conversions", "followed~", user_id, {"since": START - MONTH, "shown": False, "putOff": True})
        self._put("conversions", "schedule~", f"{until:%Y-%m-%dT%H:%M:%S.%fZ}~look~{user_id}", {"since": until})

    def compared(self, user_id: str, due: datetime) -> None:
        self._put("conversions", "comparisons~", f"{due:%Y-%m-%dT%H:%M:%S.%fZ}~{user_id}", {"since": due})

    def opened(self, request_id: str, came: datetime) -> None:
        self._put("requests", "open~", f"{came:%Y-%m-%dT%H:%M:%S.%fZ}~{request_id}", {"since": came})

    def rested(self, request_id: str, since: datetime) -> None:
        self._put("requests", "rested~", f"{since:%Y-%m-%dT%H:%M:%S.%fZ}~{request_id}", {"since": since})

    def request(self, request_id: str, stage: Stage, user_id: str, **columns: Any) -> RequestRecord:
        row = RequestRecord(
            request_id=request_id,
            stage=stage,
            body_hash="h",
            source=Source.QUEUE,
            requested_at=START - MONTH,
            user_id=user_id,
            sequence=1,
            **columns,
        )
        self._put("requests", request_id, entities.REQUEST, entities.to_entity(row))
        return row

    def _put(self, table: str, partition: str, row: str, values: dict[str, Any]) -> None:
        self.tables.open_client(table).write({"PartitionKey": partition, "RowKey": row, **values})

    def stage(self, user_id: str) -> str:
        row = self.tables.open_client("conversions").read(user_id, entities.STATE)
        return str(row["stage"]) if row else ""

    def sweep(self) -> tuple[SweepReport, Counter[str], float]:
        """Move the simulated clock ahead by ten minutes and run the sweep once.

        Return its report, the number of calls of each kind, and how many simulated seconds it took.
        """
        self.gate.now += 600.0
        self.gate.calls, began = Counter(), self.gate.now
        report = asyncio.run(self.app._services.sweep.run())
        return report, self.gate.calls, self.gate.now - began


@dataclass(frozen=True)
class Size:
    """How large the ledger is."""

    rows: int
    pending: int
    redeemed: int
    foreign: int
    parked: int


FULL, SMALL = Size(100_000, 20_000, 100, 50_000, 100_000), Size(4_000, 2_000, 40, 2_500, 3_000)


def campaign(size: Size, switches: dict[str, str] | None = None, *, foreign: int = 0) -> tuple[Ground, list[str]]:
    """Make a campaign of a month ago: most people have redeemed and are completed, some wait, some have redeemed since.

    Returns: the ground, and the object ids of those whose redemption the sweep has still to see.
    """
    ground = Ground(switches)
    shows = ground.directory.switches["pending-state"] != "unset"
    for _ in range(size.rows - size.pending):
        ground.conversion(ground.new_id(), Stage.COMPLETED)
    users = [ground.account(PENDING if shows else None, number) for number in range(size.pending)]
    redeemed = Random(3).sample(users, size.redeemed)  # noqa: S311
    for user_id in users:
        ground.conversion(user_id, Stage.INVITED, seen=shows)
        ground.followed(user_id, shown=shows)
        ground.request(f"r-{user_id}", Stage.INVITED, user_id, generation=1, invited_at=START - MONTH)
    for user_id in redeemed:
        account = ground.directory.truth(user_id) or {}
        ground.directory.update(account, externalUserState=ACCEPTED)
    for number in range(foreign):
        ground.account(PENDING, size.pending + number)
    return ground, redeemed


def seen_by(ground: Ground, redeemed: list[str]) -> int:
    return sum(ground.stage(user_id) == Stage.COMPLETED for user_id in redeemed)


def told(report: SweepReport, calls: Counter[str], seconds: float) -> str:
    follow = report.of(Part.FOLLOW)
    rows = f"{calls['read state rows']} state rows read, {calls['write state rows']} written"
    lists = f"{calls['read lists'] + calls['list lists'] + calls['write lists'] + calls['delete lists']} calls to lists"
    return f"{calls['graph']} Graph calls, {rows}, {lists}, {seconds:.0f} s; {follow.note}; {follow.left} left"


def until_seen(name: str, ground: Ground, redeemed: list[str], runs: int) -> tuple[int, Counter[str]]:
    """Run the sweep until it has seen every redemption; return the number of runs, and the calls of the first run."""
    first: Counter[str] = Counter()
    for number in range(1, runs + 1):
        report, calls, seconds = ground.sweep()
        first = first or calls
        print(
            f"{name}, run {number}: {seen_by(ground, redeemed)} of {len(redeemed)} seen; {told(report, calls, seconds)}"
        )
        if seen_by(ground, redeemed) == len(redeemed):
            return number, first
    raise AssertionError(f"{name}: {seen_by(ground, redeemed)} of {len(redeemed)} seen after {runs} runs")


def following(size: Size) -> None:
    """Check that one run sees every redemption and reads only the rows that it needs, and that the next run reads no
    row.
    """
    ground, redeemed = campaign(size)
    runs, calls = until_seen("a tenant that shows", ground, redeemed, 1)
    most = size.pending // 999 + 1 + -(-size.redeemed // 20)
    assert runs == 1
    assert calls["graph"] <= min(most, 30), calls
    assert calls["read state rows"] <= 2 * size.redeemed, calls
    report, calls, seconds = ground.sweep()
    print(f"a tenant that shows, once nothing is new: {told(report, calls, seconds)}")
    assert calls["read state rows"] == 0, calls


def otherwise(size: Size) -> None:
    """Measure the same campaign in other tenants. The sweep must see every redemption, but may cost more."""
    ground, redeemed = campaign(size, {"page-shape": "short"})
    until_seen("short and empty pages", ground, redeemed, 1)
    ground, redeemed = campaign(size, foreign=size.foreign)
    until_seen(f"{size.foreign} foreign guests", ground, redeemed, 1)
    ground, redeemed = campaign(size)
    ground.gate.graph_seconds = 6.0
    until_seen("Graph at 6 s a call", ground, redeemed, 1)
    ground, redeemed = campaign(size, {"pending-state": "unset"})
    until_seen("a tenant that shows nothing", ground, redeemed, -(-size.pending // 4_000))
    for _ in range(3):
        report, calls, seconds = ground.sweep()
        print(f"a tenant that shows nothing, later: {told(report, calls, seconds)}")


def late_queue(size: Size) -> None:
    """Check requests that wait on a queue half a day late: none gets a second message, and each run costs the same."""
    ground, half_a_day, messages = Ground(), timedelta(hours=12), list[str]()
    for number in range(size.parked):
        due = START - half_a_day + half_a_day * number / size.parked
        request_id, token = f"r-{number:06d}", f"t-{number}"
        waiting = Waiting(WaitReason.SERVICE, due, due)
        ground.request(request_id, Stage.REQUESTED, ground.new_id(), token=token, due_at=due, waiting=waiting)
        ground.opened(request_id, due - timedelta(days=1))
        messages.append(Resume(request_id, token, due).message().decode())
    ground.queues.put_all(WORK, messages)
    tracemalloc.start()
    costs = []
    for number in range(1, 5):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        report, calls, seconds = ground.sweep()
        peak = (tracemalloc.get_traced_memory()[1] - before) / 1e6
        repair, stored = report.of(Part.REPAIR), len(ground.queues.stored(WORK))
        behind = (ground.now() - report.waiting_since).total_seconds() / 3600 if report.waiting_since else 0.0
        print(
            f"a late queue, run {number}: {repair.changed} copies, {stored} messages, {repair.done} looked at, "
            f"{sum(calls[each] for each in ('tables', 'queue'))} calls, {seconds:.0f} s, {peak:.1f} MB, "
            f"the oldest waits {behind:.1f} h"
        )
        assert (repair.changed, stored) == (0, size.parked)
        costs.append(calls["tables"])
    tracemalloc.stop()
    assert max(costs) <= 1.05 * min(costs), costs


def main() -> int:
    """Run all benches. An assertion fails if a limit is exceeded."""
    parser = argparse.ArgumentParser("make bench-sweep", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a few thousand rows")
    size = SMALL if parser.parse_args().small else FULL
    print(f"{size.rows} rows, {size.pending} pending, {size.redeemed} redeemed since")
    for bench in (following, otherwise, late_queue):
        bench(size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
