"""Several instances share one rate: they never exceed it, and use all of it once they know of each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b2b.adapters.instances import FORGOTTEN, INSTANCES
from b2b.domain.conversion.waits import LONGEST
from b2b.domain.rate import CATCH_UP, COUNTED, HELD
from b2b.workflows.rate import LONGEST_WAIT
from rehearsal.tenant.faults.retry_after import RetryAfterLedger
from rehearsal.tenant.faults.throttling import Charge, Throttling
from rehearsal.tenant.protocol.auth import Caller
from rehearsal.tenant.protocol.errors import GraphError
from tests.simulation.fleet import Fleet

SETTLED = 30.0
"""Seconds until an instance that has just started gets its whole share."""


def too_many(sent: list[tuple[float, str]], rate: float) -> Iterator[str]:
    """Yield the periods with more invitations than the rate allows.

    What half a second allows, and one invitation for each instance, may be added to the rate.
    """
    for first, (began, _) in enumerate(sent):
        names = set[str]()
        for last in range(first, len(sent)):
            ended, name = sent[last]
            names.add(name)
            number, granted = last - first + 1, rate * (ended - began + CATCH_UP) + len(names)
            if number > granted + 1e-6:
                yield f"{number} from {began:.2f} to {ended:.2f}, and {granted:.1f} are granted"


@dataclass(frozen=True)
class Happening:
    """An event that affects one instance, or storage, `at` seconds after the start."""

    at: float
    what: str
    instance: int
    seconds: float


HAPPENINGS = st.lists(
    st.builds(
        Happening,
        st.floats(0, 90),
        st.sampled_from(("begin", "begin", "kill", "freeze", "storage")),
        st.integers(0, 3),
        st.sampled_from((1.0, 3.9, 7.9, 8.1, 12.0, 19.9, 20.1, 45.0)),
    ),
    max_size=8,
)


def let_happen(fleet: Fleet, happening: Happening, number: int) -> None:
    name = f"i{happening.instance}"
    if happening.what == "begin":
        fleet.begin(f"{name}, begun by {number}")
    elif happening.what == "kill":
        fleet.kill(name)
    elif happening.what == "freeze":
        fleet.freeze(name, happening.seconds)
    else:
        fleet.storage_down = True
        fleet.at(happening.seconds, lambda: setattr(fleet, "storage_down", False))


@given(st.sampled_from((0.2, 1.0, 5.0)), st.integers(1, 4), HAPPENINGS)
@settings(max_examples=40)
def test_no_period_has_more_invitations_than_the_rate_allows(
    rate: float, instances: int, happenings: list[Happening]
) -> None:
    """Instances start, die and freeze, and storage fails for a while."""
    fleet = Fleet(rate)
    for number in range(instances):
        fleet.begin(f"i{number}")
    for number, happening in enumerate(happenings):
        fleet.at(happening.at, partial(let_happen, fleet, happening, number))
    fleet.run(150)
    assert not list(too_many(fleet.sent, rate))


@pytest.mark.parametrize("instances", [1, 2, 5])
def test_instances_together_use_the_whole_rate(instances: int) -> None:
    fleet = Fleet(6.0)
    for number in range(instances):
        fleet.begin(f"i{number}")
    fleet.run(SETTLED + 10)
    fleet.run(100)
    assert fleet.within(SETTLED + 10, SETTLED + 110) >= 0.99 * 600


@pytest.mark.parametrize("lost", ["killed", "frozen"])
def test_the_share_of_a_lost_instance_goes_to_the_others(lost: str) -> None:
    fleet = Fleet(6.0)
    fleet.begin("stays")
    fleet.begin("goes")
    fleet.run(60)
    fleet.kill("goes") if lost == "killed" else fleet.freeze("goes", 300)
    fleet.run(COUNTED + HELD)
    began = fleet.loop.now
    fleet.run(60)
    assert fleet.within(began, began + 60) >= 0.99 * 360
    fleet.run(400)
    assert not list(too_many(fleet.sent, 6.0))


def test_a_first_instance_sends_at_once_and_a_second_one_waits_first() -> None:
    fleet = Fleet(6.0)
    fleet.begin("first")
    fleet.run(30)
    assert fleet.sent[0][0] < 1.0
    fleet.begin("second")
    fleet.run(30)
    assert 30 + HELD <= min(at for at, name in fleet.sent if name == "second") < 30 + HELD + 1


def test_a_row_of_another_version_counts_as_an_instance_until_it_is_old() -> None:
    """Only the key and the time of an instance's row are read, so its content does not matter."""
    fleet = Fleet(6.0)
    fleet.begin("one")
    fleet.run(60)
    foreign = {"PartitionKey": INSTANCES, "RowKey": "unreadable", "schemaVersion": 99, "share": "}{"}
    fleet.tables.open_client("conversions").write(foreign)
    fleet.run(HELD)
    before = fleet.loop.now
    fleet.run(10)
    assert 0.4 * 60 <= fleet.within(before, before + 10) <= 0.6 * 60
    fleet.run(COUNTED)
    before = fleet.loop.now
    fleet.run(10)
    assert fleet.within(before, before + 10) >= 0.95 * 60


def test_rows_of_lost_instances_are_deleted() -> None:
    fleet = Fleet(6.0)
    for number in range(5):
        fleet.begin(f"i{number}")
    fleet.run(10)
    for number in range(4):
        fleet.kill(f"i{number}")
    fleet.run(FORGOTTEN + 30)
    assert [row["RowKey"] for row in fleet.tables.rows("conversions", INSTANCES)] == ["i4"]


def test_no_instance_sends_by_an_old_share_while_storage_fails() -> None:
    fleet = Fleet(6.0)
    fleet.begin("one")
    fleet.run(60)
    fleet.storage_down = True
    fleet.run(60)
    assert fleet.within(60 + HELD, 120) == 0
    fleet.storage_down = False
    fleet.run(60)
    assert fleet.within(120, 180) > 0
    assert not list(too_many(fleet.sent, 6.0))


def test_a_message_that_would_wait_long_is_put_off_until_its_turn() -> None:
    """40 messages at once, at three a minute: some wait within the call, and the others are put off at most three times
    on average.
    """
    fleet = Fleet(0.05)
    fleet.begin("one", at_once=40)
    fleet.run(1200)
    assert 55 <= len(fleet.sent) <= 62
    assert all(LONGEST_WAIT < each <= LONGEST for each in fleet.put_off)
    assert len(fleet.put_off) <= 3 * len(fleet.sent)


class _LoopClock:
    """The tenant's clock, in virtual time."""

    def __init__(self) -> None:
        self.fleet: Fleet | None = None

    def seconds(self) -> float:
        return self.fleet.loop.now if self.fleet is not None else 0.0


class Granting:
    """The double's own throttling at 0.3 of the real limits; another application uses a third of that."""

    def __init__(self, per_second: float) -> None:
        clock = _LoopClock()
        self._throttling = Throttling(clock, RetryAfterLedger(clock))  # type: ignore[arg-type]
        self._throttling.set({"on": True, "tier": "L", "factor": 0.3})
        self.refused: list[str] = []
        self.fleet = clock.fleet = Fleet(per_second, self.invite)
        self._foreign()

    def invite(self, name: str) -> tuple[float, bool]:
        caller = Caller("foreign" if name == "foreign" else "app", frozenset(), name)
        try:
            shown = self._throttling.admit(caller, Charge(1, 1, 1), users=3000, tenant_id="t")
        except GraphError:
            self.refused.append(name)
            return 0.0, True
        return float(shown.get("x-ms-throttle-limit-percentage", "0")), False

    def _foreign(self) -> None:
        self.invite("foreign")
        self.fleet.at(1 / 3, self._foreign)


@pytest.mark.parametrize("per_second", [6.0, 9.0, 20.0], ids=["what is left", "half as much again", "the default"])
def test_two_instances_use_what_graph_leaves_them_without_being_throttled(
    per_second: float, capsys: pytest.CaptureFixture[str]
) -> None:
    granting = Granting(per_second)
    for name in ("one", "two"):
        granting.fleet.begin(name)
    granting.fleet.run(300)
    used = len(granting.fleet.sent) / (6.0 * 300)
    with capsys.disabled():
        print(f"\n{per_second:g} a second allowed, 6 left by Graph: {used:.1%} used, {len(granting.refused)} refused")  # noqa: T201
    assert used >= 0.95
    assert not granting.refused
