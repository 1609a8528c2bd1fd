"""Send an account's invitation: the one call to Graph that changes anything, and what came of it.

The process may die after any step, so each step relies only on what the steps before it have stored:

address reserved -> claim written, with a doubt -> POST /invitations -> outcome written
                                                        |
                                                        +- no answer: the doubt stays until a read settles it
"""

from collections.abc import Callable

from b2b.domain.conversion import outcome
from b2b.domain.conversion.records import Change, Conversion
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.errors import (
    AccessDenied,
    B2BError,
    InvitationRefused,
    LedgerConflict,
    MustWait,
    OutcomeUnknown,
    Transient,
)
from b2b.domain.invitation import Invitation
from b2b.domain.request.record import RequestRecord
from b2b.workflows.conversion.claims import Claims, Opening
from b2b.workflows.conversion.conversions import RACES, Conversions
from b2b.workflows.conversion.reservations import AddressTaken
from b2b.workflows.pacing import Pacer
from b2b.workflows.ports import Clock, Invitations
from b2b.workflows.rate import Rate

FORBIDDEN = 403
FIRST_LOOK = 15.0
"""Seconds after a lost answer until the account is read. The tries before do not make it longer: most accounts show an
invitation within seconds, and one that shows none is not invited again before the replication window has passed."""


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
        """Claim the account as the opening saw it, send the invitation, and record what came of it.

        Raises:
            AddressTaken: another account's conversion holds the address; nothing was sent.
            MustWait: nothing may be sent now, or the outcome is in doubt.
            Transient: the invitation was certainly not sent.
            LedgerConflict: another process wrote the account's row since it was read. Nothing was sent, unless the
                conflict came after the call: then the doubt stays.

        """
        await self._rate.turn()  # before the breaker is asked: its answer must not be old when the invitation leaves
        # The breaker is asked before the claim, because a claim that may not send would keep its account waiting.
        probe = await self._pacer.permit(self._claims.lease)
        try:
            claim, not_after = await self._claims.claim(opening, silent=not invitation.send_message)
        except (AddressTaken, B2BError):
            if probe is not None:
                await self._pacer.give_back(probe)
            raise
        # In each case the outcome is written before the breaker hears of it: a crash in between costs the breaker a
        # count, which does no harm. The other way round it would cost the outcome, and leave a doubt.
        try:
            invited = await self._graph.invite(invitation, not_after)
        except InvitationRefused as error:
            refusal = error.refusal
            await self._conclude(claim, record, lambda row: outcome.refused(row, refusal, self._clock()))
            await self._pacer.record(failed=refusal.status == FORBIDDEN, probing=probe is not None)
        except OutcomeUnknown as error:
            reason = error.reason
            self._rate.heed(refused=error.throttled)
            await self._conclude(claim, record, lambda row: outcome.in_doubt(row, reason, self._clock()))
            if not await self._pacer.throttled(error.retry_after, reason):
                await self._pacer.record(failed=True, probing=probe is not None)
            wanted = FIRST_LOOK if error.retry_after is None else error.retry_after
            raise MustWait(WaitReason.OUTCOME_PENDING, wanted, reason) from error
        except Transient as error:
            # A probe that met this keeps its lease: Graph was out of reach, so the next probe must not follow at once.
            reason = str(error)
            await self._conclude(claim, record, lambda row: outcome.not_sent(row, reason, self._clock()))
            if isinstance(error, AccessDenied):
                await self._pacer.forbidden(reason)
            raise
        else:
            self._rate.heed(invited.limit_used)
            await self._conclude(claim, record, lambda row: outcome.invited(row, invited, self._clock()))
            await self._pacer.record(failed=False, probing=probe is not None)

    async def _conclude(
        self, claim: Conversion, record: RequestRecord, ended: Callable[[Conversion], Change[Conversion]]
    ) -> None:
        """Write the outcome of a claim's call. A request that joins may write the row meanwhile: then try again."""
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
