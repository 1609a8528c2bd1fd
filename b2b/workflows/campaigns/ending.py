"""End the members of a campaign: cancel those not invited, and keep following those who were or may have been."""

from b2b.domain.campaign.deciding import ENDED, called_off
from b2b.domain.campaign.member import Member
from b2b.domain.campaign.records import Campaign
from b2b.domain.campaign.released import put_back, unwritten
from b2b.domain.campaign.runs import ENDABLE, Run
from b2b.domain.errors import RequestRefused
from b2b.domain.request.decision import Decision
from b2b.workflows.decisions import Decisions
from b2b.workflows.ports import Clock, Ledger

CANCELLED, FOLLOWED, OVER = "cancelled", "followed", "over"


class Ending:
    """The step of a run that ends a campaign."""

    def __init__(self, ledger: Ledger, decisions: Decisions, clock: Clock) -> None:
        self._ledger, self._decisions, self._clock = ledger, decisions, clock

    async def __call__(self, run: Run, _campaign: Campaign, member: Member) -> str:
        """Cancel a member that was not invited. Return the outcome, by which the run counts the member.

        Raises:
            LedgerConflict: another process wrote the member or its request meanwhile; read both again.

        """
        decision = Decision(run.asked_by, run.because or ENDED)
        if member.stage.on_the_list:
            await self._ledger.campaigns.write(called_off(member, decision, self._clock()), member)
            return CANCELLED
        if member.stage not in ENDABLE:
            return OVER
        record = await self._ledger.requests.get(member.request_id)
        if unwritten(member, record):
            row = put_back(member, record)
            await self._ledger.campaigns.write(called_off(row, decision, self._clock()), member)
            return CANCELLED
        if record is None:
            return OVER
        try:
            await self._decisions.withdraw(record, decision)
        except RequestRefused:
            await self._ledger.requests.show(record)
            return FOLLOWED
        return CANCELLED
