"""The time, as something that can be handed in."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present moment, with its zone (UTC)."""


Monotonic = Callable[[], float]
"""Returns the seconds of a monotonic clock: setting the time does not move it, and only differences mean something."""


def monotonic() -> float:
    """Return the seconds of a clock that never goes back."""
    return time.monotonic()


def system_clock() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)
