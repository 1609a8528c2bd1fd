"""Another mail to an account that waits for its person: the same invitation again, or one to a corrected address.

A person decides about each, and each decision sends one mail at most. Mode, pause, pace, breaker, rules and reservation
hold as for the first one. The try is claimed in the account's row before its call. If the outcome is not known, that is
recorded, and nothing repeats the try: only another decision sends again.
"""

import dataclasses
from collections.abc import Iterable
from contextlib import suppress

from msgspec.structs import replace

from b2b.domain.account import Account
from b2b.domain.conversion import again
from b2b.domain.conversion.assessment import Assessment
from b2b.domain.conversion.opening import without_pending
from b2b.domain.conversion.outcome import Outcome
from b2b.domain.conversion.records import Conversion
from b2b.domain.conversion.sendings import Fate, Purpose, Sending
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.error_codes import ErrorCode
from b2b.domain.errors import LedgerConflict, OutcomeUnknown, RequestRefused, Transient, UnreadableRow
from b2b.domain.findings import Finding, Severity, Verdict, verdict_of
from b2b.domain.invitation import asking_again, invitation_for
from b2b.domain.lifecycle.snapshot import Moment, Snapshot, with_mail
from b2b.domain.request import review
from b2b.domain.request.decision import Decision
from b2b.domain.request.record import RequestRecord
from b2b.domain.request.subject import address_key
from b2b.workflows.conversion.claims import Wanted
from b2b.workflows.conversion.conversions import RACES, Conversions
from b2b.workflows.conversion.process import Protocol
from b2b.workflows.conversion.reservations import AddressTaken
from b2b.workflows.conversion.sender import Sender
from b2b.workflows.enquiries import Enquiries
from b2b.workflows.four_eyes import FourEyes
from b2b.workflows.intake.intake import stored_request
from b2b.workflows.ports import Ledger

HELD = {
    WaitReason.MODE_ASSESS: (ErrorCode.MODE_IS_ASSESS, "B2B_MODE is assess: nothing is sent."),
    WaitReason.PAUSED: (ErrorCode.APP_PAUSED, "An administrator paused the app (B2B_PAUSED): nothing is sent."),
    WaitReason.CAMPAIGN_PAUSED: (ErrorCode.CAMPAIGN_PAUSED, "The campaign of the account is paused."),
}
"""What keeps a mail back. The end of a campaign does not: those whom it invited still wait."""


class AnotherMail:
    """Sends it."""

    def __init__(
        self,
        enquiries: Enquiries,
        sender: Sender,
        conversions: Conversions,
        ledger: Ledger,
        four_eyes: FourEyes,
        protocol: Protocol,
    ) -> None:
        self._enquiries, self._sender, self._conversions = enquiries, sender, conversions
        self._ledger, self._four_eyes, self._protocol = ledger, four_eyes, protocol

    async def resend(self, row: Conversion, decision: Decision, waived: frozenset[str] = frozenset()) -> Conversion:
        """Send the invitation again, to the address that it went to. ``waived`` are rules whose word is overruled.

        Raises:
            RequestRefused: nothing was sent, and why.
            MustWait: nothing was sent; Graph or the app's own pace asks for a wait.
            Transient: nothing was sent.
            LedgerConflict: the account's row moved meanwhile; look at it again.

        """
        return await self._send(row, Purpose.RESEND, row.invited_user_email_address, decision, waived)

    async def correct(
        self, row: Conversion, address: str, decision: Decision, waived: frozenset[str] = frozenset()
    ) -> Conversion:
        """Invite another address in place of a wrong one. The account must have it already: the rules look.

        Raises:
            RequestRefused, MustWait, Transient, LedgerConflict: as `resend`.

        """
        if address_key(address) == address_key(row.invited_user_email_address):
            said = "The account was invited with this address. To send the mail again, resend it."
            raise RequestRefused(ErrorCode.ADDRESS_UNCHANGED, said, "invitedUserEmailAddress")
        return await self._send(row, Purpose.CORRECTION, address, decision, waived)

    async def _send(
        self, row: Conversion, purpose: Purpose, address: str, decision: Decision, waived: frozenset[str]
    ) -> Conversion:
        again.check_waiting(row)
        again.check_apart(row, purpose, self._protocol.clock())
        leader = await self._leader(row)
        await self._check_held(leader)
        request = asking_again(stored_request(leader) if leader else None, row.user_id, address)
        assessment = await self._enquiries.judge(request)
        again.check_account(row, assessment.account)
        overruled = _check_ready(_findings(assessment, leader if purpose is Purpose.RESEND else None), waived)
        if overruled and leader is not None:
            await self._four_eyes.check(leader, decision)
        invitation = invitation_for(request, row.user_id, address, assessment.tenant_id, self._enquiries.defaults)
        snapshot = await self._corrected(row, assessment.account) if purpose is Purpose.CORRECTION else None
        said = f"{decision.reason}; waived: {', '.join(sorted(overruled))}" if overruled else decision.reason
        wanted = Wanted(row, purpose, address, Decision(decision.actor, said), snapshot)
        written: list[tuple[Conversion, Sending]] = []

        async def conclude(claim: tuple[Conversion, Sending], outcome: Outcome) -> None:
            written.append(claim)  # as long as nothing else is written, the outcome is unknown
            with suppress(LedgerConflict, Transient):
                written.append(await self._conclude(*claim, outcome))

        try:
            await self._sender.send(invitation, lambda: self._sender.claims.claim_mail(wanted), conclude)
        except AddressTaken as taken:
            held = f"The account {taken.user_id} is being, or was, converted with the same address."
            raise RequestRefused(ErrorCode.NOT_READY, held, "address-requested-twice") from taken
        except OutcomeUnknown:
            pass  # recorded, and shown to the caller
        latest, sending = written[-1]
        if sending.fate is Fate.REFUSED:
            raise RequestRefused(ErrorCode.GRAPH_REFUSED, f"{sending.said} Nothing was sent.")
        return latest

    async def _leader(self, row: Conversion) -> RequestRecord | None:
        """Return the request whose invitation it was; None: it is gone, or a newer version wrote it."""
        try:
            return await self._ledger.requests.get(row.request_id)
        except UnreadableRow:
            return None

    async def _check_held(self, leader: RequestRecord | None) -> None:
        reason = self._protocol.held
        if reason is None and leader is not None:
            reason = await self._protocol.campaigns.held(leader.campaign_id)
        if reason in HELD:
            raise RequestRefused(*HELD[reason])

    async def _corrected(self, row: Conversion, account: Account | None) -> Snapshot | None:
        """Return what is compared with after a correction: the administrator's new mail is no change to be found."""
        before = await self._ledger.snapshot(row.user_id, row.baseline, Moment.BEFORE) if row.baseline else None
        return with_mail(before, account) if before is not None and account is not None else None

    async def _conclude(self, claim: Conversion, sending: Sending, outcome: Outcome) -> tuple[Conversion, Sending]:
        """Write what came of the try, wherever the conversion stands by now: it may have been redeemed meanwhile."""
        row = claim
        for _ in range(RACES):
            change, over = again.ended(row, sending, outcome, self._protocol.clock())
            try:
                return await self._conversions.record(change, row), over
            except LedgerConflict:
                row = await self._conversions.get(claim.user_id) or row
        raise LedgerConflict(f"conversion {claim.user_id}")


def _findings(assessment: Assessment, leader: RequestRecord | None) -> tuple[Finding, ...]:
    """Return the findings that count. What was approved before holds for the same account and address."""
    found = without_pending(assessment.findings)
    if leader is None:
        return found
    return review.weighed(dataclasses.replace(assessment, findings=found), leader)


def _check_ready(findings: Iterable[Finding], waived: frozenset[str]) -> frozenset[str]:
    """Return the rules that the decision overrules.

    Raises:
        RequestRefused: the rules forbid it, or the decision waives what is no review finding now.

    """
    found = tuple(findings)
    overruled = waived & {each.rule for each in found if each.severity is Severity.REVIEW}
    if unknown := sorted(waived - overruled):
        said = f"Not among the findings that a person may waive now: {', '.join(unknown)}."
        raise RequestRefused(ErrorCode.FINDINGS_CHANGED, said, "waive")
    left = tuple(replace(each, severity=Severity.WARN) if each.rule in overruled else each for each in found)
    if verdict_of(left) is not Verdict.READY:
        against = [each for each in left if each.severity in {Severity.BLOCK, Severity.REVIEW, Severity.FIX}]
        refusals = [RequestRefused(ErrorCode.NOT_READY, f"{each.message} {each.fix}", each.rule) for each in against]
        raise refusals[0].with_others(refusals[1:])
    return overruled
