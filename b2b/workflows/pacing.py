"""Hold back where all instances must: on Graph's word, on the administrator's, and when invitations keep failing."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum

from b2b.domain.conversion import Change
from b2b.domain.errors import GRAPH, LedgerConflict, Transient
from b2b.domain.pacing import BreakerLimits, Pace, Permit, counted, pause, permit, probe
from b2b.workflows.ports import Clock, Ledger

log = logging.getLogger(__name__)

LONGEST_WAIT = 900.0
RACES = 10
PROBE_WAIT = 5.0
"""Seconds: a probe is mostly over by then, and its lease is there for the one that dies."""
SHORTEST_PAUSE = 2.0
"""Seconds: a shorter wait is over before the others could read of it."""
LONGEST_PAUSE = 3600.0
"""No single answer of Graph stops everything for longer than this."""


class Cause(Enum):
    """Why a request waits, as far as giving up is concerned."""

    TROUBLE = "trouble"
    """A service did not do its part when it tried."""
    HELD = "held"
    """Others met the trouble, or are at work on the same: it did not try, but its time counts."""
    WANTED = "wanted"
    """An administrator wants it so: its time does not count, and whatever was before is forgotten."""


class Wait(Exception):
    """The request cannot go on before ``delay`` seconds have passed."""

    def __init__(self, delay: float, reason: str, cause: Cause = Cause.TROUBLE) -> None:
        super().__init__(reason)
        self.delay, self.reason, self.cause = delay, reason, cause


class Pacer:
    """Reads and writes the one row that all instances share."""

    def __init__(self, ledger: Ledger, limits: BreakerLimits, clock: Clock, *, stopped: bool) -> None:
        """``stopped`` is the administrator's switch: nothing is invited while it is on."""
        self._ledger, self._limits, self._clock, self._stopped = ledger, limits, clock, stopped

    async def admit(self) -> None:
        """Go on unless Graph asked the whole tenant to wait.

        Raises:
            Wait: until Graph may be asked again.
            Transient: storage did not answer.

        """
        pace = await self._pace()
        left = _left(pace.paused_until, self._clock())
        if left > 0:
            raise _everything_waits(left, pace)

    async def permit(self, probe_lease: timedelta) -> bool:
        """Go on if an invitation may be sent now; True where it probes an open breaker.

        Raises:
            Wait: the switch is on, the breaker is open, or Graph asked the whole tenant to wait.
            Transient: storage did not answer.

        """
        if self._stopped:
            raise Wait(LONGEST_WAIT, "B2B_PAUSED is on: nothing is sent", Cause.WANTED)
        for _ in range(RACES):
            pace, now = await self._pace(), self._clock()
            if (held := _left(pace.paused_until, now)) > 0:  # since `admit`, which may be seconds ago
                raise _everything_waits(held, pace)
            verdict = permit(pace, now)
            if verdict is Permit.SEND:
                return False
            if verdict is Permit.WAIT:
                left = _left(pace.open_until, now) or min(_left(pace.probe_until, now), PROBE_WAIT)
                raise Wait(left + 1, "too many invitations failed: the breaker is open", Cause.HELD)
            if await self._written(probe(pace, now + probe_lease, now)):
                return True
        raise Wait(1, "others write the pace", Cause.HELD)

    async def heed(self, error: Transient) -> None:
        """Tell all instances if Graph asked for a wait."""
        if error.service == GRAPH:
            await self.throttled(error.retry_after, str(error))

    async def standing(self) -> str:
        """Say what keeps invitations from going out; empty: nothing does.

        Raises:
            Transient: storage did not answer.

        """
        pace, now = await self._pace(), self._clock()
        said = [
            "B2B_PAUSED is on: nothing is sent" if self._stopped else "",
            f"Graph asked everybody to wait until {pace.paused_until:%H:%M:%S} UTC"
            if pace.paused_until and pace.paused_until > now
            else "",
            "too many invitations failed: the breaker is open, one probes at a time" if pace.open_until else "",
        ]
        return "; ".join(filter(None, said))

    async def throttled(self, retry_after: float | None, reason: str) -> bool:
        """Tell all instances that Graph asked for a wait; False where it asked for none that the others could heed.

        Losing that word costs a second 429 and nothing else.
        """
        if retry_after is None or retry_after < SHORTEST_PAUSE:
            return False
        delay = timedelta(seconds=min(retry_after, LONGEST_PAUSE))
        await self._change(lambda pace, now: pause(pace, now + delay, reason, now))
        return True

    async def record(self, *, failed: bool, probing: bool) -> None:
        """Count the outcome of one invitation. Losing one count is no harm: the breaker judges a share."""
        await self._change(lambda pace, now: counted(pace, now, self._limits, failed=failed, probing=probing))

    async def _change(self, change: Callable[[Pace, datetime], Change[Pace] | None]) -> None:
        try:
            for _ in range(RACES):
                changed = change(await self._pace(), self._clock())
                if changed is None or await self._written(changed):
                    return
        except Transient as error:
            log.warning("the pace was not written: %s", error)

    async def _written(self, change: Change[Pace]) -> bool:
        try:
            await self._ledger.pace.write(change)
        except LedgerConflict:
            return False
        for event in change.events:
            log.warning("%s %s", event.kind, event.detail)
        return True

    async def _pace(self) -> Pace:
        return await self._ledger.pace.get("pace") or Pace()


def _everything_waits(left: float, pace: Pace) -> Wait:
    return Wait(left, f"everything waits: {pace.reason}", Cause.HELD)


def _left(until: datetime | None, now: datetime) -> float:
    return max((until - now).total_seconds(), 0.0) if until is not None else 0.0
