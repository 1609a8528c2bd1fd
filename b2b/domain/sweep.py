"""The parts of the sweep as one table, with what each may spend in one run, and what it reports.

The times of all parts together, with what each may overrun, stay below the host's ``functionTimeout``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from b2b.domain.campaign.runs import PART


class Part(StrEnum):
    """What the timer does, in this order."""

    DRAIN = "drain"
    REPAIR = "repair"
    PUBLISH = "publish"
    FOLLOW = "follow"
    VERIFY = "verify"
    PURGE = "purge"


@dataclass(frozen=True)
class Budget:
    """What one part may spend in one run. It begins nothing new once either is used up."""

    items: int
    seconds: float


OVERRUN = 25.0
"""Seconds that a part may take to end what it has begun. Then it is cut off, as if the process had died."""
CLOSING = 10.0
"""Seconds for keeping the report, and as many for measuring."""
MOST_COUNTED = 1_000
"""Entries that are counted of what a part leaves: one page of a list."""
BUDGETS: Mapping[Part, Budget] = {
    Part.DRAIN: Budget(500, 40.0),
    Part.REPAIR: Budget(10_000, 80.0),
    Part.PUBLISH: Budget(2_000, 40.0),
    Part.FOLLOW: Budget(4_000, 160.0),
    Part.VERIFY: Budget(2_000, 40.0),
    Part.PURGE: Budget(2_000, 30.0),
}


@dataclass(frozen=True)
class Allowance:
    """What all parts of the sweep may spend, and how much one part of a campaign's run takes on."""

    budgets: Mapping[Part, Budget] = field(default_factory=lambda: BUDGETS)
    page_worth: int = 20
    """Accounts whose reading by id costs as much as a page of Graph's list of pending ones: a batch of them."""
    members: int = PART
    """Members in one part of a run."""

    def page_limit(self, by_id: int) -> int:
        """Return after how many pages the list costs more than reading so many accounts; 0: ask for no list."""
        return by_id // self.page_worth


@dataclass(frozen=True)
class PartReport:
    """What one part did in one run, and what it left."""

    part: Part
    done: int = 0
    """Messages, requests or accounts that it looked after."""
    changed: int = 0
    """Those of them that were recorded, put back, published or moved on."""
    left: int = 0
    """What was due and not reached: all of it up to `MOST_COUNTED`, and that many at least where there is more."""
    oldest: datetime | None = field(default=None, compare=False)
    """Since when the oldest of those waits to be reached."""
    unreadable: int = 0
    """Rows that a newer version wrote, and that were passed over."""
    problems: int = 0
    note: str = field(default="", compare=False)
    """By which way it went, or why it stopped."""


@dataclass(frozen=True)
class Census:
    """What repair counted among the open requests in its last whole round. It passes over those of the last minutes."""

    waiting: Mapping[str, int]
    """Requests by the reason of their wait."""
    unreadable: int
    """Requests that a newer version wrote."""
    at: datetime
    """When the round ended."""


@dataclass(frozen=True)
class SweepReport:
    """What one run of the timer did, part by part."""

    parts: tuple[PartReport, ...]
    waiting_since: datetime | None = field(default=None, compare=False)
    """When the oldest request came in of those that the service still works on."""
    census: Census | None = field(default=None, compare=False)
    """What a round of repair counted that this run brought to its end."""

    def of(self, part: Part) -> PartReport:
        """Return the report of one part."""
        return next(report for report in self.parts if report.part is part)

    @property
    def problems(self) -> int:
        """What could not be looked after in all parts."""
        return sum(report.problems for report in self.parts)


@dataclass(frozen=True)
class LastRun:
    """What a part reported last, and when."""

    report: PartReport
    at: datetime


@dataclass(frozen=True)
class Reported:
    """What is kept of the sweeps: of each part its last run, and the last census."""

    runs: tuple[LastRun, ...] = ()
    census: Census | None = None


def told(run: LastRun) -> str:
    """Say in one line what a part did last, and what it left."""
    report = run.report
    since = f" since {report.oldest:%Y-%m-%d %H:%M} UTC" if report.oldest else ""
    or_more = " or more" if report.left >= MOST_COUNTED else ""
    said = [
        f"{report.done} looked after, {report.changed} changed",
        f"{report.left}{or_more} left{since}" if report.left else "",
        f"{report.unreadable} of a newer version" if report.unreadable else "",
        f"{report.problems} problems" if report.problems else "",
        report.note,
    ]
    return f"{report.part} at {run.at:%H:%M} UTC: {', '.join(filter(None, said))}"


def counted(census: Census) -> str:
    """Say in one line how many requests wait, and why."""
    by_number = sorted(census.waiting.items(), key=lambda each: (-each[1], each[0]))
    said = [
        *(f"{number} {reason}" for reason, number in by_number),
        f"{census.unreadable} of a newer version" if census.unreadable else "",
    ]
    return f"{', '.join(filter(None, said)) or 'none'} at {census.at:%H:%M} UTC"
