"""A bounded memory of one instance: what was used last is kept, the rest goes."""

from datetime import datetime
from typing import Generic, TypeVar

Value = TypeVar("Value")

MOST = 2_000
"""Entries: domains and companies of a large campaign, in some megabytes."""


class Remembered(Generic[Value]):
    """Values by name, with the time at which each was read."""

    def __init__(self, most: int = MOST) -> None:
        """Keep up to ``most`` values: more than can be in use at once."""
        self._most = most
        self._values: dict[str, tuple[datetime, Value]] = {}

    def get(self, name: str) -> tuple[datetime, Value] | None:
        """Return a value and when it was read. The store then drops this value last."""
        found = self._values.pop(name, None)
        if found is not None:
            self._values[name] = found
        return found

    def put(self, name: str, read_at: datetime, value: Value) -> None:
        """Keep a value; where there are too many, the one goes that was not used for the longest time."""
        self._values.pop(name, None)
        self._values[name] = (read_at, value)
        if len(self._values) > self._most:
            del self._values[next(iter(self._values))]
