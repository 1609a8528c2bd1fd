"""The types of the clocks that other modules are given, and the real clocks."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the current time in UTC, with its zone."""


Monotonic = Callable[[], float]
"""Returns the seconds of a monotonic clock, which ignores changes of the system's time. Only differences matter."""


def monotonic() -> float:
    """Return the seconds of a clock that never goes back."""
    return time.monotonic()


def system_clock() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)
