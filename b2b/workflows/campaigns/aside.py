"""Handle a request that its campaign holds back: end it, or let another request for its account go first."""

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
    """Prevents a paused or ended campaign from holding back requests that are not its own."""

    def __init__(self, endings: Endings, decisions: Decisions) -> None:
        self._endings, self._decisions = endings, decisions

    async def __call__(self, record: RequestRecord, reason: WaitReason) -> bool:
        """End the request if its campaign has ended; otherwise let a request that joined it lead in its place.

        Return False if the request has to wait, because its invitation may have been sent, or because its campaign is
        paused and no request that joined it may go on.

        Raises:
            LedgerConflict: another process wrote a row meanwhile; read the rows again.

        """
        if reason is WaitReason.CAMPAIGN_ENDED:
            with suppress(RequestRefused):
                await self._decisions.withdraw(record, Decision(acting(), ENDED))
                return True
        return await self._endings.step_aside(record)
