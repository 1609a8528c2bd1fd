"""Send another mail to an invited account: the same invitation again, or one to a corrected address.

A person decides about each mail, and each decision sends at most one. Mode, pause, pace, breaker, rules and reservation
apply as for the first invitation. The app claims the attempt in the account's row before the call to Graph. It records
an unknown outcome and does not repeat the attempt; only another decision sends another mail.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from contextlib import suppress

from msgspec.structs import replace

from b2b.domain.conversion import again
from b2b.domain.conversion.assessment import Assessment
from b2b.domain.conversion.opening import without_pending
from b2b.domain.conversion.outcome import Outcome
from b2b.domain.conversion.records import Conversion, with_baseline
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
    WaitReason.PAUSED: (ErrorCode.APP_PAUSED, "An administrator has paused the app (B2B_PAUSED): nothing is sent."),
    WaitReason.CAMPAIGN_PAUSED: (ErrorCode.CAMPAIGN_PAUSED, "The campaign of the account is paused."),
}
"""The wait reasons that also forbid another mail. An ended campaign does not, because its invitations stay open."""


class AnotherMail:
    """Resends invitations, and sends them to corrected addresses."""

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
        """Send the invitation to the same address again. ``waived``: ids of rules whose review findings are waived.

        Raises:
            RequestRefused: nothing was sent; the text says why.
            MustWait: nothing was sent, because Graph or the app's own pace requires a wait.
            Transient: nothing was sent, because a service failed.
            LedgerConflict: the account's row has changed in the meantime; the caller must read it again.

        """
        return await self._send(row, Purpose.RESEND, row.invited_user_email_address, decision, waived)

    async def correct(
        self, row: Conversion, address: str, decision: Decision, waived: frozenset[str] = frozenset()
    ) -> Conversion:
        """Invite another address in place of a wrong one. The rules check that the account already has the address.

        Raises:
            RequestRefused: nothing was sent; the text says why.
            MustWait: nothing was sent, because Graph or the app's own pace requires a wait.
            Transient: nothing was sent, because a service failed.
            LedgerConflict: the account's row has changed in the meantime; the caller must read it again.

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
        kept = await self._kept(row) if purpose is Purpose.CORRECTION else {}
        account = assessment.account
        corrected = {moment: with_mail(each, account) for moment, each in kept.items()} if account is not None else {}
        said = f"{decision.reason}; waived: {', '.join(sorted(overruled))}" if overruled else decision.reason
        wanted = Wanted(row, purpose, address, Decision(decision.actor, said), corrected)
        written: list[tuple[Conversion, Sending]] = []

        async def conclude(claim: tuple[Conversion, Sending], outcome: Outcome) -> None:
            written.append(claim)  # until the outcome is written, the claimed attempt counts as unknown
            with suppress(LedgerConflict, Transient):
                written.append(await self._conclude(*claim, outcome, kept))

        try:
            await self._sender.send(invitation, lambda: self._sender.claims.claim_mail(wanted), conclude)
        except AddressTaken as taken:
            held = f"The account {taken.user_id} is being or was converted with the same address."
            raise RequestRefused(ErrorCode.NOT_READY, held, "address-requested-twice") from taken
        except OutcomeUnknown:
            pass  # the row says that the outcome is unknown, and the caller gets the row
        latest, sending = written[-1]
        if sending.fate is Fate.REFUSED:
            raise RequestRefused(ErrorCode.GRAPH_REFUSED, f"{sending.said} Nothing was sent.")
        return latest

    async def _leader(self, row: Conversion) -> RequestRecord | None:
        """Return the request that leads the conversion; None if it was purged or a newer version wrote it."""
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

    async def _kept(self, row: Conversion) -> dict[Moment, Snapshot]:
        """Return the snapshots that the redemption will be compared with; empty without a baseline.

        A correction writes them with the corrected mail, which is no difference to report.
        """
        if not row.baseline:
            return {}
        moments = (Moment.BEFORE, Moment.SEEN) if row.access_seen_at is not None else (Moment.BEFORE,)
        found = {each: await self._ledger.snapshot(row.user_id, row.baseline, each) for each in moments}
        return {moment: each for moment, each in found.items() if each is not None}

    async def _conclude(
        self, claim: Conversion, sending: Sending, outcome: Outcome, kept: Mapping[Moment, Snapshot]
    ) -> tuple[Conversion, Sending]:
        """Write the outcome of the attempt at any stage, because the account may have redeemed in the meantime.

        If no mail was sent, the snapshots from before the correction (``kept``) come back with the earlier address.
        """
        row = claim
        for _ in range(RACES):
            change, over = again.ended(row, sending, outcome, self._protocol.clock())
            back = change.row.invited_user_email_address != row.invited_user_email_address and bool(kept)
            change = with_baseline(change, row.access_seen_at) if back else change
            try:
                return await self._conversions.record(change, row, kept if back else {}), over
            except LedgerConflict:
                row = await self._conversions.get(claim.user_id) or row
        raise LedgerConflict(f"conversion {claim.user_id}")


def _findings(assessment: Assessment, leader: RequestRecord | None) -> tuple[Finding, ...]:
    """Return the findings that count. With a leader, its earlier approval for the account and address stays valid."""
    found = without_pending(assessment.findings)
    if leader is None:
        return found
    return review.weighed(dataclasses.replace(assessment, findings=found), leader)


def _check_ready(findings: Iterable[Finding], waived: frozenset[str]) -> frozenset[str]:
    """Return the rules whose findings the decision waives.

    Raises:
        RequestRefused: other findings forbid the mail, or a waived rule has no review finding now.

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
