"""Make the only call to Graph that changes the directory: POST /invitations.

Rate and breaker are checked first. The claim is written before the call, and the outcome after it.

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
    """Sends an invitation, at most once for each claim."""

    def __init__(self, graph: Invitations, claims: Claims, pacer: Pacer, rate: Rate) -> None:
        self.claims = claims
        self._graph, self._pacer, self._rate = graph, pacer, rate

    async def send(
        self,
        invitation: Invitation,
        claim: Callable[[], Awaitable[tuple[Claimed, datetime]]],
        conclude: Callable[[Claimed, Outcome], Awaitable[None]],
    ) -> None:
        """Claim, send the invitation, and record its outcome.

        ``claim`` writes the claim and returns it, with the time after which the call must not begin. ``conclude``
        writes the outcome of a claim.

        Raises:
            MustWait: nothing may be sent now, and nothing was claimed.
            OutcomeUnknown: the invitation may have been sent; this is recorded.
            Transient: the invitation was certainly not sent.

        """
        await self._rate.turn()  # before the breaker, whose answer must not be old when the invitation is sent
        # The breaker is asked before the claim, because a claim that may not send would keep its account waiting.
        probe = await self._pacer.permit(self.claims.lease)
        try:
            claimed, not_after = await claim()
        except (AddressTaken, B2BError):
            if probe is not None:
                await self._pacer.give_back(probe)
            raise
        # The outcome is always written before the breaker counts it. A crash in between then loses a count, which does
        # no harm. In the other order it would lose the outcome.
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
            # A failed probe keeps its lease: Graph could not be reached, so the next probe must not follow at once.
            await conclude(claimed, NotSent(str(error)))
            if isinstance(error, AccessDenied):
                await self._pacer.forbidden(str(error))
            raise
        else:
            self._rate.heed(answer.limit_used)
            await conclude(claimed, Taken(answer))
            await self._pacer.record(failed=False, probing=probe is not None)
