"""Release judged members. A member becomes a request, which is judged again.

The request invites only the account and the address that were judged before the release.
"""

from contextlib import suppress
from dataclasses import replace

import msgspec

from b2b.domain.campaign.deciding import approval_of
from b2b.domain.campaign.member import Member, MemberStage
from b2b.domain.campaign.records import Campaign, CampaignState
from b2b.domain.campaign.released import asked_again, asked_for, put_back, released, request_id_of, unwritten
from b2b.domain.campaign.runs import Run
from b2b.domain.conversion.records import Change
from b2b.domain.errors import LedgerConflict
from b2b.domain.findings import Verdict
from b2b.domain.request.record import RequestRecord
from b2b.workflows.conversion.messages import Messages
from b2b.workflows.ports import Clock, Ledger

RELEASED, PASSED_OVER, HELD = "released", "passedOver", "held"
_NOT_RELEASED = frozenset({MemberStage.LISTED, MemberStage.JUDGED, MemberStage.CANCELLED})


class Releasing:
    """The step of a run that releases members."""

    def __init__(self, ledger: Ledger, messages: Messages, clock: Clock) -> None:
        self._ledger, self._messages, self._clock = ledger, messages, clock

    async def __call__(self, _run: Run, campaign: Campaign, member: Member) -> str:
        """Create the request of a member and send its message. Return the outcome, by which the run counts the member.

        The member's row is written first, so that a list either changes the member before its release or is refused.
        The process may die between the member's row, the request's row and the message. So a part that is delivered
        again creates a missing request. If the request exists and has not ended, the part updates the member to show
        it, and sends the message again if the request was never tried.

        Raises:
            LedgerConflict: another process wrote the member or the request meanwhile; read both again.

        """
        stored = await self._ledger.requests.get(request_id_of(member.campaign_id, member.key))
        begun = await self._go_on(campaign, member, stored)
        if begun:
            return begun
        if campaign.state is not CampaignState.OPEN:
            return HELD
        ready = member.stage is MemberStage.JUDGED and member.verdict is Verdict.READY and member.judged_as
        if not ready:
            return PASSED_OVER
        if stored is not None and stored.sequence > member.shown:
            await self._ledger.requests.show(stored)  # the request has ended, and the member does not show that yet
            return PASSED_OVER
        await self._ask(campaign, await self._ledger.campaigns.write(Change(released(member)), member), stored)
        return RELEASED

    async def _go_on(self, campaign: Campaign, member: Member, stored: RequestRecord | None) -> str:
        """Complete a release that was begun before. Return its outcome; empty if no release was begun."""
        if unwritten(member, stored):
            if campaign.state is CampaignState.ENDED:
                return HELD  # the run that ends the campaign cancels the member
            await self._ask(campaign, member, stored)
            return RELEASED
        if stored is not None and stored.at_work:
            await self._ledger.requests.show(stored)
            if stored.waiting is None and not stored.token_before and not stored.generation:
                await self._messages.send_again(stored)
            return RELEASED
        rested = stored is not None and member.stage not in _NOT_RELEASED
        return RELEASED if rested else ""

    async def give_back(self, member: Member) -> None:
        """Put a released member back on the list if its request is not written, because its part was given up."""
        stored = await self._ledger.requests.get(request_id_of(member.campaign_id, member.key))
        if unwritten(member, stored):
            with suppress(LedgerConflict):  # another delivery of the part has handled the member after all
                await self._ledger.campaigns.write(Change(put_back(member, stored)), member)

    async def _ask(self, campaign: Campaign, member: Member, stored: RequestRecord | None) -> None:
        """Write the request and send its message.

        The request is put on the list of open requests first, so that repair finds it if the process dies.
        """
        now, approval = self._clock(), approval_of(member)
        kept = msgspec.json.encode(approval).decode() if approval else ""
        if stored is None:
            shown_before = member.shown > 1
            conversion = await self._ledger.conversions.get(member.user_id) if shown_before else None
            change = asked_for(member, campaign.defaults, kept, now, conversion)
        else:
            change = asked_again(stored, member, campaign.defaults, kept, now)
        await self._ledger.open.add(change.row.request_id, now)
        row = replace(change.row, token=self._messages.token())
        record = await self._ledger.requests.write(Change(row, change.events))
        await self._messages.send_again(record)
