"""Process one request: get the next step from `next_step`, carry it out, and repeat."""

import logging
from dataclasses import dataclass, replace
from typing import Any

from b2b.domain.account import STATE
from b2b.domain.conversion.assessment import Assessment, Sighting
from b2b.domain.conversion.next_step import next_step
from b2b.domain.conversion.opening import judged, opening
from b2b.domain.conversion.records import Change, Conversion, advance, begin
from b2b.domain.conversion.situation import (
    CallOff,
    Claim,
    Conclude,
    Done,
    Join,
    Judge,
    Limits,
    Look,
    Record,
    Report,
    Review,
    Show,
    Situation,
    Step,
    Wait,
)
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.tenant_fact import Shows
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.errors import LedgerConflict, MustWait, Transient
from b2b.domain.findings import Finding, Verdict, in_short
from b2b.domain.invitation import invitation_for, sends_message
from b2b.domain.request import ConversionRequest, review
from b2b.domain.request.approval import asks_again
from b2b.domain.request.record import RequestRecord, move
from b2b.workflows.conversion.assess import Assessor, LookUp
from b2b.workflows.conversion.claims import Opening
from b2b.workflows.conversion.conversions import RACES, Conversions
from b2b.workflows.conversion.endings import Holds
from b2b.workflows.conversion.facts import TenantFacts
from b2b.workflows.conversion.invite import Inviter
from b2b.workflows.conversion.parking import Parking
from b2b.workflows.conversion.reservations import AddressTaken
from b2b.workflows.intake.intake import stored_request
from b2b.workflows.pacing import Pacer
from b2b.workflows.ports import Clock, Ledger

log = logging.getLogger(__name__)

MOST_STEPS = 20
"""The most steps of one run. A request needs at most six, so more would mean an endless loop."""


@dataclass(frozen=True)
class Protocol:
    """The inputs of decisions besides the rows: time limits, clock, campaign states, and settings."""

    limits: Limits
    clock: Clock
    campaigns: Holds
    paused: bool
    assess_only: bool

    @property
    def held(self) -> WaitReason | None:
        """Why the app may send nothing now; None if it may send."""
        if self.paused:
            return WaitReason.PAUSED
        return WaitReason.MODE_ASSESS if self.assess_only else None


@dataclass(frozen=True)
class _Round:
    """What is known about a request between two steps."""

    record: RequestRecord
    request: ConversionRequest
    conversion: Conversion | None
    found: LookUp | None = None
    sighting: Sighting | None = None
    assessment: Assessment | None = None
    holder: str | None = None
    """The other account that holds the address, if the reservation failed because of it."""


class Steps:
    """Carries out the steps of one request."""

    def __init__(
        self,
        assessor: Assessor,
        inviter: Inviter,
        conversions: Conversions,
        facts: TenantFacts,
        ledger: Ledger,
        protocol: Protocol,
    ) -> None:
        self._assessor, self._inviter, self._conversions = assessor, inviter, conversions
        self._facts, self._ledger, self._protocol = facts, ledger, protocol

    async def run(self, record: RequestRecord) -> None:
        """Carry out steps until this message has nothing more to do.

        Raises:
            MustWait: the request has to wait.
            LedgerConflict: another process has written a row; the caller must read the rows and decide again.

        """
        state = _Round(record, stored_request(record), await self._conversions.get(record.user_id))
        for _ in range(MOST_STEPS):
            state, over = await self._take(next_step(await self._situation(state)), state)
            if over:
                return
        raise LedgerConflict(f"request {record.request_id}: no end of steps")

    async def _situation(self, state: _Round) -> Situation:
        record, conversion = state.record, state.conversion
        shows = Shows.UNKNOWN
        if conversion is not None and (conversion.doubts or conversion.stage is Stage.INVITED):
            shows = await self._facts.shows(synced=conversion.synced)
        return Situation(
            request=record,
            conversion=conversion,
            sighting=state.sighting,
            assessment=state.assessment,
            silent=not sends_message(state.request, self._assessor.defaults),
            held=self._protocol.held or await self._protocol.campaigns.held(record.campaign_id),
            shows=shows,
            again=conversion is not None and asks_again(record, conversion),
            limits=self._protocol.limits,
            now=self._protocol.clock(),
        )

    async def _take(self, step: Step, state: _Round) -> tuple[_Round, bool]:
        """Carry out one step. Return what is known now, and whether this was the last step."""
        match step:
            case Done():
                return state, True
            case Wait(reason, seconds):
                raise MustWait(reason, seconds)
            case Look():
                return await self._look(state), False
            case Judge():
                return await self._judge(state), False
            case Record(change):
                return await self._record(state, change), False
            case Claim(assessment):
                return await self._claim(state, assessment)
            case _:
                await self._finish(step, state)
                return state, True

    async def _finish(self, step: Show | CallOff | Join | Report | Review | Conclude, state: _Round) -> None:
        """Carry out the last step for this message."""
        match step:
            case Show():
                await self._conversions.show(state.record, _known(state.conversion))
            case CallOff():
                said = {"last_error": "Cancelled before its invitation.", "error_code": "cancelled"}
                ended = move(state.record, Stage.CANCELLED, self._protocol.clock(), "cancelled", **said)
                await self._ledger.requests.write(ended)
            case Join():
                await self._conversions.join(_known(state.conversion), state.record)
            case Report(assessment):
                await self._report(state, assessment)
            case Review(finding):
                await self._review(state, finding)
            case Conclude():
                await self._conclude(state, step)

    async def _record(self, state: _Round, change: Change[Conversion]) -> _Round:
        """Write a change of the conversion. Then read the request again, because the write may have updated its row."""
        before = state.conversion
        if before is not None and change.row.generation > before.generation:
            conversion = await self._conversions.conclude(change, before, state.record, follow=True)
        else:
            waits_again = before is not None and change.row.stage is Stage.INVITED and before.stage is Stage.UNVERIFIED
            conversion = await self._conversions.save(change, held=state.record, follow=waits_again)
        record = await self._ledger.requests.get(state.record.request_id)
        return replace(state, record=record or state.record, conversion=conversion)

    async def _look(self, state: _Round) -> _Round:
        """Read the account that the request is bound to."""
        sighting = await self._assessor.sight(state.record.user_id)
        return replace(state, sighting=sighting)

    async def _judge(self, state: _Round) -> _Round:
        """Judge the account by the rules. If the request names it by anything but its object id, bind that id first."""
        claim = state.conversion
        if claim is not None and claim.stage is Stage.INVITING and state.found is None and state.holder is None:
            recalled = await self._assessor.recall(claim)
            if recalled is not None:
                return replace(state, assessment=recalled)
        found = state.found or await self._assessor.look_up(state.request, state.record.user_id)
        account = found.account
        if account is not None and not state.record.only_judged and state.record.user_id != account.id.lower():
            # The request is bound before the conversion is read. Cancelling an unbound request changes only its row, so
            # this write fails. Cancelling a bound one is noted in the conversion, so this read or the claim notices it.
            record = await self._bind(state.record, account.id.lower())
            conversion = await self._conversions.get(record.user_id)
            sighting = None if STATE in account.withheld else Sighting(self._protocol.clock(), account)
            return replace(state, record=record, conversion=conversion, found=found, sighting=sighting)
        assessment = await self._assessor.assess(
            state.request, found, state.holder, reserves=not state.record.only_judged
        )
        findings = review.weighed(assessment, state.record)
        return replace(state, found=found, assessment=replace(assessment, findings=findings))

    async def _bind(self, record: RequestRecord, user_id: str) -> RequestRecord:
        """Bind a request to an object id, so that it stays with that account even if another account gets its name."""
        return await self._ledger.requests.write(Change(replace(record, user_id=user_id)))

    async def _claim(self, state: _Round, assessment: Assessment) -> tuple[_Round, bool]:
        """Claim and invite the account. If another account holds the address, continue with another judgement."""
        row = opening(state.record.request_id, assessment, Stage.INVITING)
        invitation = invitation_for(
            state.request, row.user_id, row.invited_user_email_address, assessment.tenant_id, self._assessor.defaults
        )
        again = state.conversion is not None and asks_again(state.record, state.conversion)
        try:
            claim = Opening(state.conversion, row, again, assessment.snapshot)
            await self._inviter.invite(claim, state.record, invitation)
        except AddressTaken as taken:
            return replace(state, holder=taken.user_id, assessment=None), False
        return state, True

    async def _report(self, state: _Round, assessment: Assessment) -> None:
        """End a dry run with its assessment."""
        said = in_short(assessment.verdict, assessment.findings)
        columns: dict[str, Any] = {
            "verdict": assessment.verdict,
            "findings": assessment.findings,
            "user_id": assessment.account.id.lower() if assessment.account else "",
            "user_principal_name": assessment.account.user_principal_name if assessment.account else "",
            "invited_user_email_address": assessment.address or "",
            "judged_as": assessment.subject,
            "judged_rules": tuple(sorted({finding.rule for finding in assessment.findings})),
        }
        change = move(state.record, Stage.ASSESSED, self._protocol.clock(), said, **columns)
        await self._ledger.requests.write(change)

    async def _review(self, state: _Round, finding: Finding) -> None:
        """Let a person decide about this request. It has not joined the account's conversion, which does not change.

        The row stores the conversion's generation, because the approval is not valid for a later generation.
        """
        left = max(_known(state.conversion).generation, state.record.left_generation)
        change = move(
            state.record,
            Stage.NEEDS_REVIEW,
            self._protocol.clock(),
            finding.rule,
            left_generation=left,
            verdict=Verdict.NEEDS_REVIEW,
            findings=(finding,),
        )
        await self._ledger.requests.write(change)

    async def _conclude(self, state: _Round, step: Conclude) -> None:
        """Record a verdict that is not ready: in the account's conversion, or without an account in the request."""
        assessment, stage = step.assessment, step.stage
        now, before = self._protocol.clock(), state.conversion
        said = in_short(assessment.verdict, assessment.findings)
        columns: dict[str, Any] = {"verdict": assessment.verdict, "findings": assessment.findings}
        inviting = before is not None and before.stage is Stage.INVITING
        if step.alone or (assessment.account is None and not inviting):
            change = move(state.record, stage, now, said, **columns)
            await self._ledger.requests.write(change)
            return
        if before is not None and inviting:
            if assessment.account is not None:
                columns |= judged(assessment, assessment.account)
            ended = advance(before, stage, now, said, lease_until=None, **columns)
        else:
            ended = begin(before, opening(state.record.request_id, assessment, stage), now, said)
        await self._conversions.conclude(ended, before, state.record)


class Converter:
    """Processes requests. Any number of processes may do so at the same time."""

    def __init__(self, steps: Steps, parking: Parking, pacer: Pacer, ledger: Ledger) -> None:
        self._steps, self._parking, self._pacer, self._ledger = steps, parking, pacer, ledger

    async def work(self, record: RequestRecord) -> None:
        """Process a request as far as possible now. Park it if it has to wait.

        Raises:
            Transient: storage accepted neither the row nor the message.

        """
        if not record.at_work:
            return
        try:
            await self._pacer.admit()
            await self._races(record)
        except (MustWait, LedgerConflict, Transient) as error:
            await self._parking.hold(record, error)

    async def _races(self, record: RequestRecord) -> None:
        """Run the steps. If another process has written a row in between, read the rows and run the steps again."""
        for _ in range(RACES):
            try:
                return await self._steps.run(record)
            except LedgerConflict:
                latest = await self._ledger.requests.get(record.request_id)
                if latest is None or not latest.at_work or latest.token != record.token:
                    return None  # the request has ended, or another message processes it
                record = latest
        raise LedgerConflict(f"request {record.request_id}")


def _known(conversion: Conversion | None) -> Conversion:
    """Return the conversion. Steps about a conversion exist only if there is one."""
    if conversion is None:
        raise ValueError("a step about a conversion that does not exist")
    return conversion
