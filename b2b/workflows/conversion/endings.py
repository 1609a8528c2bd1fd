"""End a request that was not invited. If the request leads a claim, the claim ends too, or another request takes over.

A claim is never ended while its call may be under way or its outcome is in doubt.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from b2b.domain.conversion.records import Change, Conversion, Event, advance
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.errors import UnreadableRow
from b2b.domain.request.record import RequestRecord, belongs, move
from b2b.workflows.conversion.conversions import Conversions
from b2b.workflows.conversion.messages import Messages
from b2b.workflows.ports import Clock, Ledger


class Holds(Protocol):
    """Tells whether a campaign holds its requests back."""

    async def held(self, campaign_id: str) -> WaitReason | None:
        """Return why a campaign blocks inviting; None if it does not, or if the id is empty (no campaign)."""


class Endings:
    """Ends requests, and hands claims and reviews over to other requests."""

    def __init__(
        self, conversions: Conversions, messages: Messages, campaigns: Holds, ledger: Ledger, clock: Clock
    ) -> None:
        self._conversions, self._messages, self._campaigns = conversions, messages, campaigns
        self._ledger, self._clock = ledger, clock

    async def claim_of(self, record: RequestRecord) -> Conversion | None:
        """Return the conversion that a request leads, if that conversion is inviting; else None."""
        conversion = await self._conversions.get(record.user_id)
        if conversion is None or not belongs(record, conversion) or conversion.request_id != record.request_id:
            return None
        return conversion if conversion.stage is Stage.INVITING else None

    def may_be_out(self, claim: Conversion) -> bool:
        """Tell whether a claim's invitation may have been sent, or its call may be under way."""
        calling = claim.lease_until is not None and self._clock() < claim.lease_until
        return calling or bool(claim.open_doubts)

    async def fail(self, record: RequestRecord, code: str, said: str) -> bool:
        """End a request as failed. Return False, and change nothing, if its invitation may have been sent.

        Raises:
            LedgerConflict: another process wrote the request or its claim meanwhile; read both again.

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

    async def step_aside(self, record: RequestRecord) -> bool:
        """Let another request lead in place of this one, whose campaign holds it back.

        Return False if this request leads no claim, or if no other request of the claim is free to lead.

        Raises:
            LedgerConflict: another process wrote the claim meanwhile; read it again.

        """
        claim = await self.claim_of(record)
        if claim is None:
            return False
        handed_to, handed = await self.hand_over(claim, await self._free(await self._heirs(claim)))
        if handed:
            # After a crash before this line, the message of the old leader comes again, and shows it the conversion.
            await self._conversions.show(record, handed_to)
        return handed

    async def hand_over(
        self, claim: Conversion, heirs: Sequence[RequestRecord] | None = None
    ) -> tuple[Conversion, bool]:
        """Let the oldest request that joined a claim lead it; return the claim, and whether it has another leader now.

        Requests that their campaigns hold back come last. The new leader is judged again, because the old judgement is
        about what the old leader asked for, above all its address. ``joined`` does not change: the old leader counts as
        joined from now on, so that it is shown the claim's outcome even if the caller dies before it ends that request.
        ``heirs``: the requests that may lead; by default all that joined.

        Raises:
            LedgerConflict: another process wrote the claim meanwhile; read it again.

        """
        row = claim
        if heirs is None:
            everyone = await self._heirs(claim)
            free = await self._free(everyone)
            heirs = [*free, *(heir for heir in everyone if heir not in free)]
        for heir in heirs:
            handed = Event("handed-over", self._clock(), claim.stage, heir.request_id, f"from {row.request_id}")
            row = replace(row, request_id=heir.request_id, assessed_at=None)
            row = await self._ledger.save(Change(row, (handed,)))
            detail = f"leads after {claim.request_id}"
            # The message comes second: it would do nothing while another request leads. After a crash in between, the
            # sweep's repair finds a leader without a message, and sends one.
            if await self._messages.put_off(heir, WaitReason.CONTENTION, 0.0, detail) or await self._at_work(heir):
                return row, True
        return replace(row, request_id=claim.request_id), False

    async def hand_review_over(self, review: Conversion) -> tuple[Conversion, bool]:
        """Let the oldest request that joined a review lead it; return the review, and whether another request leads it.

        Raises:
            LedgerConflict: another process wrote the review meanwhile; read it again.

        """
        for heir in await self._heirs(review):
            detail = f"from {review.request_id}"
            handed = Event("handed-over", self._clock(), review.stage, heir.request_id, detail)
            return await self._ledger.save(Change(replace(review, request_id=heir.request_id), (handed,))), True
        return review, False

    async def succeed(self, claim: Conversion, limit: timedelta) -> bool:
        """Let another request lead if the leader has ended, is gone, or stays unreadable. Return whether one took over.

        A leader stays unreadable if nobody has written its row for ``limit``: a newer version of the app that works on
        the request writes the row with every wait. If that version returns later, it finds another leader, and the
        request follows that one.

        Raises:
            LedgerConflict: another process wrote the claim meanwhile; read it again.

        """
        try:
            leader = await self._ledger.requests.get(claim.request_id)
            if leader is not None and leader.at_work:
                return False
        except UnreadableRow as error:
            if error.written_at is None or self._clock() - error.written_at <= limit:
                return False
        _, handed = await self.hand_over(claim)
        return handed

    async def _free(self, heirs: Sequence[RequestRecord]) -> list[RequestRecord]:
        """Return the requests that no campaign holds back."""
        return [heir for heir in heirs if await self._campaigns.held(heir.campaign_id) is None]

    async def _at_work(self, heir: RequestRecord) -> bool:
        """Tell whether a request can still lead. A request that ended after it was chosen cannot."""
        latest = await self._ledger.requests.get(heir.request_id)
        return latest is not None and latest.at_work

    async def _heirs(self, claim: Conversion) -> list[RequestRecord]:
        """Return the other requests of a conversion that have not ended, oldest first.

        A request that was called off is left out, and so is one whose row cannot be read.
        """
        found: list[RequestRecord] = []
        for request_id in await self._ledger.members(claim):
            try:
                record = await self._ledger.requests.get(request_id)
            except UnreadableRow:
                continue
            passed_over = request_id in {claim.request_id, *claim.called_off}
            waits = record is not None and (record.at_work or record.stage is claim.stage)
            if record is not None and waits and not passed_over:
                found.append(record)
        return sorted(found, key=lambda each: each.requested_at)
