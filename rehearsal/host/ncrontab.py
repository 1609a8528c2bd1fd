"""NCRONTAB, the schedule language of timer triggers: `{second} {minute} {hour} {day} {month} {day of week}`.

Five fields mean second 0. Day and day of week must both match (NCrontab, unlike cron, never ors them). A TimeSpan such
as `00:00:30` is a constant interval. Times are UTC, as in Azure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from rehearsal.host.config import ConfigError, timespan

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = {name: i for i, name in enumerate(_MONTH_NAMES, start=1)}
_DAYS = {name: i for i, name in enumerate(_DAY_NAMES)}
_NAME_LENGTH = 3
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _DAYS),
)
_PART = re.compile(r"(\*|[0-9]+|[a-z]+)(?:-([0-9]+|[a-z]+))?(?:/([0-9]+))?", re.IGNORECASE)
# 29 February on a given weekday comes back after 40 years at the latest (28, or 40 over a skipped leap year like 2100).
_HORIZON = timedelta(days=366 * 41)


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
        """The first firing strictly after `moment`; `ConfigError` when no date ever matches (30 February)."""
        start = moment.replace(microsecond=0) + timedelta(seconds=1)
        for day in self._matching_days(start):
            for hour in self.hours:
                for minute in self.minutes:
                    for second in self.seconds:
                        candidate = day.replace(hour=hour, minute=minute, second=second)
                        if candidate >= start:
                            return candidate
        raise ConfigError("The schedule never fires.")

    def _matching_days(self, start: datetime) -> Iterator[datetime]:
        day = start.replace(hour=0, minute=0, second=0)
        while day < start + _HORIZON:
            if day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays:
                yield day
            day += timedelta(days=1)


def parse(expression: str) -> Schedule:
    """Read an NCRONTAB expression or a TimeSpan; `ConfigError` says what is wrong with it."""
    if ":" in expression:
        return _interval(expression)
    fields = expression.split()
    if len(fields) == len(_FIELDS) - 1:
        fields = ["0", *fields]
    if len(fields) != len(_FIELDS):
        raise ConfigError(f"'{expression}' is not a schedule: six fields (or five, without seconds) are expected.")
    return Cron(*(_values(text, *field) for text, field in zip(fields, _FIELDS, strict=True)))


def _interval(expression: str) -> Interval:
    every = timespan(expression)
    if every <= timedelta(0):
        raise ConfigError(f"'{expression}' is not a schedule: the interval must be positive.")
    return Interval(every)


def _values(text: str, name: str, low: int, high: int, words: dict[str, int]) -> tuple[int, ...]:
    values: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ConfigError(f"'{part}' is not a valid {name} of a schedule.")
        first, last, step = match.groups()
        start = low if first == "*" else _number(first, words)
        open_ended = first == "*" or (step and not last)
        end = high if open_ended else _number(last, words) if last else start
        if not low <= start <= end <= high or (step and int(step) == 0):
            raise ConfigError(f"'{part}' is not a valid {name} of a schedule: {low} to {high} is allowed.")
        values.update(range(start, end + 1, int(step or 1)))
    return tuple(sorted(values))


def _number(text: str, words: dict[str, int]) -> int:
    if text.isdecimal():
        return int(text)
    try:
        return words[text[:_NAME_LENGTH].lower()]
    except KeyError:
        raise ConfigError(f"'{text}' is not a value of a schedule.") from None
