"""How fast one instance invites: its share of the app's rate, spread evenly, and less while Graph is under load.

Times are seconds of the instance's own monotonic clock. Ages are differences of two timestamps of storage's clock.
The two clocks are never compared.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

RENEWED = 4.0
"""Seconds after which an instance renews its row and reads the other instances' rows again."""
HELD = 8.0
"""Seconds for which an instance uses a share, counted from just before it wrote its row to get the share. A new
instance sends nothing for the same time."""
COUNTED = 20.0
"""Seconds for which other instances count an instance's row, from storage's timestamp.

This is longer than `HELD` and the fence of a claim together. So once an instance's row is not counted any more, every
invitation of the instance that had its turn was sent, or is never sent.
"""
CATCH_UP = 0.5
"""Seconds' worth of missed turns that an instance may make up."""
START = 0.5
"""The part of its share (0 to 1) that a new instance begins with."""
RECOVERY = 0.02
"""The part of its share that an instance regains in each second without a sign of load."""
LOWERED, HALVED = 0.7, 0.5
"""Factors for an instance's pace when Graph reports that its limit is nearly used up, and when Graph throttles."""
REACTION = 0.5
"""Seconds after a reduction in which further signs of load are ignored, because they are about the earlier pace."""
NEARLY_USED = 0.8
"""The part of its limit from which Graph reports how much is used."""


@dataclass(frozen=True)
class Share:
    """An instance's share of the app's rate: from ``silent_until`` on it may use one of ``instances`` equal parts."""

    instances: int
    began: float
    """When the instance began to write its row, before it read the rows of the others."""
    silent_until: float

    def due(self, now: float) -> bool:
        """Tell whether it is time to renew the share."""
        return now >= self.began + RENEWED

    def holds(self, now: float) -> bool:
        """Tell whether the instance may still use the share."""
        return now < self.began + HELD


def renewed(before: Share | None, began: float, ended: float, ages: Iterable[float]) -> Share:
    """Return the share of an instance that renewed its row between ``began`` and ``ended``.

    ``ages``: seconds since the other instances renewed their rows; ``before``: the share until now, None for the first.
    An instance is new if there was a time in which the others did not count its row. A new instance sends nothing until
    the others have read the rows again. If a new instance sees no other row, it need not wait, because an instance that
    starts later sees this row and waits itself.
    """
    others = sum(age < COUNTED for age in ages)
    if before is not None and ended - before.began < COUNTED:
        silent_until = before.silent_until
    else:
        silent_until = ended + HELD if others else ended
    return Share(1 + others, began, silent_until)


@dataclass(frozen=True)
class Turns:
    """Evenly spaced turns to invite: in any ``t`` seconds at most ``rate * (t + CATCH_UP) + 1``."""

    booked: float = 0.0

    def wait(self, now: float) -> float:
        """Return the seconds until the next turn, 0 if it is due."""
        return max(self.booked - CATCH_UP - now, 0.0)

    def taken(self, now: float, rate: float) -> "Turns":
        """Return the turns after one is taken; ``rate`` is in turns per second."""
        return Turns(max(self.booked, now) + 1 / rate)


@dataclass(frozen=True)
class Restraint:
    """The part of its share (0 to 1) that an instance uses: additive increase, multiplicative decrease."""

    part: float = START
    at: float = 0.0
    lowered: float = -math.inf
    """When a sign of load last lowered the part."""

    def now(self, now: float) -> float:
        """Return the part that the instance may use now."""
        return min(1.0, self.part + RECOVERY * max(now - self.at, 0.0))

    def after(self, now: float, used: float, *, refused: bool) -> "Restraint":
        """Return the restraint after an answer from Graph.

        ``used``: the part of its limit (0 to 1) that Graph reports as used; ``refused``: Graph throttled the call.
        """
        if now - self.lowered < REACTION or not (refused or used > NEARLY_USED):
            return self
        return Restraint(self.now(now) * (HALVED if refused else LOWERED), now, now)
