"""End a request that did not come to an invitation. Where it leads a claim, both end, or another request takes over.

A claim is never ended while its call may be under way or its outcome is in doubt.
"""

from dataclasses import replace
from datetime import timedelta

from b2b.domain.conversion.records import Change, Conversion, Event, advance
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.errors import UnreadableRow
from b2b.domain.request.record import RequestRecord, belongs, move
from b2b.workflows.conversion.conversions import Conversions
from b2b.workflows.conversion.messages import Messages
from b2b.workflows.ports import Clock, Ledger


class Endings:
    """Ends requests, and hands claims over."""

    def __init__(self, conversions: Conversions, messages: Messages, ledger: Ledger, clock: Clock) -> None:
        self._conversions, self._messages = conversions, messages
        self._ledger, self._clock = ledger, clock

    async def claim_of(self, record: RequestRecord) -> Conversion | None:
        """Return the claim that a request leads; None: it leads none."""
        conversion = await self._conversions.get(record.user_id)
        if conversion is None or not belongs(record, conversion) or conversion.request_id != record.request_id:
            return None
        return conversion if conversion.stage is Stage.INVITING else None

    def may_be_out(self, claim: Conversion) -> bool:
        """Tell whether a claim's invitation may be out, or its call under way."""
        calling = claim.lease_until is not None and self._clock() < claim.lease_until
        return calling or bool(claim.open_doubts)

    async def fail(self, record: RequestRecord, code: str, said: str) -> bool:
        """End a request as failed; False: its invitation may be out, so that it has to go on.

        Raises:
            LedgerConflict: it moved meanwhile.

        """
        now, claim = self._clock(), await self.claim_of(record)
        if claim is None:
            await self._ledger.requests.write(move(record, Stage.FAILED, now, code, last_error=said, error_code=code))
            return True
        if self.may_be_out(claim):
            return False
        await self._conversions.save(
            advance(claim, Stage.FAILED, now, code, last_error=said, error_code=code), held=record
        )
        return True

    async def hand_over(self, claim: Conversion, *, stays: bool = False) -> RequestRecord | None:
        """Let the oldest request that joined lead from now on; None: no other request is at work.

        ``stays``: the one that led is not about to end, and follows from now on.

        Raises:
            LedgerConflict: the claim moved meanwhile.

        """
        heir = await self._heir(claim)
        if heir is None:
            return None
        handed = Event("handed-over", self._clock(), claim.stage, heir.request_id, f"from {claim.request_id}")
        row = replace(claim, request_id=heir.request_id, joined=claim.joined if stays else max(claim.joined - 1, 0))
        await self._ledger.save(Change(row, (handed,)))
        await self._messages.put_off(heir, WaitReason.CONTENTION, 0.0, f"leads after {claim.request_id}")
        return heir

    async def succeed(self, claim: Conversion, limit: timedelta) -> bool:
        """Let another request lead where the leader has ended or is gone, or is unreadable and not written for so long.

        A newer version that is at work writes that row with every wait. If it comes back later, the request finds that
        another one leads, and follows.

        Raises:
            LedgerConflict: the claim moved meanwhile.

        """
        try:
            leader = await self._ledger.requests.get(claim.request_id)
            if leader is not None and leader.at_work:
                return False
        except UnreadableRow as error:
            if error.written_at is None or self._clock() - error.written_at <= limit:
                return False
        return await self.hand_over(claim, stays=True) is not None

    async def _heir(self, claim: Conversion) -> RequestRecord | None:
        found: list[RequestRecord] = []
        for request_id in await self._ledger.members(claim):
            try:
                record = await self._ledger.requests.get(request_id)
            except UnreadableRow:
                continue
            passed_over = request_id in {claim.request_id, *claim.called_off}
            if record is not None and record.at_work and not passed_over:
                found.append(record)
        return min(found, key=lambda each: each.requested_at, default=None)
