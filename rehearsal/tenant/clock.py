"""The tenant's clock: real time plus what was advanced on command."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Virtual time. Token lifetimes, page tokens and the recycle bin are measured on it."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The tenant's time, UTC."""
        return datetime.now(UTC) + self._ahead

    def advance(self, seconds: float) -> None:
        """Move time forward; it never goes back, so that what was written stays in order."""
        if seconds < 0:
            raise ValueError(f"time moves forward only, got {seconds} seconds")
        self._ahead += timedelta(seconds=seconds)

    def stamp(self) -> str:
        """Now, in Graph's form: `2026-04-17T08:30:00Z`."""
        return timestamp(self.now())


def timestamp(moment: datetime) -> str:
    """A moment in Graph's form, whole seconds, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
