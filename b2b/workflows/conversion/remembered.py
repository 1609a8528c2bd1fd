"""A bounded cache of one instance, which drops the value that was used least recently."""

from datetime import datetime
from typing import Generic, TypeVar

Value = TypeVar("Value")

MOST = 2_000
"""The number of values kept. They are the domains and companies of a large campaign, and take some megabytes."""


class Remembered(Generic[Value]):
    """A cache of values by name, each with the time at which it was read."""

    def __init__(self, most: int = MOST) -> None:
        """``most``: how many values are kept; more than are in use at the same time."""
        self._most = most
        self._values: dict[str, tuple[datetime, Value]] = {}

    def get(self, name: str) -> tuple[datetime, Value] | None:
        """Return a value and when it was read, or None. The value then counts as used most recently."""
        found = self._values.pop(name, None)
        if found is not None:
            self._values[name] = found
        return found

    def put(self, name: str, read_at: datetime, value: Value) -> None:
        """Keep a value. If there are too many values, drop the value that was used least recently."""
        self._values.pop(name, None)
        self._values[name] = (read_at, value)
        if len(self._values) > self._most:
            del self._values[next(iter(self._values))]
