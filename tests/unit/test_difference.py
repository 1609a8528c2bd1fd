"""Which followed accounts are read by id, and when an account that Graph's list does not show is read again."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b.domain.conversion.records import Absence, Conversion
from b2b.domain.conversion.stages import Stage
from b2b.domain.lifecycle.difference import LATEST, SOONEST, is_news, is_young, next_look
from b2b.domain.readings import Followed
from tests.unit.cases import ANNA
from tests.unit.protocol import DAY, HOUR, LIMITS, MINUTE, NOW, SECOND, WINDOW, conversion, doubt

FRESH = Followed(ANNA, NOW - HOUR)
SHOWN, PUT_OFF = replace(FRESH, shown=True), replace(FRESH, put_off=True)
INVITED = conversion(Stage.INVITED, invited_at=NOW - DAY, seen_at=NOW - DAY)


@pytest.mark.parametrize(
    ("entry", "listed", "by_list", "by_id"),
    [
        (FRESH, True, True, True),
        (FRESH, False, True, True),
        (SHOWN, True, False, True),
        (SHOWN, False, True, True),
        (PUT_OFF, True, True, False),
        (PUT_OFF, False, False, False),
    ],
    ids=["new and shown", "new and hidden", "still shown", "no longer shown", "shows up", "still hidden"],
)
def test_an_account_is_read_if_the_list_differs(entry: Followed, listed: bool, by_list: bool, by_id: bool) -> None:  # noqa: FBT001
    assert is_news(entry, listed=listed) is by_list
    assert is_news(entry, listed=None) is by_id


def test_an_account_is_young_for_one_window_after_its_claim() -> None:
    assert is_young(replace(FRESH, since=NOW - WINDOW + SECOND), LIMITS, NOW)
    assert not is_young(replace(FRESH, since=NOW - WINDOW), LIMITS, NOW)
    assert not is_young(replace(PUT_OFF, since=NOW), LIMITS, NOW), "an account in the schedule has been read before"


@pytest.mark.parametrize(
    ("row", "at"),
    [
        (replace(INVITED, absence=Absence.GONE, absent_since=NOW - MINUTE), NOW - MINUTE + WINDOW),
        (replace(INVITED, absence=Absence.BIN, absent_since=NOW - 30 * DAY + MINUTE), NOW + MINUTE),
        (replace(INVITED, internal_since=NOW), NOW + MINUTE),
        (replace(INVITED, invited_at=NOW - MINUTE, seen_at=None), NOW - MINUTE + WINDOW),
        (conversion(Stage.NEEDS_REVIEW, doubts=(doubt(MINUTE),)), NOW - MINUTE + WINDOW),
    ],
    ids=["gone", "in the bin for 30 days", "internal again", "not seen yet", "in doubt"],
)
def test_an_account_is_read_next_when_a_read_can_decide_something(row: Conversion, at: datetime) -> None:
    assert next_look(row, NOW - DAY, LIMITS, NOW) == at


@given(st.timedeltas(timedelta(), timedelta(days=90)), st.uuids())
def test_the_interval_between_reads_grows_with_time_within_bounds(age: timedelta, user_id: object) -> None:
    row = replace(INVITED, user_id=str(user_id))
    wait = next_look(row, NOW - age, LIMITS, NOW) - NOW
    assert SOONEST <= wait <= LATEST
    assert wait >= min(age / 4, LATEST) * 0.75
    assert wait <= max(age / 4, SOONEST)


def test_accounts_that_were_invited_together_are_due_at_different_times() -> None:
    rows = [replace(INVITED, user_id=f"{number}") for number in range(200)]
    assert len({next_look(row, NOW - 30 * DAY, LIMITS, NOW).replace(second=0, microsecond=0) for row in rows}) > 50
