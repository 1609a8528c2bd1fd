"""Timers on the local host: schedules, missed firings, no overlap, failures, settings in schedules."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rehearsal.host.process import HostProcess, wait_until

APP = Path(__file__).parent / "apps" / "timers"


class Bench:
    """The files with the timers' notes and with the host's state of timers."""

    def __init__(self, directory: Path) -> None:
        self.state = directory / "state"
        self.notes_file = directory / "notes"

    def host(
        self, *, hourly: str | None = "0 0 * * * *", without: tuple[str, ...] = ("slow", "failing")
    ) -> HostProcess:
        env = {f"AzureWebJobs.{name}.Disabled": "true" for name in without}
        return HostProcess(app_dir=APP, env={**env, "HOURLY": hourly, "NOTES": str(self.notes_file)}, state=self.state)

    def notes(self, name: str) -> list[dict[str, Any]]:
        lines = self.notes_file.read_text().splitlines() if self.notes_file.exists() else []
        return [note for note in map(json.loads, lines) if note["name"] == name]

    def remember(self, last: datetime) -> None:
        """Write the state of an hourly timer that last fired at `last`."""
        self.state.joinpath("timers").mkdir(parents=True)
        status = {"Last": last.isoformat(), "Next": last.isoformat(), "LastUpdated": last.isoformat()}
        self.state.joinpath("timers", "hourly.json").write_text(json.dumps(status))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_timers_follow_their_schedule_are_not_retried_and_never_overlap(bench: Bench) -> None:
    with bench.host(without=("at_start",)) as host:
        wait_until(lambda: len(bench.notes("slow")) >= 2 and len(bench.notes("failing")) >= 3)
        assert "told to fail" in host.log()
    slow, failing = bench.notes("slow"), bench.notes("failing")
    assert {note["running"] for note in slow} == {1}
    assert all(later["at"] - sooner["at"] >= 1.2 for sooner, later in pairwise(slow))
    assert all(later["at"] - sooner["at"] > 0.5 for sooner, later in pairwise(failing))
    assert not any(note["past_due"] or note["status"] for note in slow)
    assert {path.stem for path in bench.state.glob("timers/*.json")} == {"hourly"}


def test_run_on_startup_fires_at_once(bench: Bench) -> None:
    with bench.host() as host:
        wait_until(lambda: host.invocations()["at_start"].succeeded == 1)
        assert host.invocations()["hourly"].started == 0
    assert [note["past_due"] for note in bench.notes("at_start")] == [False]


def test_a_firing_missed_while_the_host_was_down_happens_once_as_past_due(bench: Bench) -> None:
    bench.remember(datetime.now(UTC) - timedelta(hours=5))
    with bench.host():
        wait_until(lambda: bench.notes("hourly"))
    with bench.host() as host:
        wait_until(lambda: host.invocations()["at_start"].succeeded == 1)
    (note,) = bench.notes("hourly")
    assert note["past_due"] is True
    assert set(note["status"]) == {"Last", "Next", "LastUpdated"}


def test_an_unreadable_state_file_is_logged_and_ignored(bench: Bench) -> None:
    bench.remember(datetime.now(UTC))
    bench.state.joinpath("timers", "hourly.json").write_text("{")
    with bench.host() as host:
        wait_until(lambda: "hourly.json is not readable" in host.log())


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (None, "'%HOURLY%' does not resolve to a value."),
        ("every hour", "'every hour' is not a schedule"),
        ("0 0 0 30 2 *", "'0 0 0 30 2 *' never comes"),
    ],
)
def test_an_invalid_schedule_disables_only_its_own_function(bench: Bench, schedule: str | None, said: str) -> None:
    with bench.host(hourly=schedule) as host:
        wait_until(lambda: bench.notes("at_start"))
        assert f"The 'hourly' function is in error: {said}" in host.log()


def test_a_timer_can_be_run_by_the_admin_endpoint_and_awaited(bench: Bench) -> None:
    with bench.host() as host:
        assert host.run_function("hourly") is True
        assert len(bench.notes("hourly")) == 1
        assert host.run_function("failing") is False
        wait_until(host.idle)
