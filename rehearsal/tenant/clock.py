"""The tenant's clock: real time that a test can advance or freeze."""

from datetime import UTC, datetime, timedelta


class Clock:
    """The tenant's virtual clock: tokens and page links expire by it, and throttling and replication run on it.

    It follows real time, plus whatever `advance` has added. While it is frozen, only `advance` moves it, so a run can
    be repeated to the second.
    """

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        """Return the tenant's time in UTC."""
        return (self._frozen or datetime.now(UTC)) + self._ahead

    def seconds(self) -> float:
        """Return the tenant's time in seconds since 1970."""
        return self.now().timestamp()

    def advance(self, seconds: float) -> None:
        """Move time forward by some seconds. It never goes back, so that recorded times stay in order."""
        if seconds < 0:
            raise ValueError(f"time moves forward only, got {seconds} seconds")
        self._ahead += timedelta(seconds=seconds)

    def freeze(self) -> None:
        """Stop the clock at its current time."""
        self._frozen = self._frozen or datetime.now(UTC)

    def run(self) -> None:
        """Let a frozen clock follow real time again, from the time it shows."""
        if self._frozen is not None:
            self._ahead -= datetime.now(UTC) - self._frozen
            self._frozen = None

    @property
    def frozen(self) -> bool:
        """Whether the clock is frozen."""
        return self._frozen is not None

    def stamp(self) -> str:
        """Return the tenant's time in Graph's form, for example `2026-04-17T08:30:00Z`."""
        return timestamp(self.now())


def timestamp(moment: datetime) -> str:
    """Return a moment in Graph's form: UTC, in whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
