"""What a request does that its campaign holds back: it lets another one go first, or ends."""

from contextlib import suppress

from b2b.domain.actors import acting
from b2b.domain.campaign.deciding import ENDED
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.errors import RequestRefused
from b2b.domain.request.decision import Decision
from b2b.domain.request.record import RequestRecord
from b2b.workflows.conversion.endings import Endings
from b2b.workflows.decisions import Decisions


class Aside:
    """Keeps a campaign that is paused, or has ended, from holding back anybody but its own members."""

    def __init__(self, endings: Endings, decisions: Decisions) -> None:
        self._endings, self._decisions = endings, decisions

    async def __call__(self, record: RequestRecord, reason: WaitReason) -> bool:
        """End the request, where the campaign ended; else let a request that joined lead.

        False: it waits. Its invitation may be out, or the campaign is paused, and no joined request is free to go on.

        Raises:
            LedgerConflict: another process wrote a row meanwhile.

        """
        if reason is WaitReason.CAMPAIGN_ENDED:
            with suppress(RequestRefused):
                await self._decisions.withdraw(record, Decision(acting(), ENDED))
                return True
        return await self._endings.step_aside(record)
