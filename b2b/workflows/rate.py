"""Give each invitation its turn, so that all instances together send no more than the app is set to.

An invitation writes nothing for this. Each inviting instance writes its own row every few seconds and counts the
rows of the others: its share is the rate divided by their number. An instance that is dead or frozen writes none, and
its share goes to those that are left.
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
"""Seconds that a message waits in its call. For longer it goes back to the queue: it would keep others from being
worked on, and the host from stopping."""
LOOK = 1.0
"""Seconds after which a sleeper looks again: shares change."""


def monotonic() -> float:
    """Return the event loop's clock."""
    return asyncio.get_running_loop().time()


class Rate:
    """One instance's turns."""

    def __init__(
        self, instances: Instances, name: str, per_second: float, clock: Callable[[], float] = monotonic
    ) -> None:
        """``name`` is that of the instance, ``per_second`` for all instances together; 0: no limit of the app's own."""
        self._instances, self._name, self._per_second, self._clock = instances, name, per_second, clock
        self._share: Share | None = None
        self._turns, self._restraint = Turns(), Restraint()
        self._one_at_a_time, self._waiting = asyncio.Lock(), 0
        self._promised = 0.0

    async def turn(self) -> None:
        """Wait for the turn of one invitation.

        Raises:
            MustWait: it comes too late to wait for it here.
            Transient: storage does not say how many instances there are.

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
        """Slow down where an answer to an invitation says that Graph's limit is nearly used up, or refuses for it."""
        before, self._restraint = self._restraint, self._restraint.after(self._clock(), used, refused=refused)
        if self._per_second and self._restraint is not before:
            log.info("invitations slow down to %.2f per second: %s", self._pace(), "429" if refused else f"{used:.2f}")

    def _pace(self) -> float:
        instances = self._share.instances if self._share is not None else 1
        return self._per_second / instances * self._restraint.now(self._clock())

    def _ahead(self) -> float:
        """Seconds until those who wait already have had their turns."""
        now = self._clock()
        silent = self._share.silent_until - now if self._share is not None else 0.0
        return max(self._turns.wait(now), silent) + self._waiting / self._pace()

    def _put_off(self, ahead: float) -> float:
        """Seconds until the turn of a message that goes back to the queue: behind those that went before it."""
        now = self._clock()
        last = now + LONGEST
        self._promised = min(max(self._promised, now + ahead) + 1 / self._pace(), last)
        return self._promised - now

    async def _left(self) -> float:
        """Seconds until the next turn, by a share that holds."""
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
