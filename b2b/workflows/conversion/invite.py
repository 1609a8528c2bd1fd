"""Send the invitation of an account that was found ready, and record what came of it.

Its claim is written with a doubt. Without an answer the doubt stays until a read settles it.
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
"""Seconds after a lost answer until the account is read. The tries before do not make it longer: most accounts show an
invitation within seconds, and one that shows none is not invited again before the replication window has passed."""


class Inviter:
    """Sends an account's invitation, once."""

    def __init__(self, sender: Sender, conversions: Conversions, clock: Clock) -> None:
        self._sender, self._conversions, self._clock = sender, conversions, clock

    async def invite(self, opening: Opening, record: RequestRecord, invitation: Invitation) -> None:
        """Claim the account as the opening saw it, send the invitation, and record what came of it.

        Raises:
            AddressTaken: another account's conversion holds the address; nothing was sent.
            MustWait: nothing may be sent now, or the outcome is in doubt.
            Transient: the invitation was certainly not sent.
            LedgerConflict: another process wrote the account's row since it was read. Nothing was sent, unless the
                conflict came after the call: then the doubt stays.

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
        """Write the outcome of a claim's call. A request that joins may write the row meanwhile: then try again."""
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
