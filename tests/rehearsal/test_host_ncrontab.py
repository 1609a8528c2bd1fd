"""NCRONTAB schedules: the next firing, and which schedules are invalid."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.host.config import ConfigError
from rehearsal.host.ncrontab import Cron, parse
from tests.support.schedules import NEVER, NOW, REFUSED, TAKEN, TURNED_ROUND, WIDER


@pytest.mark.parametrize(("expression", "expected"), [*TAKEN.items(), *WIDER.items()])
def test_the_next_firing_is_that_of_ncrontab(expression: str, expected: str) -> None:
    assert parse(expression).next_after(NOW) == datetime.fromisoformat(expected + "+00:00")


@pytest.mark.parametrize("expression", [*REFUSED, "0:0:0", "00:00:00"])
def test_an_invalid_schedule_is_refused(expression: str) -> None:
    with pytest.raises(ConfigError):
        parse(expression)


@pytest.mark.parametrize("expression", TURNED_ROUND)
def test_a_reversed_range_is_refused_and_not_swapped(expression: str) -> None:
    with pytest.raises(ConfigError, match="is not a valid"):
        parse(expression)


@pytest.mark.parametrize("expression", NEVER)
def test_a_schedule_that_never_fires_is_refused(expression: str) -> None:
    with pytest.raises(ConfigError, match="never comes"):
        parse(expression)


def test_a_leap_day_on_a_weekday_is_found_across_2100() -> None:
    found = parse("0 0 0 29 2 1").next_after(datetime(2096, 3, 1, tzinfo=UTC))
    assert (found.month, found.day, found.isoweekday()) == (2, 29, 1)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive
    st.sampled_from(["*/7 * * * * *", "13 */9 * * * *", "0 15 3,21 * * *", "59 59 23 28-31 * *", "0 0 0 * 3 2"]),
)
def test_the_next_firing_is_the_first_later_moment_that_matches(moment: datetime, expression: str) -> None:
    schedule = parse(expression)
    assert isinstance(schedule, Cron)
    following = schedule.next_after(moment)
    assert following > moment
    assert _matches(schedule, following)
    second = moment.replace(microsecond=0) + timedelta(seconds=1)
    while second < min(following, moment + timedelta(seconds=90)):
        assert not _matches(schedule, second)
        second += timedelta(seconds=1)


def _matches(schedule: Cron, moment: datetime) -> bool:
    return (
        moment.second in schedule.seconds
        and moment.minute in schedule.minutes
        and moment.hour in schedule.hours
        and moment.day in schedule.days
        and moment.month in schedule.months
        and moment.isoweekday() % 7 in schedule.weekdays
    )
