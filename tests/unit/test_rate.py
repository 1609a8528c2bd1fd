"""An instance's share of the rate, the distances between its turns, and how Graph's signals slow it down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b.domain.rate import (
    CATCH_UP,
    COUNTED,
    HELD,
    LOWERED,
    NEARLY_USED,
    REACTION,
    RECOVERY,
    RENEWED,
    Restraint,
    Share,
    Turns,
    renewed,
)
from tests.unit.protocol import LIMITS

SEEN = Share(instances=2, began=100.0, silent_until=0.0)


def test_an_instance_that_sees_no_other_starts_at_once() -> None:
    assert renewed(None, 100.0, 100.2, []) == Share(1, 100.0, 100.2)


def test_a_new_instance_waits_until_the_others_have_renewed_their_shares() -> None:
    assert renewed(None, 100.0, 100.2, [3.0]) == Share(2, 100.0, 100.2 + HELD)


@pytest.mark.parametrize(("age", "instances"), [(-1.0, 2), (0.0, 2), (COUNTED - 0.1, 2), (COUNTED, 1), (3600.0, 1)])
def test_another_instance_counts_until_its_row_is_too_old(age: float, instances: int) -> None:
    assert renewed(SEEN, 104.0, 104.1, [age]).instances == instances


@pytest.mark.parametrize(("ended", "newcomer"), [(104.0, False), (100 + COUNTED - 0.1, False), (100 + COUNTED, True)])
def test_an_instance_that_renews_too_late_waits_like_a_new_one(
    ended: float,
    newcomer: bool,  # noqa: FBT001 - a column
) -> None:
    share = renewed(SEEN, ended - 0.1, ended, [1.0])
    assert share.silent_until == (ended + HELD if newcomer else SEEN.silent_until)


def test_a_share_is_due_for_renewal_before_it_expires() -> None:
    assert [SEEN.due(100 + RENEWED - 0.1), SEEN.due(100 + RENEWED)] == [False, True]
    assert [SEEN.holds(100 + HELD - 0.1), SEEN.holds(100 + HELD)] == [True, False]


def test_an_invitation_is_sent_before_the_others_stop_counting_its_instance() -> None:
    assert HELD + LIMITS.fence.total_seconds() < COUNTED


@given(
    st.lists(st.floats(0, 30), min_size=2, max_size=60),
    st.floats(0.01, 30),
)
def test_no_period_has_more_turns_than_the_rate_allows(pauses: list[float], rate: float) -> None:
    """Each turn is waited for, and followed by a random pause."""
    turns, now, taken = Turns(), 1000.0, list[float]()
    for pause in pauses:
        now += pause * 0.1
        now += turns.wait(now)
        turns = turns.taken(now, rate)
        taken.append(now)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= rate * (taken[last] - taken[first] + CATCH_UP) + 1 + 1e-6


def test_a_late_caller_may_catch_up_by_half_a_second_only() -> None:
    turns, at = Turns(booked=10.0), 60.0
    waits = []
    for _ in range(8):
        waits.append(turns.wait(at))
        turns = turns.taken(at, 10.0)
    assert waits == pytest.approx([0.0] * 6 + [0.1, 0.2])


@pytest.mark.parametrize(
    ("used", "refused", "left"),
    [(0.0, False, 1.0), (NEARLY_USED, False, 1.0), (0.81, False, LOWERED), (1.8, False, LOWERED), (0.0, True, 0.5)],
)
def test_a_throttling_signal_of_graph_lowers_the_pace(used: float, refused: bool, left: float) -> None:  # noqa: FBT001 - a column
    assert Restraint(1.0, 0.0).after(10.0, used, refused=refused).now(10.0) == pytest.approx(left)


def test_signals_in_quick_succession_lower_the_pace_once() -> None:
    first = Restraint(1.0, 0.0).after(10.0, 0.9, refused=False)
    assert first.after(10.0 + REACTION - 0.1, 0.9, refused=False) is first
    assert first.after(10.0 + REACTION, 0.9, refused=False).now(10.0 + REACTION) < LOWERED


def test_the_pace_recovers_evenly_up_to_the_share() -> None:
    restraint = Restraint(0.5, 10.0)
    assert [restraint.now(9.0), restraint.now(20.0)] == pytest.approx([0.5, 0.5 + 10 * RECOVERY])
    assert restraint.now(1000.0) == 1.0
