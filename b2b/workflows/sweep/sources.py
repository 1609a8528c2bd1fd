"""Select the accounts that follow reads: accounts that are due in the schedule, and news from Graph's list."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from b2b.domain.lifecycle.difference import SOONEST
from b2b.domain.readings import Entry, Followed
from b2b.workflows.ports import Clock, FollowedIndex, Ledger, Listing
from b2b.workflows.sweep.rounds import Round

LOOK = "look~"
"""Prefix of an account's key in the schedule. The object id follows."""


_MINUTE = timedelta(minutes=1)


def whole_minute(moment: datetime) -> datetime:
    """Round up to a whole minute, so that two runs that schedule the same account mostly write the same entry."""
    return (moment + _MINUTE - timedelta.resolution).replace(second=0, microsecond=0)


def is_look(entry: Entry) -> bool:
    """Tell whether an entry of the schedule is for reading an account. Other entries do not concern follow."""
    return entry.key.startswith(LOOK)


@dataclass(frozen=True)
class Segment:
    """A contiguous part of the index, in its order."""

    entries: Mapping[str, Followed]
    whole: bool
    """Whether the part reaches to the end of the index."""


class Scheduled:
    """The accounts that are due in the schedule, longest overdue first."""

    def __init__(self, due: list[Entry], known: Mapping[str, Followed], ledger: Ledger, clock: Clock) -> None:
        self._due, self._known, self._clock = due, known, clock
        self._schedule: Listing = ledger.schedule
        self._index: FollowedIndex = ledger.followed
        self._taken: list[Entry] = []

    @property
    def left(self) -> int:
        """How many entries are due and were not taken."""
        return len(self._due)

    @property
    def oldest(self) -> datetime | None:
        """Since when the oldest entry that was not taken is due; None if all were taken."""
        return self._due[0].since if self._due else None

    async def take(self, number: int) -> list[Followed]:
        """Take the next entries, and return their accounts.

        Accounts that the index does not mark as `put_off` are left out, because their entries are out of date.
        """
        keys = dict.fromkeys(entry.key for entry in self._due[:number])
        # Two concurrent runs may each have written an entry for one account. Both are taken; the account is read once.
        self._taken = [entry for entry in self._due if entry.key in keys]
        self._due = [entry for entry in self._due if entry.key not in keys]
        users = [key.removeprefix(LOOK) for key in keys]
        found = [self._known.get(user) or await self._index.get(user) for user in users]
        return [entry for entry in found if entry is not None and entry.put_off]

    async def done(self) -> None:
        """Remove the taken entries. Accounts that have to be read again already have new entries."""
        await self._schedule.remove(*self._taken)

    async def failed(self) -> None:
        """Postpone the taken entries by `SOONEST`, so that they do not block those after them."""
        later = self._clock() + SOONEST
        # Added before removed: a crash in between costs a second read. In the other order it would lose the entries.
        await self._schedule.add_all((entry.key, later) for entry in self._taken)
        await self._schedule.remove(*self._taken)

    async def end(self) -> None:
        """Do nothing, because the schedule needs no cursor."""


class Difference:
    """The accounts that Graph's list has news of, in the order of the index."""

    def __init__(self, news: list[Followed], segment: Segment, way: Round) -> None:
        self._news, self._segment, self._way = news, segment, way
        self._after = way.after

    @property
    def left(self) -> int:
        """How many accounts were not taken."""
        return len(self._news)

    @property
    def oldest(self) -> datetime | None:
        """When the round began that found the accounts; None if all were taken."""
        return self._way.began if self._news else None

    async def take(self, number: int) -> list[Followed]:
        """Take the next accounts."""
        taken, self._news = self._news[:number], self._news[number:]
        self._after = taken[-1].key
        return taken

    async def done(self) -> None:
        """Move the cursor past the taken accounts."""
        if self._news:
            await self._way.move(self._after)

    async def failed(self) -> None:
        """Move the cursor past the taken accounts. A later round reads them again."""
        await self.done()

    async def end(self) -> None:
        """If all accounts were read, move the cursor past the segment; after the last segment, to the start."""
        if not self._news:
            await self._way.move("" if self._segment.whole else list(self._segment.entries)[-1])
