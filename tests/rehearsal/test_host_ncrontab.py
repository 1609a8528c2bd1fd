"""NCRONTAB schedules: when the next firing is, and what is no schedule."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.host.config import ConfigError
from rehearsal.host.ncrontab import Cron, parse

NOW = datetime(2026, 11, 22, 17, 56, 30, 500_000, tzinfo=UTC)  # a Sunday


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("* * * * * *", "2026-11-22 17:56:31"),
        ("*/15 * * * * *", "2026-11-22 17:56:45"),
        ("30 * * * * *", "2026-11-22 17:57:30"),
        ("0 */5 * * * *", "2026-11-22 18:00:00"),
        ("*/5 * * * *", "2026-11-22 18:00:00"),
        ("0 30 9-17 * * 1-5", "2026-11-23 09:30:00"),
        ("0 30 9-17 * * Mon-Fri", "2026-11-23 09:30:00"),
        ("0 0 0 1 JAN *", "2027-01-01 00:00:00"),
        ("0 0 12 29 2 *", "2028-02-29 12:00:00"),
        ("0 0 0 13 * 5", "2027-08-13 00:00:00"),
        ("5,50 10/20 * * * *", "2026-11-22 18:10:05"),
        ("0 0 6-10/2 * * *", "2026-11-23 06:00:00"),
        ("0 0 0 * * 0", "2026-11-29 00:00:00"),
        ("01:30:00", "2026-11-22 19:26:30.500000"),
    ],
)
def test_the_next_firing(expression: str, expected: str) -> None:
    assert parse(expression).next_after(NOW) == datetime.fromisoformat(expected + "+00:00")


@pytest.mark.parametrize(
    "expression",
    ["", "every hour", "* * * *", "* * * * * * *", "60 * * * * *", "0 0 24 * * *", "0 0 0 0 * *", "0 0 0 1 13 *",
     "0 0 0 * * 7", "*/0 * * * * *", "5-2 * * * * *", "0 0 0 1 Foo *", "-1 * * * * *", "0:0:0", "00:00:00"],
)  # fmt: skip
def test_what_is_no_schedule_is_refused(expression: str) -> None:
    with pytest.raises(ConfigError):
        parse(expression)


def test_a_schedule_without_any_date_is_refused_when_asked() -> None:
    with pytest.raises(ConfigError, match="never fires"):
        parse("0 0 0 31 4 *").next_after(NOW)


def test_a_leap_day_on_a_weekday_is_found_even_across_a_year_without_one() -> None:
    found = parse("0 0 0 29 2 1").next_after(datetime(2096, 3, 1, tzinfo=UTC))
    assert (found.month, found.day, found.isoweekday()) == (2, 29, 1)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive
    st.sampled_from(["*/7 * * * * *", "13 */9 * * * *", "0 15 3,21 * * *", "59 59 23 28-31 * *", "0 0 0 * 3 2"]),
)
def test_the_next_firing_is_later_matches_and_skips_none_in_the_next_seconds(moment: datetime, expression: str) -> None:
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
