"""The clock that the probe is given, and the real one."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time, and waits."""

    def now(self) -> datetime:
        """Return the current time in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait for some seconds."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait for some seconds."""
        time.sleep(seconds)
