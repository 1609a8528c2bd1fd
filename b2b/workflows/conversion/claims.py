"""Write claims. A claim is the right to invite one account now; it is written before the call to Graph.

A claim is written over the account's row on which the decision was based. If another process has changed that row, the
claim fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from b2b.domain.conversion import again, doubts, outcome
from b2b.domain.conversion.records import Conversion, advance, begin, with_baseline
from b2b.domain.conversion.sendings import Fate, Purpose, Sending
from b2b.domain.conversion.situation import Limits
from b2b.domain.conversion.stages import Stage
from b2b.domain.lifecycle.snapshot import Moment, Snapshot
from b2b.domain.request.decision import Decision
from b2b.workflows.conversion.conversions import Conversions
from b2b.workflows.conversion.reservations import Reservations
from b2b.workflows.ports import Clock, NewId


@dataclass(frozen=True)
class Opening:
    """The input of a claim: the row of the conversion to write, and the row that it replaces."""

    before: Conversion | None
    """The account's row on which the decision was based; None if there is no row."""
    row: Conversion
    """The conversion that this request begins."""
    again: bool
    """Whether a person has seen the doubts of ``before`` and approved another invitation."""
    snapshot: Snapshot | None = None
    """What the directory grants the account now; None if this was not read."""


@dataclass(frozen=True)
class Wanted:
    """A resend or a correction that a person asked for."""

    before: Conversion
    """The account's row on which the decision was based."""
    purpose: Purpose
    address: str
    decision: Decision
    snapshots: Mapping[Moment, Snapshot] = field(default_factory=dict)
    """The snapshots that replace those of the comparison; empty if the stored ones stay."""


class Claims:
    """Reserves the address, then claims the account."""

    def __init__(
        self, conversions: Conversions, reservations: Reservations, limits: Limits, clock: Clock, new_id: NewId
    ) -> None:
        """``new_id`` creates the ids of attempts."""
        self._conversions, self._reservations = conversions, reservations
        self._limits, self._clock, self._new_id = limits, clock, new_id

    @property
    def lease(self) -> timedelta:
        """How long a claim lasts."""
        return self._limits.lease

    async def claim(self, opening: Opening, *, silent: bool) -> tuple[Conversion, datetime]:
        """Write the claim. Return it with the latest time to begin its call.

        Raises:
            AddressTaken: another account's conversion holds the address.
            MustWait: another account is about to be invited with the address.
            LedgerConflict: another process has written the row since it was read. Only that process may send.

        """
        began = self._clock()  # before the reservation, so that its duration only shortens the time for the call
        row, before = opening.row, opening.before
        await self._reservations.take(row.invited_user_email_address, row.user_id)
        until, attempt = began + self._limits.lease, self._new_id()
        if before is not None and before.stage is Stage.INVITING:
            claimed = outcome.claimed(_again(before, row), attempt, began, until, silent=silent)
            change = advance(claimed, Stage.INVITING, self._clock(), "again")
        else:
            if before is not None and opening.again:
                before = replace(before, doubts=doubts.waived(before))
            claimed = outcome.claimed(row, attempt, began, until, silent=silent)
            change = begin(before, claimed, self._clock())
        return await self._conversions.claim(change, before, opening.snapshot), began + self._limits.fence

    async def claim_mail(self, wanted: Wanted) -> tuple[tuple[Conversion, Sending], datetime]:
        """Claim a mail that a person asked for. Return the row, the attempt, and the latest time to begin its call.

        Raises:
            AddressTaken: another account's conversion holds the address.
            MustWait: another account is about to be invited with the address.
            LedgerConflict: another process has written the row since it was read; nothing may be sent.

        """
        began, before = self._clock(), wanted.before
        await self._reservations.take(wanted.address, before.user_id)
        sending = Sending(
            attempt=self._new_id(),
            purpose=wanted.purpose,
            fate=Fate.UNKNOWN,
            at=began,
            until=began + self._limits.lease,
            address=wanted.address,
            by=wanted.decision.by,
            earlier=before.invited_user_email_address if wanted.purpose is Purpose.CORRECTION else "",
            again=before.corrected,
        )
        change = again.claimed(before, sending, self._clock(), str(wanted.decision))
        kept: dict[Moment, Snapshot] = {}
        if wanted.snapshots:
            change, kept = with_baseline(change, before.access_seen_at), dict(wanted.snapshots)
        return (await self._conversions.record(change, before, kept), sending), began + self._limits.fence


def _again(before: Conversion, row: Conversion) -> Conversion:
    """Return ``before``, in the same generation, with the new leader and assessment of ``row``."""
    return replace(
        before,
        request_id=row.request_id,
        invited_user_email_address=row.invited_user_email_address,
        user_principal_name=row.user_principal_name,
        verdict=row.verdict,
        findings=row.findings,
        assessed_at=row.assessed_at,
        assessed_as=row.assessed_as,
        was_internal=row.was_internal,
        synced=row.synced,
    )
