"""Retry-After as a promise: the tenant said when to come back, and remembers whom it told.

Who comes back earlier is recorded and told to stay away for longer. A client is one process of an application, known
by its token; a process that was killed fetched another, so nobody is blamed for what his predecessor was told.
"""

from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime

from rehearsal.tenant.clock import Clock

TOLERANCE = 0.05
"""Seconds by which timers of client and tenant may differ."""
GRACE = 1.0
"""Seconds after the word went out in which a call may have been under way already: sent, or about to be, by somebody at
the client who could not know of it yet."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Told at `told` to stay away for `seconds`. Broken by coming `early`, a longer one follows."""

    told: float
    seconds: float
    early: float = 0.0

    @property
    def until(self) -> float:
        """When to come back, on the tenant's clock."""
        return self.told + self.seconds


class Promises:
    """What was promised to whom: by client and by what it was told to stay away from.

    That is either the call that was refused, or a limit that many calls share. For both, calls within `grace` seconds
    of the word are nobody's fault; so a wait that is not longer than that cannot be broken.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.grace = GRACE
        self._made: dict[tuple[str, str], Promise] = {}

    def __bool__(self) -> bool:
        return bool(self._made)

    def make(self, client: str, about: str, seconds: float) -> None:
        """Tell a client to stay away. While it is told so already, the first word counts: it cannot know better."""
        if self.open(client, about) is None:
            self._made[client, about] = Promise(self._clock.seconds(), seconds)

    def open(self, client: str, about: str) -> Promise | None:
        """The promise that still holds."""
        promise = self._made.get((client, about))
        if promise is not None and self._clock.seconds() >= promise.until - TOLERANCE:
            del self._made[client, about]
            return None
        return promise

    def breach(self, client: str, about: str) -> Promise | None:
        """The longer promise for a client that comes too early, twice as long and from now; None if it does not."""
        promise, now = self.open(client, about), self._clock.seconds()
        if promise is None or now - promise.told < self.grace:
            return None
        longer = self._made[client, about] = Promise(now, promise.seconds * 2, promise.until - now)
        return longer

    def forgive(self) -> None:
        """Forget all promises."""
        self._made.clear()


def seconds_of(retry_after: str, clock: Clock) -> float:
    """How long a Retry-After asks to stay away: seconds, whole or not, or the time until a date."""
    if retry_after.replace(".", "", 1).isdigit():
        return float(retry_after)
    return max(0.0, (parsedate_to_datetime(retry_after) - clock.now()) / timedelta(seconds=1))
