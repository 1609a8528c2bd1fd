"""Read an account and return the ways to undo its conversion now. This workflow writes nothing about the account."""

from dataclasses import dataclass
from datetime import datetime

from b2b.domain.conversion.records import Conversion
from b2b.domain.errors import Transient
from b2b.domain.lifecycle.snapshot import Moment
from b2b.domain.lifecycle.way_back import Facts, Standing, Way, standing_of, ways_back
from b2b.workflows.conversion.assess import Assessor
from b2b.workflows.listings import Listings
from b2b.workflows.pacing import Pacer
from b2b.workflows.ports import Ledger


@dataclass(frozen=True)
class WayBack:
    """The state of an account, and the ways to undo its conversion."""

    conversion: Conversion
    standing: Standing
    read_at: datetime
    ways: tuple[Way, ...]


class WaysBack:
    """Finds the ways to undo a conversion."""

    def __init__(self, listings: Listings, assessor: Assessor, pacer: Pacer, ledger: Ledger) -> None:
        self._listings, self._assessor, self._pacer, self._ledger = listings, assessor, pacer, ledger

    async def of(self, user_id: str) -> WayBack:
        """Return the state of an account as it is read now, and the ways to undo its conversion.

        Raises:
            RequestRefused: the account has no conversion.
            UnreadableRow: a newer version wrote the row of the account or its snapshot.
            MustWait: Graph asked the app to wait. Try again after that time.
            Transient: Graph did not answer, or answered with a temporary error.

        """
        row = await self._listings.conversion(user_id)
        await self._pacer.admit()
        try:
            sighting = await self._assessor.sight(row.user_id)
        except Transient as error:
            await self._pacer.heed(error)
            raise
        before = await self._ledger.snapshot(row.user_id, row.baseline, Moment.BEFORE) if row.baseline else None
        standing = standing_of(row, sighting)
        synced = sighting.account.synced if sighting.account is not None else row.synced
        return WayBack(row, standing, sighting.at, ways_back(standing, Facts(row, synced, before)))
