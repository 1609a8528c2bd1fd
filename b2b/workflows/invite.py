"""One account's conversion: the claim, the one call, and the settling of what is in doubt.

Every step may be the last of its process and every message may come twice, so each effect stands on the ledger:

    intent written -> POST /invitations -> invited
         |                  |
         |                  +- no answer: the intent stays, and its outcome is settled by reading the account
         +- another delivery meets it: unexpired, it waits; expired, it settles
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from b2b.domain import outcome, redemption
from b2b.domain.account import Account
from b2b.domain.conversion import (
    ACTIVE,
    Change,
    Conversion,
    RequestRecord,
    Stage,
    advance,
    advance_request,
    may_show,
    mirrored,
    start,
)
from b2b.domain.errors import InvitationRefused, LedgerConflict, OutcomeUnknown, Transient
from b2b.domain.facts import Fact
from b2b.domain.invitation import LONGEST_CALL, Invitation
from b2b.domain.readings import NotThere, Reservation
from b2b.domain.request import InvitedUser
from b2b.workflows.assess import address_key
from b2b.workflows.pacing import Pacer, Wait
from b2b.workflows.ports import Clock, Directory, Invitations, Ledger, NewId

CLAIM_MARGIN = 24.0
"""Seconds that a claim outlives the longest call: for the fence before it, and to write the outcome after it."""
RACES = 5
"""How often a decision is made anew from fresh rows before the request waits."""
SHORTEST_WAIT = 15.0
FORBIDDEN = 403
FENCE = timedelta(seconds=10)
"""Longest time between a claim and its call: the lease must still cover the call's own time limit."""
QUICKER = 5
"""A repeat that sends no mail waits for a fifth of the replication window: it bothers nobody, and changes nothing."""


@dataclass(frozen=True)
class Limits:
    """How long a claim and a doubt last."""

    lease: timedelta
    replication_window: timedelta

    @classmethod
    def of(cls, graph_timeout: float, replication_window: float) -> "Limits":
        """Take both settings in seconds."""
        return cls(
            timedelta(seconds=graph_timeout * LONGEST_CALL + CLAIM_MARGIN), timedelta(seconds=replication_window)
        )


class Inviter:
    """Invites an account at most once, however often and by however many processes it is asked to."""

    def __init__(
        self,
        graph: Invitations,
        directory: Directory,
        ledger: Ledger,
        pacer: Pacer,
        limits: Limits,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        """Use the adapters; ``new_id`` names attempts."""
        self._graph, self._directory, self._ledger, self._pacer = graph, directory, ledger, pacer
        self._limits, self._clock, self._new_id = limits, clock, new_id

    async def settle(self, conversion: Conversion) -> bool:
        """Find out what became of an intent. True: it is settled. False: nothing went out, so it may be tried again.

        Raises:
            Wait: the call may still be under way, or its outcome cannot be seen yet.
            Transient: a service did not answer.
            LedgerConflict: somebody else settled it meanwhile.

        """
        now = self._clock()
        if conversion.lease_until is not None and now < conversion.lease_until:
            raise Wait((conversion.lease_until - now).total_seconds() + 1, "another delivery is inviting")
        doubt_ends = redemption.in_doubt_until(
            conversion, self._limits.replication_window / (QUICKER if conversion.silent else 1)
        )
        if doubt_ends is None:
            return False
        account = await self._read(conversion.user_id)
        if await self.seen(conversion, account):
            return True
        if now < doubt_ends:
            raise Wait(
                max((doubt_ends - now).total_seconds() / 4, SHORTEST_WAIT),
                "the outcome of the invitation is not known yet",
            )
        return False

    async def seen(self, conversion: Conversion, account: Account | None) -> bool:
        """Settle an intent whose invitation the account shows; False where there is none, or nothing shows.

        Raises:
            Transient: storage did not answer.
            LedgerConflict: somebody else settled it meanwhile.

        """
        tried = conversion.stage is Stage.INVITING and conversion.intent_at is not None
        if account is None or not tried or not (account.pending or account.accepted):
            return False
        await self.finish(redemption.settled(conversion, self._clock()))
        return True

    async def invite(
        self, before: Conversion | None, opening: Conversion, record: RequestRecord, invitation: Invitation
    ) -> None:
        """Claim the account as it stood ``before``, send the invitation and record what came of it.

        Raises:
            Wait: the outcome is in doubt.
            Transient: it was certainly not sent.
            LedgerConflict: the account is not as it stood before, nothing was sent.

        """
        probing = await self._pacer.permit(self._limits.lease)
        claim = await self._claim(before, opening, record)
        await self._show_latest(record.request_id, claim)
        try:
            self._check_fence(claim)
            invited = await self._graph.invite(invitation)
        except InvitationRefused as error:
            refusal = error.refusal
            forbidden = refusal.status == FORBIDDEN
            if forbidden or probing:  # a refusal of the request's own values says no more than that Graph answers
                await self._pacer.record(failed=forbidden, probing=probing)
            await self._conclude(claim, lambda row: outcome.refused(row, refusal, self._clock()))
        except OutcomeUnknown as error:
            reason = error.reason
            if not await self._pacer.throttled(error.retry_after, reason):  # what makes all wait needs no brake
                await self._pacer.record(failed=True, probing=probing)
            await self._conclude(claim, lambda row: outcome.in_doubt(row, reason, self._clock()))
            raise Wait(max(error.retry_after or 0.0, SHORTEST_WAIT), reason) from error
        except Transient as error:
            reason = str(error)
            await self._conclude(claim, lambda row: outcome.not_sent(row, reason, self._clock()))
            raise
        else:
            await self._conclude(claim, lambda row: outcome.invited(row, invited, self._clock()))
            await self._pacer.record(failed=False, probing=probing)

    async def finish(self, change: Change[Conversion], *request_ids: str) -> None:
        """Write where the conversion came to, and show it on every request that belongs to it.

        Raises:
            Transient: storage did not answer; the sweep completes what was begun.
            LedgerConflict: the row was written meanwhile.

        """
        conversion = await self._ledger.save(change, *request_ids)
        await self.show_members(conversion)

    async def show_members(self, conversion: Conversion) -> None:
        """Bring the rows of all requests that belong to a conversion up to its stage.

        Raises:
            Transient: storage did not answer.

        """
        for request_id in await self._ledger.members(conversion):
            await self._show_latest(request_id, conversion)

    async def show(self, record: RequestRecord, conversion: Conversion) -> None:
        """Bring a request's row up to the stage of its conversion.

        Raises:
            Transient: storage did not answer.
            LedgerConflict: the row was written meanwhile.

        """
        if may_show(record, conversion):
            change = advance_request(record, conversion.stage, self._clock(), **mirrored(conversion))
            await self._ledger.requests.write(change)

    async def _show_latest(self, request_id: str, conversion: Conversion) -> None:
        for _ in range(RACES):
            record = await self._ledger.requests.get(request_id)
            if record is None:
                return
            with suppress(LedgerConflict):
                await self.show(record, conversion)
                return

    def _check_fence(self, claim: Conversion) -> None:
        """A process that slept between claim and call may find that others have settled and sent meanwhile.

        Raises:
            Transient: it is too late to send under this claim.

        """
        if claim.intent_at is not None and self._clock() - claim.intent_at > FENCE:
            raise Transient("the app", "too much time has passed between the claim and the call")

    async def _claim(self, before: Conversion | None, opening: Conversion, record: RequestRecord) -> Conversion:
        """Write the intent over the very row that the decision was made from. Whoever succeeds may send."""
        user_id, now = opening.user_id, self._clock()
        key = address_key(opening.invited_user_email_address)
        held = await self._ledger.reservation(key)
        if held is None or held.user_id != user_id:
            await self._check_holder(held, key, now)
            await self._ledger.reserve(key, user_id, held, now)
        await self._ledger.due.add(user_id, now)
        intent: dict[str, Any] = {
            "attempt_id": self._new_id(),
            "intent_at": now,
            "lease_until": now + self._limits.lease,
        }
        if before is not None and before.stage is Stage.INVITING:
            untouched = before.intent_at is None
            intent |= {
                "request_id": opening.request_id,
                "invited_user_email_address": opening.invited_user_email_address,
                "verdict": opening.verdict,
                "findings": opening.findings,
                "assessed_at": opening.assessed_at,
                "assessed_as": opening.assessed_as,
                "silent": opening.silent and (untouched or before.silent),
            }
            change = advance(before, Stage.INVITING, now, "again", attempts=before.attempts + 1, **intent)
        else:
            change = start(before, replace(opening, stage=Stage.INVITING, attempts=1, **intent), now)
        return await self._ledger.save(change, record.request_id)

    async def _check_holder(self, held: Reservation | None, key: str, now: datetime) -> None:
        """Leave an address to the account that is being converted with it, or is about to be.

        Raises:
            LedgerConflict: the decision has to be made anew, with the holder in view.

        """
        if held is None:
            return
        holder = await self._ledger.conversions.get(held.user_id)
        same = holder is not None and address_key(holder.invited_user_email_address) == key
        if now - held.since < self._limits.lease or (holder is not None and same and holder.stage in ACTIVE):
            raise LedgerConflict(f"the address is reserved for {held.user_id}")

    async def _conclude(self, claim: Conversion, ended: Callable[[Conversion], Change[Conversion]]) -> None:
        """Write the outcome of the claim's call. Others may join meanwhile, which touches the row but not the claim."""
        row = claim
        for _ in range(RACES):
            try:
                return await self.finish(ended(row))
            except LedgerConflict:
                latest = await self._ledger.conversions.get(claim.user_id)
                if latest is None or latest.attempt_id != claim.attempt_id or latest.stage is not Stage.INVITING:
                    raise
                row = latest
        raise LedgerConflict(f"conversion {claim.user_id}")

    async def _read(self, user_id: str) -> Account | None:
        answer = await self._directory.read({Fact.ACCOUNT: InvitedUser(id=user_id)})
        accounts = answer[Fact.ACCOUNT]
        return None if isinstance(accounts, NotThere) else accounts[0]
