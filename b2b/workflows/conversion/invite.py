"""The one call to Graph, and what came of it.

Every step may be the last of its process, so each stands on the one before:

address reserved -> claim written, with a doubt -> POST /invitations -> outcome written
|
+- no answer: the doubt stays, and is settled by reading
"""

from collections.abc import Callable

from b2b.domain.conversion import outcome
from b2b.domain.conversion.records import Change, Conversion
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.errors import AccessDenied, InvitationRefused, LedgerConflict, MustWait, OutcomeUnknown, Transient
from b2b.domain.invitation import Invitation
from b2b.domain.request.record import RequestRecord
from b2b.workflows.conversion.claims import Claims, Opening
from b2b.workflows.conversion.conversions import RACES, Conversions
from b2b.workflows.pacing import Pacer
from b2b.workflows.ports import Clock, Invitations
from b2b.workflows.rate import Rate

FORBIDDEN = 403


class Inviter:
    """Sends an account's invitation, once."""

    def __init__(
        self,
        graph: Invitations,
        claims: Claims,
        conversions: Conversions,
        pacer: Pacer,
        rate: Rate,
        clock: Clock,
    ) -> None:
        self._graph, self._claims, self._conversions = graph, claims, conversions
        self._pacer, self._rate, self._clock = pacer, rate, clock

    async def invite(self, opening: Opening, record: RequestRecord, invitation: Invitation) -> None:
        """Claim the account as it stood before, send the invitation, and record what came of it.

        Raises:
            AddressTaken: another account holds the address; nothing was sent.
            MustWait: nothing may be sent now, or the outcome is in doubt.
            Transient: it was certainly not sent.
            LedgerConflict: the account is not as it stood before; nothing was sent.

        """
        await self._rate.turn()  # before the breaker is asked: its answer must not be old when the invitation leaves
        probing = await self._pacer.permit(self._claims.lease)
        claim, not_after = await self._claims.claim(opening, silent=not invitation.send_message)
        try:
            invited = await self._graph.invite(invitation, not_after)
        except InvitationRefused as error:
            refusal = error.refusal
            await self._conclude(claim, record, lambda row: outcome.refused(row, refusal, self._clock()))
            await self._pacer.record(failed=refusal.status == FORBIDDEN, probing=probing)
        except OutcomeUnknown as error:
            reason = error.reason
            self._rate.heed(refused=error.throttled)
            await self._conclude(claim, record, lambda row: outcome.in_doubt(row, reason, self._clock()))
            if not await self._pacer.throttled(error.retry_after, reason):
                await self._pacer.record(failed=True, probing=probing)
            raise MustWait(WaitReason.OUTCOME_PENDING, error.retry_after, reason) from error
        except Transient as error:
            reason = str(error)
            await self._conclude(claim, record, lambda row: outcome.not_sent(row, reason, self._clock()))
            if isinstance(error, AccessDenied):
                await self._pacer.forbidden(reason)
            raise
        else:
            self._rate.heed(invited.limit_used)
            await self._conclude(claim, record, lambda row: outcome.invited(row, invited, self._clock()))
            await self._pacer.record(failed=False, probing=probing)

    async def _conclude(
        self, claim: Conversion, record: RequestRecord, ended: Callable[[Conversion], Change[Conversion]]
    ) -> None:
        """Write the outcome of the claim's own call. Joiners may write the row meanwhile, and leave the claim alone."""
        row = claim
        for _ in range(RACES):
            try:
                await self._conversions.save(ended(row), held=record)
            except LedgerConflict:
                latest = await self._conversions.get(claim.user_id)
                if latest is None or latest.attempt_id != claim.attempt_id or latest.stage is not Stage.INVITING:
                    raise
                row = latest
            else:
                return
        raise LedgerConflict(f"conversion {claim.user_id}")
