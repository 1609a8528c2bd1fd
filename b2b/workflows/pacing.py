"""Make all instances wait when Graph asks for it, and stop inviting while too many invitations fail.

All instances share one row. An instance counts its invitations in memory, and adds them to the row every few seconds,
but only while some fail. It also uses its copy of the row for a few seconds. So an invitation that succeeds writes no
row.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from b2b.domain.conversion.records import Change
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.errors import GRAPH, LedgerConflict, MustWait, Transient
from b2b.domain.pacing import BreakerLimits, Counts, Pace, Permit, counted, opened, pause, permit, probe, probed, unused
from b2b.workflows.ports import Clock, Ledger

log = logging.getLogger(__name__)

RACES = 5
KEPT = timedelta(seconds=5)
"""How long an instance uses its copy of the shared row, and how often it adds its counts to the row."""
PROBE_WAIT = 5.0
"""Seconds to wait while another request probes. Most probes finish sooner; the probe's lease covers a crash."""
SHORTEST_PAUSE = 2.0
"""Seconds. A shorter wait is not shared, because it ends before other instances see it."""
LONGEST_PAUSE = 3600.0
"""Seconds. No single answer of Graph stops all instances for longer."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Pacer:
    """One instance's copy of the shared row, and its own counts."""

    def __init__(self, ledger: Ledger, limits: BreakerLimits, clock: Clock) -> None:
        self._ledger, self._limits, self._clock = ledger, limits, clock
        self._seen, self._fresh_until = Pace(), _LONG_AGO
        self._counts, self._report_after = Counts(), _LONG_AGO

    async def admit(self) -> None:
        """Raise if Graph asked the app to wait and that time is not over.

        Raises:
            MustWait: Graph must not be called yet.

        """
        pace = await self._pace()
        left = _left(pace.paused_until, self._clock())
        if left > 0:
            raise MustWait(WaitReason.THROTTLED, left, pace.reason)

    async def permit(self, probe_lease: timedelta) -> datetime | None:
        """Return if an invitation may be sent now.

        None means that the breaker is closed. If it is open, this invitation is its probe, and the end of the probe's
        lease is returned: until then no other instance probes.

        Raises:
            MustWait: the breaker is open and this is not its probe, or Graph asked the app to wait.

        """
        await self.admit()
        if self._seen.open_until is None:
            return None
        for _ in range(RACES):
            pace, now = await self._pace(fresh=True), self._clock()
            verdict = permit(pace, now)
            if verdict is Permit.SEND:
                return None
            if verdict is Permit.WAIT:
                left = _left(pace.open_until, now) or min(_left(pace.probe_until, now), PROBE_WAIT)
                raise MustWait(WaitReason.BREAKER, left + 1, pace.why_open)
            until = now + probe_lease
            if await self._written(probe(pace, until, now)):
                return until
        raise MustWait(WaitReason.CONTENTION, 1.0)

    async def give_back(self, until: datetime) -> None:
        """Let another request probe, because the probe whose lease ends at ``until`` sent nothing."""
        await self._change(lambda pace, now: unused(pace, until, now))

    async def heed(self, error: Transient) -> None:
        """Make all instances wait if the error is Graph's and names a wait."""
        if error.service == GRAPH:
            await self.throttled(error.retry_after, str(error))

    async def throttled(self, retry_after: float | None, reason: str) -> bool:
        """Make all instances wait for ``retry_after`` seconds. Return False if that is None or too short to share."""
        if retry_after is None or retry_after < SHORTEST_PAUSE:
            return False
        delay = timedelta(seconds=min(retry_after, LONGEST_PAUSE))
        await self._change(lambda pace, now: pause(pace, now + delay, reason, now))
        return True

    async def forbidden(self, reason: str) -> None:
        """Open the breaker, because every invitation fails without the permission to invite."""
        await self._change(lambda pace, now: opened(pace, now, self._limits, reason))

    async def record(self, *, failed: bool, probing: bool) -> None:
        """Count the outcome of one invitation. A lost count does no harm, because the breaker judges a share."""
        if probing:
            await self._change(lambda pace, now: probed(pace, now, self._limits, failed=failed))
            return
        self._counts = self._counts.and_one(failed=failed)
        now = self._clock()
        if self._counts.failed and now >= self._report_after:
            counts, self._counts, self._report_after = self._counts, Counts(), now + KEPT
            await self._change(lambda pace, at: counted(pace, at, self._limits, counts))
        elif not self._counts.failed and now >= self._report_after:
            self._counts, self._report_after = Counts(), now + self._limits.window

    async def standing(self) -> list[str]:
        """Return the reasons why invitations are held back, in words. An empty list means that they are not."""
        pace, now = await self._pace(fresh=True), self._clock()
        throttled = pace.paused_until is not None and pace.paused_until > now
        found = [
            f"Graph asked the app to wait until {pace.paused_until:%H:%M:%S} UTC" if throttled else "",
            f"the breaker is open, and one invitation at a time probes: {pace.why_open}" if pace.open_until else "",
        ]
        return [each for each in found if each]

    async def _change(self, change: Callable[[Pace, datetime], Change[Pace] | None]) -> None:
        try:
            for _ in range(RACES):
                changed = change(await self._pace(fresh=True), self._clock())
                if changed is None or await self._written(changed):
                    return
        except Transient as error:
            log.warning("the shared pace was not written: %s", error)

    async def _written(self, change: Change[Pace]) -> bool:
        try:
            self._keep(await self._ledger.pace.write(change))
        except LedgerConflict:
            return False
        for event in change.events:
            log.warning("%s %s", event.kind, event.detail)
        return True

    async def _pace(self, *, fresh: bool = False) -> Pace:
        if fresh or self._clock() >= self._fresh_until:
            self._keep(await self._ledger.pace.get("pace") or Pace())
        return self._seen

    def _keep(self, pace: Pace) -> None:
        self._seen, self._fresh_until = pace, self._clock() + KEPT


def _left(until: datetime | None, now: datetime) -> float:
    return max((until - now).total_seconds(), 0.0) if until is not None else 0.0
