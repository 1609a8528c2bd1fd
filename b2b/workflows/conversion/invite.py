"""Send the invitation for a request, and record its outcome.

The claim contains a doubt. If Graph does not answer, the doubt stays until a read settles it.
"""

from b2b.domain.conversion import outcome
from b2b.domain.conversion.outcome import Outcome
from b2b.domain.conversion.records import Conversion
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.errors import LedgerConflict, MustWait, OutcomeUnknown
from b2b.domain.invitation import Invitation
from b2b.domain.request.record import RequestRecord
from b2b.workflows.conversion.claims import Opening
from b2b.workflows.conversion.conversions import RACES, Conversions
from b2b.workflows.conversion.sender import Sender
from b2b.workflows.ports import Clock

FIRST_LOOK = 15.0
"""Seconds from a lost answer to the next read of the account. Earlier attempts do not lengthen this time, because most
accounts show an invitation within seconds, and the others are not invited again before the replication window has
passed."""


class Inviter:
    """Sends the invitations for requests."""

    def __init__(self, sender: Sender, conversions: Conversions, clock: Clock) -> None:
        self._sender, self._conversions, self._clock = sender, conversions, clock

    async def invite(self, opening: Opening, record: RequestRecord, invitation: Invitation) -> None:
        """Claim the account in the state that the opening saw, send the invitation, and record its outcome.

        Raises:
            AddressTaken: another account's conversion holds the address; nothing was sent.
            MustWait: nothing may be sent now, or the outcome is in doubt.
            Transient: the invitation was certainly not sent.
            LedgerConflict: another process has written the account's row since it was read. Nothing was sent, unless
                the conflict came after the call; in that case the doubt stays.

        """
        try:
            await self._sender.send(
                invitation,
                lambda: self._sender.claims.claim(opening, silent=not invitation.send_message),
                lambda claim, came: self._conclude(claim, record, came),
            )
        except OutcomeUnknown as error:
            wanted = FIRST_LOOK if error.retry_after is None else error.retry_after
            raise MustWait(WaitReason.OUTCOME_PENDING, wanted, error.reason) from error

    async def _conclude(self, claim: Conversion, record: RequestRecord, came: Outcome) -> None:
        """Write the outcome of a claim's call. Retry on a conflict, because a request that joins may write the row."""
        row = claim
        for _ in range(RACES):
            try:
                await self._conversions.save(outcome.ended(row, came, self._clock()), held=record)
            except LedgerConflict:
                latest = await self._conversions.get(claim.user_id)
                if latest is None or latest.attempt_id != claim.attempt_id or latest.stage is not Stage.INVITING:
                    raise
                row = latest
            else:
                return
        raise LedgerConflict(f"conversion {claim.user_id}")
