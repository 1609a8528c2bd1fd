"""How fast one instance invites: its share of the app's rate, one turn after another, slower where Graph shows signs.

Times are seconds on the instance's own monotonic clock; ages come from the clock of storage. No two clocks meet.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

RENEWED = 4.0
"""Seconds after which an instance writes its row again, and reads those of the others."""
HELD = 8.0
"""Seconds for which it goes by what it read, counted from before it wrote. A newcomer is silent for as long."""
COUNTED = 20.0
"""Seconds for which the others count its row, from storage's timestamp.

That is longer than a share is held and the fence of a claim together: an invitation that was given its turn has left
by then, or never leaves.
"""
CATCH_UP = 0.5
"""Seconds of turns that an instance may make up for when it was late."""
START = 0.5
"""The part of its share that a newcomer begins with."""
RECOVERY = 0.02
"""The part of its share that an instance wins back in each second without a sign."""
LOWERED, HALVED = 0.7, 0.5
"""What is left of its pace when Graph says that its limit is nearly used up, and when it refuses."""
REACTION = 0.5
"""Seconds within which further signs are about the pace before the last change."""
NEARLY_USED = 0.8
"""From this part of a limit on, Graph says how much of it is used."""


@dataclass(frozen=True)
class Share:
    """What an instance knows of the others: from ``silent_until`` on it may use one of ``instances`` equal parts."""

    instances: int
    began: float
    """When it began to write the row that this share was read with."""
    silent_until: float

    def due(self, now: float) -> bool:
        """Tell whether it is time to renew it."""
        return now >= self.began + RENEWED

    def holds(self, now: float) -> bool:
        """Tell whether the instance may still go by it."""
        return now < self.began + HELD


def renewed(before: Share | None, began: float, ended: float, ages: Iterable[float]) -> Share:
    """Return the share of an instance that wrote its row between two moments, and then read the ages of the others'.

    An instance whose row was not counted all the time is a newcomer. It waits until the others have read the rows again
    since it came. An instance that sees no other need not wait: one that comes now sees this one's row, and waits.
    """
    others = sum(age < COUNTED for age in ages)
    if before is not None and ended - before.began < COUNTED:
        silent_until = before.silent_until
    else:
        silent_until = ended + HELD if others else ended
    return Share(1 + others, began, silent_until)


@dataclass(frozen=True)
class Turns:
    """Turns at even distances: in any ``t`` seconds at most ``rate * (t + CATCH_UP) + 1``."""

    booked: float = 0.0

    def wait(self, now: float) -> float:
        """Return the seconds until the next turn."""
        return max(self.booked - CATCH_UP - now, 0.0)

    def taken(self, now: float, rate: float) -> "Turns":
        """Take one; ``rate`` is in turns per second."""
        return Turns(max(self.booked, now) + 1 / rate)


@dataclass(frozen=True)
class Restraint:
    """The part of its share that an instance uses: additive increase, multiplicative decrease."""

    part: float = START
    at: float = 0.0
    lowered: float = -math.inf
    """When a sign last lowered it."""

    def now(self, now: float) -> float:
        """Return the part at a moment."""
        return min(1.0, self.part + RECOVERY * max(now - self.at, 0.0))

    def after(self, now: float, used: float, *, refused: bool) -> "Restraint":
        """Return it after an answer that says how much of a limit is ``used``, or that it was ``refused``."""
        if now - self.lowered < REACTION or not (refused or used > NEARLY_USED):
            return self
        return Restraint(self.now(now) * (HALVED if refused else LOWERED), now, now)
