"""Carry one request through: a dry run, a conversion to join, or an account to judge and invite; park it to wait."""

import logging
from dataclasses import replace

from b2b.domain.account import Account
from b2b.domain.approval import waive
from b2b.domain.conversion import (
    ACTIVE,
    WORKING,
    Change,
    Conversion,
    Event,
    RequestRecord,
    Source,
    Stage,
    advance,
    advance_request,
    start,
)
from b2b.domain.errors import LedgerConflict, RequestRefused, Transient
from b2b.domain.findings import Verdict
from b2b.domain.invitation import invitation_for
from b2b.domain.request import ConversionRequest
from b2b.settings import Mode, Settings
from b2b.workflows.assess import Assessment, Assessor
from b2b.workflows.intake import Intake, Taken, made_request_id
from b2b.workflows.invite import RACES, SHORTEST_WAIT, Inviter
from b2b.workflows.pacing import LONGEST_WAIT, Cause, Pacer, Wait
from b2b.workflows.park import Parking
from b2b.workflows.ports import Clock, Ledger, Queue

log = logging.getLogger(__name__)

STAGES = {
    Verdict.BLOCKED: Stage.BLOCKED,
    Verdict.FIXABLE: Stage.BLOCKED,
    Verdict.NEEDS_REVIEW: Stage.NEEDS_REVIEW,
}
"""Where a verdict that is not ready leads. A fix waits for a permission that no setting gives yet, so it blocks."""


class Converter:
    """Works on one request at a time; any number may run beside it, here or in another process."""

    def __init__(
        self,
        intake: Intake,
        assessor: Assessor,
        inviter: Inviter,
        pacer: Pacer,
        ledger: Ledger,
        queue: Queue,
        settings: Settings,
        clock: Clock,
    ) -> None:
        """Use the other workflows and the adapters; nothing is read yet."""
        self._intake, self._assessor = intake, assessor
        self._inviter, self._pacer = inviter, pacer
        self._parking = Parking(inviter, pacer, ledger, queue, settings, clock)
        self._ledger, self._queue, self._settings, self._clock = ledger, queue, settings, clock

    async def receive(self, raw: bytes, message_id: str) -> None:
        """Handle one queue message. When this returns, the message has done its work: it is recorded or parked.

        Raises:
            Transient: storage took neither row nor message; the host will deliver again.

        """
        made_id = made_request_id(raw, message_id)
        try:
            taken = await self._intake.take_in(raw, Source.QUEUE, made_id)
        except RequestRefused as refused:
            await self._refuse(raw, made_id, refused)
        except Transient as error:
            request, told = self._intake.understand(raw, Source.QUEUE)
            await self._queue.send(request.message(told or made_id), error.retry_after or SHORTEST_WAIT)
            log.warning("request %s waits before it has a row: %s", told or made_id, error)
        else:
            await self.work(taken)

    async def _refuse(self, raw: bytes, made_id: str, refused: RequestRefused) -> None:
        log.warning("request refused: %s", refused.code)
        try:
            await self._intake.reject(raw, made_id, refused)
        except Transient as error:
            await self._queue.send(raw, error.retry_after or SHORTEST_WAIT)
            log.warning("a refusal waits to be recorded: %s", error)

    async def work(self, taken: Taken) -> None:
        """Do what the request still needs; park it where it has to wait.

        Raises:
            Transient: the request could not even be parked.

        """
        if taken.record.stage not in WORKING:
            return
        try:
            await self._pacer.admit()
            await self._races(taken)
        except (Wait, LedgerConflict, Transient) as error:
            await self._parking.hold(taken, error)

    async def _races(self, taken: Taken) -> None:
        """Decide from fresh rows until nobody else writes in between."""
        for _ in range(RACES):
            if taken.record.stage not in WORKING:
                return None
            try:
                return await self._decide(taken)
            except LedgerConflict:
                record = await self._ledger.requests.get(taken.record.request_id)
                taken = replace(taken, record=record or taken.record)
        raise LedgerConflict(f"request {taken.record.request_id}")

    async def _decide(self, taken: Taken) -> None:
        """Look at the account's row before any rule, and write over that very row or not at all."""
        record, request = taken.record, taken.request
        if record.dry_run or (self._settings.mode is Mode.ASSESS and record.stage is Stage.REQUESTED):
            return await self._dry_run(record, request)
        user_id = (request.invited_user.id or record.user_id).lower()
        before = await self._ledger.conversions.get(user_id) if user_id else None
        if before is not None and await self._joined(record, before):
            return None
        if before is not None and await self._again(taken, before):
            return None
        found = await self._assessor.look_up(request)
        if found.account is not None and found.account.id.lower() != user_id:
            before = await self._ledger.conversions.get(found.account.id.lower())
            if before is not None and await self._joined(record, before):
                return None
        if before is not None and await self._inviter.seen(before, found.account):
            return None
        result = await self._assessor.assess(request, found)
        result = replace(result, findings=waive(result.findings, record.approval, result.subject))
        return await self._act(taken, before, result)

    async def _again(self, taken: Taken, before: Conversion) -> bool:
        """Go on with a claim of this very request whose assessment still holds; False: the rules are to be asked."""
        if before.stage is not Stage.INVITING or before.request_id != taken.record.request_id:
            return False
        result = await self._assessor.recall(before)
        if result is None:
            return False
        await self._act(taken, before, result)
        return True

    async def _act(self, taken: Taken, before: Conversion | None, result: Assessment) -> None:
        if result.account is None:
            await self._end_without_account(taken.record, before, result)
        elif result.verdict is Verdict.READY and result.address is not None:
            await self._invite(taken, before, result, result.account)
        else:
            await self._conclude(taken.record, before, result, result.account)

    async def _dry_run(self, record: RequestRecord, request: ConversionRequest) -> None:
        result = await self._assessor.assess(request, await self._assessor.look_up(request))
        change = advance_request(
            record,
            Stage.ASSESSED,
            self._clock(),
            result.verdict,
            dry_run=True,
            verdict=result.verdict,
            findings=result.findings,
            user_id=result.account.id.lower() if result.account else "",
        )
        await self._ledger.requests.write(change)

    async def _joined(self, record: RequestRecord, conversion: Conversion) -> bool:
        """Let the request belong to a conversion under way or done; False: there is none, or it starts again."""
        if conversion.stage not in ACTIVE:
            return False
        if conversion.request_id != record.request_id and record.generation != conversion.generation:
            joined = Event("joined", self._clock(), conversion.stage, record.request_id)
            conversion = await self._ledger.save(Change(conversion, (joined,)), record.request_id)
        if record.stage is not conversion.stage or record.generation != conversion.generation:
            await self._inviter.show(record, conversion)
        if conversion.stage is not Stage.INVITING or await self._inviter.settle(conversion):
            return True
        await self._leave_to_leader(record, conversion)
        return False

    async def _leave_to_leader(self, record: RequestRecord, conversion: Conversion) -> None:
        """A conversion is invited as its leading request asked; only where that has ended may another take over."""
        if conversion.request_id == record.request_id:
            return
        leader = await self._ledger.requests.get(conversion.request_id)
        if leader is not None and leader.stage in WORKING:
            raise Wait(SHORTEST_WAIT, "the request that leads this conversion invites", Cause.HELD)

    async def _end_without_account(self, record: RequestRecord, before: Conversion | None, result: Assessment) -> None:
        if before is not None and before.stage is Stage.INVITING:
            kept = {"verdict": result.verdict, "findings": result.findings}
            await self._inviter.finish(advance(before, Stage.BLOCKED, self._clock(), result.verdict, **kept))
            return
        change = advance_request(
            record, Stage.BLOCKED, self._clock(), result.verdict, verdict=result.verdict, findings=result.findings
        )
        await self._ledger.requests.write(change)

    async def _conclude(
        self, record: RequestRecord, before: Conversion | None, result: Assessment, account: Account
    ) -> None:
        """Record a verdict that is not ready."""
        stage, now = STAGES.get(result.verdict, Stage.BLOCKED), self._clock()
        opening = self._opening(record, result, account, stage)
        if before is not None and before.stage is Stage.INVITING:
            change = advance(
                before, stage, now, result.verdict, verdict=result.verdict, findings=result.findings, lease_until=None
            )
        else:
            change = start(before, opening, now, result.verdict)
        await self._inviter.finish(change, record.request_id)

    async def _invite(self, taken: Taken, before: Conversion | None, result: Assessment, account: Account) -> None:
        if self._settings.mode is Mode.ASSESS:
            raise Wait(LONGEST_WAIT, "B2B_MODE is assess: nothing is sent", Cause.WANTED)
        opening = self._opening(taken.record, result, account, Stage.INVITING)
        invitation = invitation_for(
            taken.request,
            opening.user_id,
            opening.invited_user_email_address,
            result.tenant_id,
            self._assessor.defaults,
        )
        opening = replace(opening, silent=not invitation.send_message)
        await self._inviter.invite(before, opening, taken.record, invitation)

    def _opening(self, record: RequestRecord, result: Assessment, account: Account, stage: Stage) -> Conversion:
        return Conversion(
            user_id=account.id.lower(),
            stage=stage,
            request_id=record.request_id,
            verdict=result.verdict,
            findings=result.findings,
            user_principal_name=account.user_principal_name,
            invited_user_email_address=result.address or "",
            source=record.source,
            requested_at=record.requested_at,
            assessed_at=result.at,
            assessed_as=account.fingerprint,
        )
