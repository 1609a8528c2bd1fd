"""Make the one call to Graph that changes anything: in its turn, past the breaker, between a claim and its outcome.

The process may die after any step, so each step relies only on what the steps before it have stored:

address reserved -> claim written -> POST /invitations -> outcome written
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from b2b.domain.conversion.outcome import InDoubt, NotSent, Outcome, Refused, Taken
from b2b.domain.errors import AccessDenied, B2BError, InvitationRefused, OutcomeUnknown, Transient
from b2b.domain.invitation import Invitation
from b2b.workflows.conversion.claims import Claims
from b2b.workflows.conversion.reservations import AddressTaken
from b2b.workflows.pacing import Pacer
from b2b.workflows.ports import Invitations
from b2b.workflows.rate import Rate

FORBIDDEN = 403
Claimed = TypeVar("Claimed")


class Sender:
    """Sends one invitation, once."""

    def __init__(self, graph: Invitations, claims: Claims, pacer: Pacer, rate: Rate) -> None:
        self.claims = claims
        self._graph, self._pacer, self._rate = graph, pacer, rate

    async def send(
        self,
        invitation: Invitation,
        claim: Callable[[], Awaitable[tuple[Claimed, datetime]]],
        conclude: Callable[[Claimed, Outcome], Awaitable[None]],
    ) -> None:
        """Claim, send, and record what came of it.

        ``claim`` returns what was claimed, and the moment after which the call may not begin.

        Raises:
            MustWait: nothing may be sent now; nothing was claimed.
            OutcomeUnknown: it may have been sent; that is recorded.
            Transient: it was certainly not sent.

        """
        await self._rate.turn()  # before the breaker is asked: its answer must not be old when the invitation leaves
        # The breaker is asked before the claim, because a claim that may not send would keep its account waiting.
        probe = await self._pacer.permit(self.claims.lease)
        try:
            claimed, not_after = await claim()
        except (AddressTaken, B2BError):
            if probe is not None:
                await self._pacer.give_back(probe)
            raise
        # In each case the outcome is written before the breaker hears of it: a crash in between costs the breaker a
        # count, which does no harm. The other way round it would cost the outcome.
        try:
            answer = await self._graph.invite(invitation, not_after)
        except InvitationRefused as error:
            await conclude(claimed, Refused(error.refusal))
            await self._pacer.record(failed=error.refusal.status == FORBIDDEN, probing=probe is not None)
        except OutcomeUnknown as error:
            self._rate.heed(refused=error.throttled)
            await conclude(claimed, InDoubt(error.reason))
            if not await self._pacer.throttled(error.retry_after, error.reason):
                await self._pacer.record(failed=True, probing=probe is not None)
            raise
        except Transient as error:
            # A probe that met this keeps its lease: Graph was out of reach, so the next probe must not follow at once.
            await conclude(claimed, NotSent(str(error)))
            if isinstance(error, AccessDenied):
                await self._pacer.forbidden(str(error))
            raise
        else:
            self._rate.heed(answer.limit_used)
            await conclude(claimed, Taken(answer))
            await self._pacer.record(failed=False, probing=probe is not None)
