"""Decide how long a request waits, and end a request that has waited for too long."""

import logging
import zlib
from datetime import timedelta
from typing import Protocol

from b2b.domain.conversion.doubts import GIVEN_UP
from b2b.domain.conversion.waits import BY_CAMPAIGN, Cause, WaitReason, delay, row_of
from b2b.domain.errors import AccessDenied, LedgerConflict, MustWait, Transient
from b2b.domain.request.record import RequestRecord, rested
from b2b.workflows.conversion.endings import Endings
from b2b.workflows.conversion.messages import Messages
from b2b.workflows.pacing import Pacer
from b2b.workflows.ports import Clock, Ledger

log = logging.getLogger(__name__)


class StandsAside(Protocol):
    """Handles a request that its campaign holds back."""

    async def __call__(self, record: RequestRecord, reason: WaitReason, /) -> bool:
        """Let another request lead, or end this one. Return False if neither is possible, so that the request waits.

        Raises:
            LedgerConflict: another process wrote a row meanwhile; read the rows again.

        """


class Parking:
    """Lets requests wait, and gives them up."""

    def __init__(
        self,
        messages: Messages,
        endings: Endings,
        aside: StandsAside,
        pacer: Pacer,
        ledger: Ledger,
        limit: timedelta,
        clock: Clock,
    ) -> None:
        """``limit``: how long a request may go without progress before it is given up."""
        self._messages, self._endings, self._aside, self._pacer = messages, endings, aside, pacer
        self._ledger, self._limit, self._clock = ledger, limit, clock

    async def hold(self, record: RequestRecord, error: MustWait | LedgerConflict | Transient) -> None:
        """Let a request wait for as long as an error asks for, or end it if it has gone without progress for too long.

        Raises:
            Transient: storage did not take the row or the message.

        """
        latest = await self._ledger.requests.get(record.request_id)
        if latest is None or not latest.at_work or latest.token != record.token:
            return  # it has ended meanwhile, or another message sees to it
        # Graph's wish to wait is shared first: the other instances must know it, whatever becomes of this request. A
        # request that its campaign holds back steps aside before it waits, so that those that joined it can go on.
        reason, seconds, detail = await self._why(error, latest)
        if reason in BY_CAMPAIGN and await self._stepped_aside(latest, reason):
            return
        if await self._gave_up(latest, reason, detail):
            return
        stretched = seconds * (1 + zlib.crc32(record.request_id.encode()) % 100 / 400)
        if await self._messages.put_off(latest, reason, stretched, detail):
            log.warning("request %s waits %.0f s: %s %s", record.request_id, stretched, reason, detail)

    async def _stepped_aside(self, record: RequestRecord, reason: WaitReason) -> bool:
        try:
            return await self._aside(record, reason)
        except LedgerConflict:
            return False

    async def _why(
        self, error: MustWait | LedgerConflict | Transient, record: RequestRecord
    ) -> tuple[WaitReason, float, str]:
        """Return the reason, the seconds and the detail of a wait. If Graph asked for it, tell the other instances."""
        if isinstance(error, MustWait):
            reason, wanted, detail = error.reason, error.seconds, error.detail
        elif isinstance(error, LedgerConflict):
            reason, wanted, detail = WaitReason.CONTENTION, None, ""
        else:
            await self._pacer.heed(error)
            denied = isinstance(error, AccessDenied)
            reason, wanted, detail = _trouble(denied=denied), error.retry_after, str(error)
        again = record.waiting is not None and record.waiting.reason is reason
        return reason, delay(reason, record.waits + 1 if again else 0, wanted), detail

    async def _gave_up(self, record: RequestRecord, reason: WaitReason, detail: str) -> bool:
        """End a request that has gone without progress for too long, unless its invitation may have been sent.

        This is decided only when the request has to wait again, because this try might have succeeded.
        """
        now = self._clock()
        since = rested(record, now).trouble_since
        if row_of(reason).cause is Cause.WANTED or since is None or now - since <= self._limit:
            return False
        seconds = self._limit.total_seconds()
        said = f"Given up after {seconds:.0f} s without progress. {row_of(reason).text} {detail}".strip()
        try:
            return await self._endings.fail(record, GIVEN_UP, said)
        except LedgerConflict:
            return False


def _trouble(*, denied: bool) -> WaitReason:
    return WaitReason.PERMISSION if denied else WaitReason.SERVICE
