"""A sweep with work for every part is killed at each of its calls; the following runs must reach the same end."""

import asyncio
import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from b2b.domain.conversion.stages import Stage
from b2b.domain.request.message import Resume
from b2b.domain.sweep import BUDGETS, OVERRUN, Part
from rehearsal.history import PREFIX, history
from tests.simulation.app import POISON, WORK, allowance, rows_of
from tests.simulation.bench_sweep import MONTH, START, Ground
from tests.simulation.directory_accounts import ACCEPTED, PENDING
from tests.simulation.gate import Call
from tests.simulation.history import Ask, History, Step
from tests.simulation.search import play

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SWEEPS = {None: 14, 1: 35}
"""How many runs follow, by the budget of items. It covers the two hours for which a pointer without its write stays."""


class Killed(BaseException):
    """The process dies."""


class Scene:
    """A ledger in which every part of the sweep has something to do."""

    def __init__(self, items: int | None) -> None:
        self.ground = ground = Ground(settings={"B2B_PURGE_AFTER_DAYS": "30"})
        ground.allowance = allowance(items, lists=True)
        ground.app = ground.process()
        self.users = [ground.account(PENDING, number) for number in range(8)]
        for user_id in self.users:
            ground.conversion(user_id, Stage.INVITED)
            ground.followed(user_id, shown=True)
            ground.request(f"r-{user_id}", Stage.INVITED, user_id, generation=1, invited_at=START - MONTH)
        self.redeemed, self.deleted, self.told = self.users[:2], self.users[2], self.users[3]
        for user_id in self.redeemed:
            ground.directory.update(ground.directory.truth(user_id) or {}, externalUserState=ACCEPTED)
        ground.directory.delete(self.deleted)
        self.accepted = ground.account(ACCEPTED, 8)
        self._redeemed_without_a_snapshot(self.accepted)
        self._complete_without_a_word(self.told)
        self.sent: Counter[str] = Counter()
        """Messages by token. Each is removed from the queue after the sweep, so that the queue is never late."""
        for name in ("lost", "poisoned"):
            ground.request(
                f"r-{name}", Stage.REQUESTED, ground.new_id(), token="t", due_at=START - 2 * HOUR, body=b"{}"
            )
            ground.opened(f"r-{name}", START - 3 * HOUR)
        poison = [Resume("r-poisoned", "t", START - 2 * HOUR).message().decode(), "not json"]
        ground.queues.put_all(POISON, poison)
        for name, ended in (("old", 40 * DAY), ("young", 20 * DAY)):
            ground.request(f"r-{name}", Stage.COMPLETED, "", completed_at=START - ended)
            ground.rested(f"r-{name}", START - 40 * DAY)

    def _redeemed_without_a_snapshot(self, user_id: str) -> None:
        """Let an account be due for comparison. It has no snapshot, so the comparison completes it at once."""
        self.users.append(user_id)
        self.ground.conversion(user_id, Stage.ACCEPTED)
        self.ground.request(f"r-{user_id}", Stage.ACCEPTED, user_id, generation=1, invited_at=START - MONTH)
        self.ground.compared(user_id, START - HOUR)

    def _complete_without_a_word(self, user_id: str) -> None:
        """Complete the account's row, but not its request's row."""
        client = self.ground.tables.open_client("conversions")
        row = client.read(user_id, "current")
        assert row is not None
        client.write({**row, "stage": "completed", "sequence": 4})
        client.write({"PartitionKey": "untold~", "RowKey": user_id, "since": START - 3 * HOUR})
        client.delete("followed~", user_id)

    def run(self, kill_after: int = 0) -> int:
        """Run the sweep; return its number of calls. If `kill_after` is not 0, the process dies after that many."""
        gate, made = self.ground.gate, 0

        def count(_call: Call) -> None:
            nonlocal made
            made += 1
            if kill_after and made >= kill_after:
                raise Killed

        def dead(_call: Call) -> None:
            if kill_after and made >= kill_after:
                raise Killed

        gate.before, gate.after = dead, count
        gate.now += 600.0
        try:
            asyncio.run(self.ground.app._services.sweep.run())
        except Killed:
            self.ground.app = self.ground.process()
        gate.before, gate.after = (lambda _call: None), (lambda _call: None)
        for message in self.ground.queues.stored(WORK):
            self.sent[json.loads(message.content)["resume"]["token"]] += 1
            self.ground.queues.drop(WORK, message.id)
        return made

    def end(self) -> dict[str, Any]:
        """Return what the ledger and the queues hold at the end, without tokens, times and numbers of tries."""
        ground = self.ground
        requests = {
            key: next((row["stage"] for row in rows if row["RowKey"] == "request"), "no row")
            for key, rows in rows_of(ground.tables, "requests").items()
        }
        return {
            "accounts": {user_id: ground.stage(user_id) for user_id in self.users},
            "requests": {key: stage for key, stage in requests.items() if key.startswith("r-")},
            "recorded": sorted(stage for key, stage in requests.items() if not key.startswith("r-")),
            "poison": len(ground.queues.stored(POISON)),
            "followed": {
                row["RowKey"]: row.get("putOff", False) for row in ground.tables.rows("conversions", "followed~")
            },
            "untold": len(ground.tables.rows("conversions", "untold~")),
            "compared": len(ground.tables.rows("conversions", "comparisons~")),
            "rested": sorted({row["RowKey"].rpartition("~")[2] for row in ground.tables.rows("requests", "rested~")}),
            "message": {name: self._has_its_message(f"r-{name}") for name in ("lost", "poisoned")},
        }

    def _has_its_message(self, request_id: str) -> bool:
        row = self.ground.tables.open_client("requests").read(request_id, "request")
        assert row is not None
        return self.sent[row["token"]] == 1

    def problems(self) -> list[str]:
        """Return what must never be the case, at whichever call the process died."""
        tables, found = self.ground.tables, list[str]()
        due = Counter(row["RowKey"].rpartition("~")[2] for row in tables.rows("conversions", "schedule~"))
        for row in tables.rows("conversions", "followed~"):
            if row.get("putOff") and not due[row["RowKey"]]:
                found.append(f"{row['RowKey']} is put off, and the schedule does not know it")
        found += [f"{key} stands in the schedule {number} times" for key, number in due.items() if number > 2]
        for table in ("conversions", "requests"):
            for key, rows in rows_of(tables, table).items():
                numbers = [int(event["RowKey"].removeprefix(PREFIX)) for event in history(rows)]
                if numbers != list(range(min(numbers, default=0), min(numbers, default=0) + len(numbers))):
                    found.append(f"{table}/{key} has a gap in its history: {numbers}")
        return found + [f"token {token} was sent {number} times" for token, number in self.sent.items() if number > 1]


@pytest.mark.parametrize("items", [None, 1])
def test_later_runs_complete_a_sweep_that_was_killed_at_any_call(items: int | None) -> None:
    whole = Scene(items)
    calls = whole.run()
    for _ in range(SWEEPS[items]):
        whole.run()
    wanted = whole.end()
    assert wanted["requests"]["r-young"] == "completed"
    assert "r-old" not in wanted["requests"]
    assert [wanted["accounts"][user_id] for user_id in (*whole.redeemed, whole.accepted)] == ["completed"] * 3
    assert wanted["message"] == {"lost": True, "poisoned": True}
    assert (wanted["recorded"], wanted["poison"], wanted["untold"]) == (["rejected"], 0, 0)
    assert calls > (50 if items is None else 30)
    for number in range(1, calls + 1):
        scene = Scene(items)
        assert scene.run(number) == number
        for _ in range(SWEEPS[items]):
            scene.run()
        assert scene.problems() == []
        assert scene.end() == wanted, f"killed after call {number}"


def test_every_part_of_the_sweep_has_work_in_this_scene() -> None:
    scene = Scene(None)
    report, _, _ = scene.ground.sweep()
    assert all(report.of(part).changed for part in Part)


def test_each_part_has_its_turn_if_graph_takes_six_seconds_a_call() -> None:
    scene = Scene(None)
    ground = scene.ground
    for number in range(9, 600):
        ground.followed(ground.account(PENDING, number), shown=False)
    ground.gate.graph_seconds = 6.0
    report, _, seconds = ground.sweep()
    assert all(report.of(part).changed for part in Part)
    assert report.of(Part.FOLLOW).left > 0
    assert BUDGETS[Part.FOLLOW].seconds < seconds < BUDGETS[Part.FOLLOW].seconds + OVERRUN


def test_each_part_has_its_turn_if_table_storage_is_slow_and_fails() -> None:
    """Each call to table storage takes nine seconds and fails. The parts that need it stop by themselves, and later
    runs recover.
    """
    scene = Scene(None)
    ground = scene.ground

    def down(call: Call) -> str | None:
        if call.service != "tables":
            return None
        ground.gate.now += 9.0
        return "unreachable"

    ground.gate.failing = down
    report, _, seconds = ground.sweep()
    assert [part.part for part in report.parts] == list(Part)
    assert all("stopped" in part.note or part.problems for part in report.parts)
    assert seconds < 200
    ground.gate.failing = lambda _call: None
    for _ in range(14):
        scene.run()
    ended = {*scene.redeemed, scene.told, scene.accepted}
    assert scene.end()["accounts"] == {user: "completed" if user in ended else "invited" for user in scene.users}


@pytest.mark.parametrize("lists", [False, True])
@pytest.mark.parametrize("budget", [None, 1, 2, 3])
def test_an_hour_without_tables_and_a_slow_graph_violate_no_oracle(budget: int | None, lists: bool) -> None:  # noqa: FBT001
    steps = (
        *(Step(number, "send", "", Ask(f"r{number}", person)) for number, person in enumerate(("anna", "ben", "gina"))),
        Step(50, "send", "", Ask("r3", "anna")),
        Step(60, "lose", "r2"),
        Step(1150, "outage", "tables", 3600.0),
        Step(1150, "slow", "graph", 6.0),
        Step(1160, "redeem", "anna"),
        Step(1170, "poison", "r1"),
        Step(1180, "delete", "ben"),
        Step(9000, "slow", "graph", 0.15),
    )
    for seed in range(6):
        history = History(steps, people=("anna", "ben", "gina"), budget=budget, lists=lists, schedule=seed)
        assert play(history).violations == []
