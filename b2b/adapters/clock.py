"""The time, as something that can be handed in."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present moment, with its zone (UTC)."""


def system_clock() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)
