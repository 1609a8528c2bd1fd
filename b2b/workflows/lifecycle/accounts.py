"""Show the access of an account that has redeemed, and carry out decisions about it."""

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
    """What the directory granted an account before its invitation and after its redemption, with the differences."""

    conversion: Conversion
    before: Snapshot | None
    after: Snapshot | None
    differences: tuple[Difference, ...]


class Accounts:
    """Shows an account's access, and carries out decisions about it."""

    def __init__(
        self, listings: Listings, conversions: Conversions, ledger: Ledger, clock: Clock, *, compares: bool
    ) -> None:
        """``compares``: whether the settings let the app compare."""
        self._listings, self._conversions, self._ledger = listings, conversions, ledger
        self._clock, self._compares = clock, compares

    async def access(self, user_id: str) -> Access:
        """Return the stored snapshots of an account, and their differences.

        Raises:
            RequestRefused: the account has no conversion.
            UnreadableRow: a newer version wrote the row of the account or a snapshot.

        """
        row = await self._listings.conversion(user_id)
        before = await self._ledger.snapshot(row.user_id, row.baseline, Moment.BEFORE) if row.baseline else None
        after = await self._ledger.snapshot(row.user_id, row.generation, Moment.AFTER)
        return Access(row, before, after, compare(before, after) if before and after else ())

    async def accept(self, user_id: str, decision: Decision) -> Conversion:
        """Complete an unverified conversion. The decision accepts its findings as they were shown.

        Raises:
            RequestRefused: the conversion is not `unverified`.
            LedgerConflict: the conversion has changed in the meantime; the caller must read it again.

        """
        return await self._decided(user_id, lambda row: accepted_by(row, str(decision), self._clock()))

    async def compare_anew(self, user_id: str, decision: Decision) -> Conversion:
        """Compare an account again, after someone has repaired a difference.

        Raises:
            RequestRefused: the conversion is not `unverified`, or comparison is off.
            LedgerConflict: the conversion has changed in the meantime; the caller must read it again.

        """
        if not self._compares:
            raise RequestRefused("ComparisonOff", "B2B_COMPARE_ACCESS is false: nothing would be compared.")
        return await self._decided(user_id, lambda row: compared_anew(row, str(decision), self._clock()))

    async def _decided(self, user_id: str, decide: Callable[[Conversion], Change[Conversion]]) -> Conversion:
        row = await self._listings.conversion(user_id)
        if row.stage is not Stage.UNVERIFIED:
            said = f"The conversion is {row.stage}; only an unverified one can be accepted or compared again."
            raise RequestRefused("NotUnverified", said)
        change = decide(row)
        if change.row.stage is Stage.ACCEPTED:  # the list first: if only the row were written, no sweep would compare
            await self._ledger.comparisons.add(row.user_id, self._clock())
        return await self._conversions.save(change)
