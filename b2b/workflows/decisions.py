"""Carry out what an administrator decides about a request: retry, approve, refuse, release, adopt, cancel, withdraw.

Each decision is written under the ETag of the row that the administrator saw, with who decided and why. A request that
continues gets a message. If the request's stage does not allow a decision, the error code says which decision it was.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from b2b.domain.conversion.opening import PENDING
from b2b.domain.conversion.records import Change, Conversion, Event, advance, begin
from b2b.domain.conversion.stages import Action, Stage, row_of
from b2b.domain.errors import LedgerConflict, RequestRefused
from b2b.domain.request.approval import approval_for
from b2b.domain.request.decision import Decision
from b2b.domain.request.record import RequestRecord, belongs, reopened
from b2b.workflows.conversion.conversions import CALLED_OFF, RACES, Conversions
from b2b.workflows.conversion.endings import Endings
from b2b.workflows.conversion.messages import Messages
from b2b.workflows.four_eyes import FourEyes
from b2b.workflows.ports import Clock, Ledger

NOT_ALLOWED = {
    Action.RETRY: ("NotRetryable", "only failed or blocked requests are retried"),
    Action.APPROVE: ("NotAwaitingApproval", "only requests in needsReview are approved"),
    Action.REFUSE: ("NotAwaitingApproval", "only requests in needsReview are refused"),
    Action.RELEASE: ("NotReleasable", "only assessed requests are released"),
    Action.CANCEL: ("NotCancellable", "only requests that were not invited yet are cancelled"),
    Action.ADOPT: ("NotAdoptable", "only requests that are blocked by someone else's invitation are adopted"),
}
TOO_LATE = {
    Stage.NEEDS_REVIEW: "refuse it instead",
    Stage.INVITED: "its invitation was sent, and Graph can neither recall it nor let it expire. Ways back: {way_back}",
    **dict.fromkeys(
        (Stage.ACCEPTED, Stage.VERIFIED, Stage.UNVERIFIED, Stage.COMPLETED),
        "its person has redeemed the invitation. Ways back: {way_back}",
    ),
}
"""Why a request can no longer be cancelled, and what is possible instead, by its stage."""


@dataclass(frozen=True)
class Allowed:
    """What the settings allow decisions to do."""

    going_on: bool = True
    """Whether the mode is `convert`, so that requests may continue."""
    self_approval: bool = False
    """Whether people may approve their own requests."""


class Decisions:
    """Carries out decisions about requests."""

    def __init__(
        self,
        ledger: Ledger,
        conversions: Conversions,
        endings: Endings,
        messages: Messages,
        clock: Clock,
        allowed: Allowed,
    ) -> None:
        self._ledger, self._conversions, self._endings = ledger, conversions, endings
        self._messages, self._clock, self._allowed = messages, clock, allowed
        self.four_eyes = FourEyes(ledger, self_approval=allowed.self_approval)

    async def retry(self, record: RequestRecord, decision: Decision) -> RequestRecord:
        """Start a failed or blocked request again from its stored body. A dry run stays a dry run.

        Raises:
            RequestRefused: the request is neither failed nor blocked.
            LedgerConflict: another process wrote the request meanwhile; read it again.

        """
        self._may_go_on()
        _allow(record, Action.RETRY)
        return await self._reopen(reopened(record, "retried", self._clock(), str(decision)))

    async def approve(self, record: RequestRecord, decision: Decision) -> RequestRecord:
        """Let a request in review continue. Exactly the findings that it shows are waived.

        Raises:
            RequestRefused: the request is not in review, or a later request for its account was judged since.
            LedgerConflict: another process wrote the request meanwhile; read it again.

        """
        self._may_go_on()
        _allow(record, Action.APPROVE)
        await self.four_eyes.check(record, decision)
        conversion = await self._conversions.get(record.user_id)
        if conversion is None or record.generation not in {0, conversion.generation}:
            raise RequestRefused("DecisionSuperseded", "A later request for this account was judged; approve that one.")
        _leads(record, conversion, Action.APPROVE)
        now = self._clock()
        approval = approval_for(record, conversion, decision.by, decision.reason, now)
        waived = ", ".join(sorted({each.rule for each in approval.waived}))
        detail = f"{decision}; waived: {waived}"
        change = reopened(record, "approved", now, detail, approval=msgspec.json.encode(approval).decode())
        return await self._reopen(change)

    async def release(self, record: RequestRecord, decision: Decision) -> RequestRecord:
        """Turn a dry run into a real request, which is judged again.

        The request invites only the account and the address that the dry run was judged for.

        Raises:
            RequestRefused: the request was not assessed, or the dry run found no account that could be invited.
            LedgerConflict: another process wrote the request meanwhile; read it again.

        """
        self._may_go_on()
        _allow(record, Action.RELEASE)
        if not record.judged_as or not record.user_id:
            raise RequestRefused("NotReleasable", "The dry run found no account that could be invited.")
        change = reopened(record, "released", self._clock(), str(decision), released=True)
        return await self._reopen(change)

    async def adopt(self, record: RequestRecord, decision: Decision) -> RequestRecord:
        """Adopt the account: let a request that someone else's invitation blocks follow that invitation. Send nothing.

        Raises:
            RequestRefused: no such invitation blocks the request.
            LedgerConflict: the request has changed in the meantime; the caller must read it again.

        """
        self._may_go_on()
        _allow(record, Action.ADOPT)
        if not any(finding.rule == PENDING for finding in record.findings):
            said = "The request is not blocked by an invitation that someone else sent: there is nothing to adopt."
            raise RequestRefused("NotAdoptable", said)
        return await self._reopen(reopened(record, "adopted", self._clock(), str(decision), adopts=True))

    async def refuse(self, record: RequestRecord, decision: Decision) -> RequestRecord:
        """End a request in review, and the conversion that it leads.

        The app stops following the account. If an invitation may have been sent, the doubt stays, and the next request
        for the account looks for that invitation, and sends none before the doubt is settled.

        Raises:
            RequestRefused: the request is not in review, or it joined the review of another request.
            LedgerConflict: another process wrote the request meanwhile; read it again.

        """
        _allow(record, Action.REFUSE)
        conversion = await self._conversions.get(record.user_id)
        if conversion is not None and belongs(record, conversion) and conversion.stage is Stage.NEEDS_REVIEW:
            _leads(record, conversion, Action.REFUSE)
            return await self._end_both(record, conversion, "refused", decision)
        return await self._end(record, "refused", decision)

    async def cancel(self, record: RequestRecord, decision: Decision) -> RequestRecord:
        """End a request that was not invited yet. If other requests joined it, one of them leads from now on.

        Raises:
            RequestRefused: the request's stage does not allow it, or its invitation may have been sent.
            LedgerConflict: another process wrote the request meanwhile; read it again.

        """
        _allow(record, Action.CANCEL)
        claim = await self._endings.claim_of(record)
        if claim is None:
            return await self._call_off(record, decision)
        if self._endings.may_be_out(claim):
            raise RequestRefused("NotCancellable", "An invitation may have been sent. Wait for its outcome.")
        # The claim is handed over before the request ends: a claim whose leader has ended would wait for repair. After
        # a crash in between, this request follows the new leader; the caller got no answer, and may cancel it again.
        claim, handed = await self._endings.hand_over(claim)
        if not handed:
            return await self._end_both(record, claim, CALLED_OFF, decision)
        return await self._end(record, CALLED_OFF, decision)

    async def withdraw(self, record: RequestRecord, decision: Decision) -> RequestRecord:
        """End a request because its campaign ended. Other requests for the account continue, also in the same review.

        Raises:
            RequestRefused: the request was invited, or its invitation may have been sent.
            LedgerConflict: another process wrote the request meanwhile; read it again.

        """
        conversion = await self._conversions.get(record.user_id)
        leads = conversion is not None and conversion.request_id == record.request_id
        if conversion is None or not leads or conversion.stage is not Stage.NEEDS_REVIEW:
            waits = record.stage is Stage.NEEDS_REVIEW
            return await (self._end(record, CALLED_OFF, decision) if waits else self.cancel(record, decision))
        if record.stage is Stage.NEEDS_REVIEW and conversion.open_doubts:
            raise RequestRefused("NotCancellable", "An invitation may have been sent. The app looks for it.")
        # The review is handed over, or ended, before the request. After a crash in between, the message of the run
        # is delivered again, finds a request that leads nothing, and ends it alone.
        conversion, handed = await self._endings.hand_review_over(conversion)
        if not handed:
            await self._conversions.save(self._called_off(conversion, CALLED_OFF, decision))
        latest = await self._ledger.requests.get(record.request_id) or record
        return latest if latest.stage is Stage.CANCELLED else await self._end(latest, CALLED_OFF, decision)

    def _called_off(self, conversion: Conversion, kind: str, decision: Decision) -> Change[Conversion]:
        said: dict[str, Any] = {"last_error": _said(kind, decision), "error_code": kind}
        return advance(conversion, Stage.CANCELLED, self._clock(), f"{kind} {decision}", **said)

    def _may_go_on(self) -> None:
        if not self._allowed.going_on:
            raise RequestRefused("ModeIsAssess", "B2B_MODE is assess: the request would end as a dry run.")

    async def _call_off(self, record: RequestRecord, decision: Decision) -> RequestRecord:
        """End a request that leads no claim, so that a running delivery of it can no longer claim.

        A delivery claims with the account's row that it has read. So the cancellation is written to that row first, and
        the claim fails. A delivery that does not know its account yet writes the request's row before it claims, and
        that write fails because the request has ended.
        """
        for _ in range(RACES):
            if record.user_id and not record.only_judged:
                await self._note_cancellation(record, decision)
            with suppress(LedgerConflict):
                return await self._end(record, CALLED_OFF, decision)
            latest = await self._ledger.requests.get(record.request_id)
            if latest is None or not latest.at_work:
                break
            record = latest
        raise LedgerConflict(f"request {record.request_id}")

    async def _note_cancellation(self, record: RequestRecord, decision: Decision) -> None:
        now, said = self._clock(), f"cancelled {decision}"
        conversion = await self._conversions.get(record.user_id)
        if conversion is not None:
            called_off = (*conversion.called_off, record.request_id)
            noted = Event("called-off", now, conversion.stage, record.request_id, said)
            change = Change(replace(conversion, called_off=called_off), (noted,))
            await self._conversions.save_quietly(change, conversion)
            return
        opening = Conversion(user_id=record.user_id, stage=Stage.CANCELLED, request_id=record.request_id)
        begun = begin(None, replace(opening, called_off=(record.request_id,)), now, said)
        why: dict[str, Any] = {"last_error": _said(CALLED_OFF, decision), "error_code": CALLED_OFF}
        await self._ledger.save(Change(replace(begun.row, published=len(begun.events), **why), begun.events))

    async def _end_both(
        self, record: RequestRecord, conversion: Conversion, kind: str, decision: Decision
    ) -> RequestRecord:
        """End a conversion and then its request.

        If another decision about the request was written between the two, that decision stands, and this caller gets a
        conflict: of two decisions that contradict each other, only one is answered as done.

        Raises:
            LedgerConflict: another process wrote the conversion meanwhile, or another decision stands.

        """
        await self._conversions.save(self._called_off(conversion, kind, decision))
        latest = await self._ledger.requests.get(record.request_id)
        if latest is None or latest.stage is not Stage.CANCELLED:
            raise LedgerConflict(f"request {record.request_id}")
        return latest

    async def _end(self, record: RequestRecord, kind: str, decision: Decision) -> RequestRecord:
        now = self._clock()
        await self._ledger.open.add(record.request_id, now)  # repair then writes its lines, if this process dies
        row = replace(
            record,
            stage=Stage.CANCELLED,
            completed_at=now,
            waiting=None,
            last_error=_said(kind, decision),
            error_code=kind,
        )
        event = Event(Stage.CANCELLED.value, now, Stage.CANCELLED, record.request_id, f"{kind} {decision}")
        return await self._ledger.requests.write(Change(row, (event,)))

    async def _reopen(self, change: Change[RequestRecord]) -> RequestRecord:
        """Start a request again: list it as open, write its row, send its message.

        Repair finds a request whose message was not sent, but only on the list of open requests. So that list is first.
        """
        await self._ledger.open.add(change.row.request_id, self._clock())
        row = replace(change.row, token=self._messages.token(), token_before="")
        record = await self._ledger.requests.write(Change(row, change.events))
        await self._messages.send_again(record)
        return record


def _allow(record: RequestRecord, action: Action) -> None:
    if action not in row_of(record.stage).actions:
        code, said = NOT_ALLOWED[action]
        if action is Action.CANCEL and record.stage in TOO_LATE:
            said = TOO_LATE[record.stage].format(way_back=f"GET /api/conversions/{record.user_id}/way-back")
        raise RequestRefused(code, f"The request is {record.stage}; {said}.")


def _leads(record: RequestRecord, conversion: Conversion, action: Action) -> None:
    """Refuse a decision about a request that joined another one, because it would affect the conversion of both."""
    if record.generation and conversion.request_id != record.request_id:
        raise RequestRefused("DecisionSuperseded", f"This request joined {conversion.request_id}; {action} that one.")


def _said(kind: str, decision: Decision) -> str:
    return f"{kind.capitalize()} {decision}."
