"""Give each invitation its turn, so that all instances together stay within the rate in the settings.

Each instance that invites writes its own row every few seconds and counts the rows of the others. Its share is the rate
divided by the number of instances. An instance that is dead or frozen does not write its row, so its share goes to the
others. A single invitation writes nothing.
"""

import asyncio
import logging
from collections.abc import Callable

from b2b.domain.conversion.waits import LONGEST, WaitReason
from b2b.domain.errors import MustWait, Transient
from b2b.domain.rate import START, Restraint, Share, Turns, renewed
from b2b.workflows.ports import Instances

log = logging.getLogger(__name__)

LONGEST_WAIT = 20.0
"""Seconds that a message waits for its turn in the process. A message that must wait longer goes back to the queue,
because it would take the place of other messages and delay the host when it stops."""
LOOK = 1.0
"""Seconds after which an invitation that waits for its turn asks again, because shares change."""


def monotonic() -> float:
    """Return the time of the event loop's clock, in seconds."""
    return asyncio.get_running_loop().time()


class Rate:
    """Gives turns to the invitations of one instance."""

    def __init__(
        self, instances: Instances, name: str, per_second: float, clock: Callable[[], float] = monotonic
    ) -> None:
        """``name``: this instance's name. ``per_second``: the rate of all instances together; 0 sets no limit."""
        self._instances, self._name, self._per_second, self._clock = instances, name, per_second, clock
        self._share: Share | None = None
        self._turns, self._restraint = Turns(), Restraint()
        self._one_at_a_time, self._waiting = asyncio.Lock(), 0
        self._promised = 0.0

    async def turn(self) -> None:
        """Wait for the turn of one invitation.

        Raises:
            MustWait: the turn is too far away to wait for it in the process.
            Transient: the number of instances cannot be read from storage.

        """
        if not self._per_second:
            return
        if (ahead := self._ahead()) > LONGEST_WAIT:
            raise MustWait(WaitReason.PACED, self._put_off(ahead))
        self._waiting += 1
        try:
            async with self._one_at_a_time:  # first come, first served
                while (left := await self._left()) > 0:  # noqa: ASYNC110  time gives no signal
                    await asyncio.sleep(min(left, LOOK))
                self._turns = self._turns.taken(self._clock(), self._pace())
        finally:
            self._waiting -= 1

    def heed(self, used: float = 0.0, *, refused: bool = False) -> None:
        """Slow down if Graph throttled an invitation (``refused``), or most of its limit is used (``used``: 0 to 1)."""
        before, self._restraint = self._restraint, self._restraint.after(self._clock(), used, refused=refused)
        if self._per_second and self._restraint is not before:
            log.info("invitations slow down to %.2f per second: %s", self._pace(), "429" if refused else f"{used:.2f}")

    def _pace(self) -> float:
        instances = self._share.instances if self._share is not None else 1
        return self._per_second / instances * self._restraint.now(self._clock())

    def _ahead(self) -> float:
        """Return the seconds until all invitations that wait in this process have had their turns."""
        now = self._clock()
        silent = self._share.silent_until - now if self._share is not None else 0.0
        return max(self._turns.wait(now), silent) + self._waiting / self._pace()

    def _put_off(self, ahead: float) -> float:
        """Return the seconds until the turn of a message that goes back to the queue.

        Its turn comes after the turns of the messages that went back before.
        """
        now = self._clock()
        last = now + LONGEST
        self._promised = min(max(self._promised, now + ahead) + 1 / self._pace(), last)
        return self._promised - now

    async def _left(self) -> float:
        """Return the seconds until the next turn; renew the share first if it is due."""
        if self._share is None or self._share.due(self._clock()):
            await self._renew(self._share)
        now = self._clock()
        silent = self._share.silent_until - now if self._share is not None else 0.0
        return max(self._turns.wait(now), silent)

    async def _renew(self, before: Share | None) -> None:
        began = self._clock()
        try:
            ages = await self._instances.renew(self._name)
        except Transient:
            if before is None or not before.holds(self._clock()):
                raise
            return
        self._share = renewed(before, began, self._clock(), ages)
        if before is None:
            self._restraint = Restraint(START, self._share.silent_until)
        if not self._share.holds(self._clock()):
            raise Transient("the app", "it took too long to find out how many instances share the rate")
