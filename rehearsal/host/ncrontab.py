"""NCRONTAB, the schedule language of timer triggers: `{second} {minute} {hour} {day} {month} {day of week}`.

It reads what NCrontab, the parser of the real host, reads, in the same sense: fields are parted by spaces alone; five
fields mean second 0; day and day of week must both match; a name may be cut short (`MO`, `MON`, `monday`); a step of 0
or less is a step of 1. Libraries for cron differ in each of these, so a schedule that works with one can be dead in
Azure. A TimeSpan such as `00:00:30` is a constant interval, which Azure runs on a dedicated plan only. Times are UTC,
as in Azure.

It refuses two things that NCrontab takes, since their author meant something else: a range backwards, which NCrontab
turns round (`22-2` is 2 to 22), and a schedule that never comes, such as 30 February.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from rehearsal.host.config import ConfigError, timespan

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("second", 0, 59, ()),
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _DAYS),
)
_PART = re.compile(r"(\*|[0-9]+|[a-z]+)(?:-([0-9]+|[a-z]+))?(?:/([+-]?[0-9]{1,9}))?", re.ASCII | re.IGNORECASE)
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Schedule(Protocol):
    """When a timer fires."""

    def next_after(self, moment: datetime) -> datetime:
        """The first firing strictly after `moment` (UTC)."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A constant interval, counted from the moment asked for."""

    every: timedelta

    def next_after(self, moment: datetime) -> datetime:
        """The first firing after `moment`."""
        return moment + self.every


@dataclass(frozen=True, slots=True)
class Cron:
    """An NCRONTAB expression: the allowed values of each field, in the order of the fields."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]

    def next_after(self, moment: datetime) -> datetime:
        """The first firing strictly after `moment`."""
        start = moment.replace(microsecond=0) + timedelta(seconds=1)
        return next(
            candidate
            for day in self._days_from(start)
            for hour in self.hours
            for minute in self.minutes
            for second in self.seconds
            if (candidate := day.replace(hour=hour, minute=minute, second=second)) >= start
        )

    def _days_from(self, start: datetime) -> Iterator[datetime]:
        """The matching days; they never end, since `parse` lets only schedules pass that come."""
        day = start.replace(hour=0, minute=0, second=0)
        while True:
            if day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays:
                yield day
            day += timedelta(days=1)


def parse(expression: str) -> Schedule:
    """Read an NCRONTAB expression or a TimeSpan; `ConfigError` says what is wrong with it."""
    if ":" in expression:
        return _interval(expression)
    fields = [field for field in expression.split(" ") if field]
    if len(fields) == len(_FIELDS) - 1:
        fields = ["0", *fields]
    if len(fields) != len(_FIELDS):
        raise ConfigError(f"'{expression}' is not a schedule: six fields (or five, without seconds) are expected.")
    schedule = Cron(*(_values(text, *field) for text, field in zip(fields, _FIELDS, strict=True)))
    if min(schedule.days) > max(_LONGEST[month - 1] for month in schedule.months):
        raise ConfigError(f"'{expression}' never comes: no such month has that day.")
    return schedule


def _interval(expression: str) -> Interval:
    every = timespan(expression)
    if every <= timedelta(0):
        raise ConfigError(f"'{expression}' is not a schedule: the interval must be positive.")
    return Interval(every)


def _values(text: str, name: str, low: int, high: int, words: tuple[str, ...]) -> tuple[int, ...]:
    values: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None or (match[1] == "*" and match[2]):
            raise ConfigError(f"'{part}' is not a valid {name} of a schedule.")
        first, last, step = match.groups()
        start = low if first == "*" else _number(first, low, words)
        open_ended = first == "*" or (step and not last)
        end = high if open_ended else _number(last, low, words) if last else start
        if not low <= start <= end <= high:
            raise ConfigError(f"'{part}' is not a valid {name} of a schedule: {low} to {high} is allowed.")
        values.update(range(start, end + 1, max(1, int(step or 1))))
    return tuple(sorted(values))


def _number(text: str, low: int, words: tuple[str, ...]) -> int:
    """A number, or the place of the first name that begins with the text."""
    if text.isdecimal():
        return int(text)
    for number, word in enumerate(words, start=low):
        if word.startswith(text.lower()):
            return number
    raise ConfigError(f"'{text}' is not a value of a schedule.")
