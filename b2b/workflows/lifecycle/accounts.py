"""What an administrator asks and decides about an account whose person has redeemed."""

from collections.abc import Callable
from dataclasses import dataclass

from b2b.domain.conversion.records import Change, Conversion
from b2b.domain.conversion.stages import Stage
from b2b.domain.errors import RequestRefused
from b2b.domain.lifecycle.snapshot import Difference, Moment, Snapshot, compare
from b2b.domain.lifecycle.verification import accepted_by, compared_anew
from b2b.domain.request.decision import Decision
from b2b.workflows.conversion.conversions import Conversions
from b2b.workflows.listings import Listings
from b2b.workflows.ports import Clock, Ledger


@dataclass(frozen=True)
class Access:
    """What the directory granted an account before its invitation and after its redemption, and how that differs."""

    conversion: Conversion
    before: Snapshot | None
    after: Snapshot | None
    differences: tuple[Difference, ...]


class Accounts:
    """Answers and decides."""

    def __init__(
        self, listings: Listings, conversions: Conversions, ledger: Ledger, clock: Clock, *, compares: bool
    ) -> None:
        """``compares``: the settings let the app compare."""
        self._listings, self._conversions, self._ledger = listings, conversions, ledger
        self._clock, self._compares = clock, compares

    async def access(self, user_id: str) -> Access:
        """Return what is kept of an account.

        Raises:
            RequestRefused: it has no conversion.
            UnreadableRow: a newer version wrote a row.

        """
        row = await self._listings.conversion(user_id)
        before = await self._ledger.snapshot(row.user_id, row.baseline, Moment.BEFORE) if row.baseline else None
        after = await self._ledger.snapshot(row.user_id, row.generation, Moment.AFTER)
        return Access(row, before, after, compare(before, after) if before and after else ())

    async def accept(self, user_id: str, decision: Decision) -> Conversion:
        """Complete a conversion whose account has not what it had: what was found is accepted as it was shown.

        Raises:
            RequestRefused: nobody has to decide about it.
            LedgerConflict: it moved meanwhile; look at it again.

        """
        return await self._decided(user_id, lambda row: accepted_by(row, str(decision), self._clock()))

    async def compare_anew(self, user_id: str, decision: Decision) -> Conversion:
        """Compare again, after something was mended.

        Raises:
            RequestRefused: nobody has to decide about it, or the settings let the app compare nothing.
            LedgerConflict: it moved meanwhile; look at it again.

        """
        if not self._compares:
            raise RequestRefused("ComparisonOff", "B2B_COMPARE_ACCESS is false: nothing would be compared.")
        return await self._decided(user_id, lambda row: compared_anew(row, str(decision), self._clock()))

    async def _decided(self, user_id: str, decide: Callable[[Conversion], Change[Conversion]]) -> Conversion:
        row = await self._listings.conversion(user_id)
        if row.stage is not Stage.UNVERIFIED:
            said = f"The conversion is {row.stage}; only what is unverified is accepted or compared anew."
            raise RequestRefused("NotUnverified", said)
        change = decide(row)
        if change.row.stage is Stage.ACCEPTED:  # first the list: a comparison that no sweep finds would never end
            await self._ledger.comparisons.add(row.user_id, self._clock())
        return await self._conversions.save(change)
