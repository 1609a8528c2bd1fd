"""Parse NCRONTAB, the schedule language of timer triggers: `{second} {minute} {hour} {day} {month} {day of week}`.

This parser accepts what NCrontab, the real host's parser, accepts, with the same meaning:

- Only spaces separate fields. Five fields mean second 0.
- Day and day of week must both match.
- A name may be shortened (`MO`, `MON`, `monday`). A step of 0 or less is a step of 1.

Cron libraries differ in each of these points, so a schedule that works with one of them may never fire in Azure. A
TimeSpan such as `00:00:30` is a constant interval, which Azure runs only on a dedicated plan. Times are in UTC, as in
Azure.

This parser refuses two schedules that NCrontab accepts, because their author meant something else: a reversed range,
which NCrontab swaps (`22-2` becomes 2 to 22), and a schedule that never fires, such as 30 February.
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
    """The times at which a timer fires."""

    def next_after(self, moment: datetime) -> datetime:
        """Return the first time strictly after `moment` (UTC) at which the timer fires."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A constant interval."""

    every: timedelta

    def next_after(self, moment: datetime) -> datetime:
        """Return `moment` plus the interval."""
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
        """Return the first time strictly after `moment` that matches the expression."""
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
        """Yield the matching days without end.

        There always is one, because `parse` refuses schedules that never fire.
        """
        day = start.replace(hour=0, minute=0, second=0)
        while True:
            if day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays:
                yield day
            day += timedelta(days=1)


def parse(expression: str) -> Schedule:
    """Parse an NCRONTAB expression or a TimeSpan. Raises `ConfigError`, which names the fault."""
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
    """Return the number, or the position of the first name that begins with the text."""
    if text.isdecimal():
        return int(text)
    for number, word in enumerate(words, start=low):
        if word.startswith(text.lower()):
            return number
    raise ConfigError(f"'{text}' is not a value of a schedule.")
