"""Where the accounts come from that follow looks at: from the schedule, and from the difference between two lists."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from b2b.domain.lifecycle.difference import SOONEST
from b2b.domain.readings import Entry, Followed
from b2b.workflows.ports import Clock, FollowedIndex, Ledger, Listing
from b2b.workflows.sweep.rounds import Round

LOOK = "look~"
"""What the schedule says of an account that is to be looked at; its object id follows."""


_MINUTE = timedelta(minutes=1)


def whole_minute(moment: datetime) -> datetime:
    """Two runs that put the same account off write the same entry, or nearly so."""
    return (moment + _MINUTE - timedelta.resolution).replace(second=0, microsecond=0)


def is_look(entry: Entry) -> bool:
    """Tell whether a time in the schedule is one to look at an account; what else stands there is not follow's."""
    return entry.key.startswith(LOOK)


@dataclass(frozen=True)
class Segment:
    """A part of the index, in order."""

    entries: Mapping[str, Followed]
    whole: bool
    """It reaches to the end of the index."""


class Scheduled:
    """Accounts whose time has come, in the order of their times."""

    def __init__(self, due: list[Entry], known: Mapping[str, Followed], ledger: Ledger, clock: Clock) -> None:
        self._due, self._known, self._clock = due, known, clock
        self._schedule: Listing = ledger.schedule
        self._index: FollowedIndex = ledger.followed
        self._taken: list[Entry] = []

    @property
    def left(self) -> int:
        """How many are due and not taken."""
        return len(self._due)

    @property
    def oldest(self) -> datetime | None:
        """Since when the oldest entry that was not taken is due. None: every entry was taken."""
        return self._due[0].since if self._due else None

    async def take(self, number: int) -> list[Followed]:
        """Take the next entries. One whose account is not put off in the index is out of date and left out."""
        keys = dict.fromkeys(entry.key for entry in self._due[:number])
        # Two runs at the same time may each have written an entry for one account: both are taken, and one follows.
        self._taken = [entry for entry in self._due if entry.key in keys]
        self._due = [entry for entry in self._due if entry.key not in keys]
        users = [key.removeprefix(LOOK) for key in keys]
        found = [self._known.get(user) or await self._index.get(user) for user in users]
        return [entry for entry in found if entry is not None and entry.put_off]

    async def done(self) -> None:
        """Remove the entries that were taken. Accounts to be read again have new entries by now."""
        await self._schedule.remove(*self._taken)

    async def failed(self) -> None:
        """Postpone the entries that were taken by some minutes, so that they do not block those behind them."""
        later = self._clock() + SOONEST
        # Added before removed: a crash in between costs a second look, in the other order it would cost the look.
        await self._schedule.add_all((entry.key, later) for entry in self._taken)
        await self._schedule.remove(*self._taken)

    async def end(self) -> None:
        """Nothing is left to remember."""


class Difference:
    """Accounts of which a list has news, in the order of the index."""

    def __init__(self, news: list[Followed], segment: Segment, way: Round) -> None:
        self._news, self._segment, self._way = news, segment, way
        self._after = way.after

    @property
    def left(self) -> int:
        """How many are known and not taken."""
        return len(self._news)

    @property
    def oldest(self) -> datetime | None:
        """When the round began that found the accounts still to be looked at. None: there are none."""
        return self._way.began if self._news else None

    async def take(self, number: int) -> list[Followed]:
        """Take the next accounts."""
        taken, self._news = self._news[:number], self._news[number:]
        self._after = taken[-1].key
        return taken

    async def done(self) -> None:
        """Go on behind them."""
        if self._news:
            await self._way.move(self._after)

    async def failed(self) -> None:
        """Go on behind them: a later round looks again."""
        await self.done()

    async def end(self) -> None:
        """Begin anew where everything was looked at."""
        if not self._news:
            await self._way.move("" if self._segment.whole else list(self._segment.entries)[-1])
