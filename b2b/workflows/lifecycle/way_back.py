"""Tell what undoing a conversion would take now: the account is read, and nothing is written."""

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
    """Where an account stands, and what can be done about it."""

    conversion: Conversion
    standing: Standing
    read_at: datetime
    ways: tuple[Way, ...]


class WaysBack:
    """Answers."""

    def __init__(self, listings: Listings, assessor: Assessor, pacer: Pacer, ledger: Ledger) -> None:
        self._listings, self._assessor, self._pacer, self._ledger = listings, assessor, pacer, ledger

    async def of(self, user_id: str) -> WayBack:
        """Return the ways back of an account.

        Raises:
            RequestRefused: it has no conversion.
            UnreadableRow: a newer version wrote a row.
            MustWait: Graph asked the app to wait.
            Transient: Graph did not do its part.

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
