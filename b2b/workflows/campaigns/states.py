"""A cache of the states of campaigns, so that an instance need not read the campaign for every request."""

from datetime import datetime, timedelta

from b2b.domain.campaign.records import CampaignState
from b2b.domain.conversion.waits import WaitReason
from b2b.workflows.ports import Clock, Ledger

KEPT = timedelta(seconds=10)
"""How old a cached state may be. For this long after a pause, an instance may go on inviting."""
_HELD = {CampaignState.PAUSED: WaitReason.CAMPAIGN_PAUSED, CampaignState.ENDED: WaitReason.CAMPAIGN_ENDED}


class CampaignStates:
    """The states of campaigns, each read again once it is older than `KEPT`."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._campaigns, self._clock = ledger.campaigns, clock
        self._seen: dict[str, tuple[datetime, CampaignState]] = {}

    async def held(self, campaign_id: str) -> WaitReason | None:
        """Return why a request's campaign blocks inviting; None if it does not, or if the request has no campaign."""
        if not campaign_id:
            return None
        now = self._clock()
        read_at, state = self._seen.get(campaign_id, (None, CampaignState.OPEN))
        if read_at is None or not timedelta() <= now - read_at < KEPT:
            campaign = await self._campaigns.rows.get(campaign_id)
            state = campaign.state if campaign is not None else CampaignState.ENDED
            self._seen[campaign_id] = now, state
        return _HELD.get(state)
