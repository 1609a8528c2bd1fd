"""The tenant's clock: real time plus what was advanced on command, or standing still until it is advanced."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Virtual time. Tokens, pages, the recycle bin, throttling and replication are all measured on it.

    It runs with real time unless it is frozen: then only `advance` moves it, and a run can be repeated to the second.
    """

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        """The tenant's time, UTC."""
        return (self._frozen or datetime.now(UTC)) + self._ahead

    def seconds(self) -> float:
        """The tenant's time in seconds since 1970."""
        return self.now().timestamp()

    def advance(self, seconds: float) -> None:
        """Move time forward; it never goes back, so that what was written stays in order."""
        if seconds < 0:
            raise ValueError(f"time moves forward only, got {seconds} seconds")
        self._ahead += timedelta(seconds=seconds)

    def freeze(self) -> None:
        """Stand still from now on."""
        self._frozen = self._frozen or datetime.now(UTC)

    def run(self) -> None:
        """Go on with real time from where it stands."""
        if self._frozen is not None:
            self._ahead -= datetime.now(UTC) - self._frozen
            self._frozen = None

    @property
    def frozen(self) -> bool:
        """Whether it stands still."""
        return self._frozen is not None

    def stamp(self) -> str:
        """Now, in Graph's form: `2026-04-17T08:30:00Z`."""
        return timestamp(self.now())


def timestamp(moment: datetime) -> str:
    """A moment in Graph's form, whole seconds, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
