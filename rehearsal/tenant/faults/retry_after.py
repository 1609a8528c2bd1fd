"""A ledger of Retry-After: which waits the tenant asked each client for, and which client came back too early.

An early call is recorded and answered with a longer wait. A client is one process of an application, identified by its
token. A process that replaces a killed one has a new token, so it is not blamed for what its predecessor was told.
"""

from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime

from rehearsal.tenant.clock import Clock

TOLERANCE = 0.05
"""Seconds by which timers of client and tenant may differ."""
GRACE = 1.0
"""Seconds after a Retry-After in which another task of the client may send a call, because it does not know of it."""
LONGEST = 120.0
"""Most seconds that a client is asked to wait because it came too early. Without a limit, eight threads that each keep
to their own Retry-After alone would double the wait of their process until it is longer than the tenant lives."""


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """A wait of `seconds` that the tenant asked for at `told`. If `early` is not 0, the client came back that many
    seconds too early, and this is the longer wait that followed.
    """

    told: float
    seconds: float
    early: float = 0.0

    @property
    def until(self) -> float:
        """When the client may come back, by the tenant's clock."""
        return self.told + self.seconds


class RetryAfterLedger:
    """The waits in force, by client and by what the client must not call (`about`).

    `about` names either the call that was refused or a limit that many calls share. A call less than `grace` seconds
    after the refusal is not a breach, so a wait no longer than `grace` cannot be broken.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.grace = GRACE
        self._made: dict[tuple[str, str], RetryAfter] = {}

    def __bool__(self) -> bool:
        return bool(self._made)

    def make(self, client: str, about: str, seconds: float) -> None:
        """Record that a client was asked to wait. A wait in force stays, because the client may know only that one."""
        if self.open(client, about) is None:
            self._made[client, about] = RetryAfter(self._clock.seconds(), seconds)

    def open(self, client: str, about: str) -> RetryAfter | None:
        """Return the wait that is still in force, or None."""
        promise = self._made.get((client, about))
        if promise is not None and self._clock.seconds() >= promise.until - TOLERANCE:
            del self._made[client, about]
            return None
        return promise

    def breach(self, client: str, about: str) -> RetryAfter | None:
        """If the client came too early, replace its wait by one twice as long from now, and return that; else None.

        The new wait is at most `LONGEST` seconds, or as long as the one before.
        """
        promise, now = self.open(client, about), self._clock.seconds()
        if promise is None or now - promise.told < self.grace:
            return None
        seconds = max(promise.seconds, min(promise.seconds * 2, LONGEST))
        longer = self._made[client, about] = RetryAfter(now, seconds, promise.until - now)
        return longer

    def forgive(self) -> None:
        """Forget all waits."""
        self._made.clear()


def seconds_of(retry_after: str, clock: Clock) -> float:
    """Return the seconds that a Retry-After header asks to wait. It holds seconds, maybe with a fraction, or a date."""
    if retry_after.replace(".", "", 1).isdigit():
        return float(retry_after)
    return max(0.0, (parsedate_to_datetime(retry_after) - clock.now()) / timedelta(seconds=1))
