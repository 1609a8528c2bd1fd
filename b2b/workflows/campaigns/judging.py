"""Judge a member: apply the rules to the request that it would become. Nobody is invited by that."""

from b2b.domain.account import Account
from b2b.domain.campaign.member import Member, MemberStage, judged, request_of, twice
from b2b.domain.campaign.records import Campaign, CampaignState
from b2b.domain.campaign.runs import Run
from b2b.domain.conversion.records import Change
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.eligibility.address import own_addresses
from b2b.domain.errors import MustWait, Transient
from b2b.domain.findings import Profile
from b2b.workflows.conversion.assess import Assessor
from b2b.workflows.pacing import Pacer
from b2b.workflows.ports import Ledger

PASSED_OVER = "passedOver"


class Judging:
    """The step of a run that judges a campaign."""

    def __init__(self, assessor: Assessor, pacer: Pacer, ledger: Ledger, profile: Profile) -> None:
        self._assessor, self._pacer, self._campaigns, self._profile = assessor, pacer, ledger.campaigns, profile

    async def __call__(self, run: Run, campaign: Campaign, member: Member) -> str:
        """Judge a member. Return its verdict, or `PASSED_OVER` if the member is not judged.

        Raises:
            MustWait: Graph asked the app to wait, or failed.
            LedgerConflict: another process wrote the member meanwhile; read it again.

        """
        if campaign.state is CampaignState.ENDED or not member.stage.judged_again:
            return PASSED_OVER
        if member.judged_in == run.run_id and member.verdict is not None:
            return member.verdict.value
        await self._pacer.admit()
        request = request_of(member, campaign.defaults)
        try:
            assessment = await self._assessor.assess(request, await self._assessor.look_up(request))
        except Transient as error:
            await self._pacer.heed(error)
            raise MustWait(WaitReason.SERVICE, error.retry_after, str(error)) from error
        account = assessment.account
        mail = " ".join(own_addresses(account, self._profile)) if account else ""
        row = judged(member, assessment, mail, run.run_id)
        written = await self._write(row, member, account)
        return written.verdict.value if written.verdict else PASSED_OVER

    async def _write(self, row: Member, before: Member, account: Account | None) -> Member:
        """Write a judged member. If another member has the same account, this member gets a finding `listed-twice`."""
        if account is None:
            return await self._campaigns.write(Change(row), before)
        # Two members may both find no holder here. Only one of them can then insert the account; the other conflicts.
        holder = await self._campaigns.person(row.campaign_id, row.user_id)
        if holder and holder != row.key and await self._is_still(row, holder):
            return await self._campaigns.write(Change(twice(row, holder)), before)
        return await self._campaigns.write(Change(row), before, "" if holder else row.user_id)

    async def _is_still(self, row: Member, holder: str) -> bool:
        """Tell whether ``holder`` is still matched to the account of ``row`` and is not cancelled."""
        other = await self._campaigns.member(row.campaign_id, holder)
        return other is not None and other.user_id == row.user_id and other.stage is not MemberStage.CANCELLED
