"""The parts of the sweep, the budget of each for one run, and the reports about a run.

The budgets and overruns of all parts together stay below the host's ``functionTimeout``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from b2b.domain.campaign.runs import PART


class Part(StrEnum):
    """The parts of the sweep, in the order in which the timer runs them."""

    DRAIN = "drain"
    REPAIR = "repair"
    PUBLISH = "publish"
    FOLLOW = "follow"
    VERIFY = "verify"
    PURGE = "purge"


@dataclass(frozen=True)
class Budget:
    """How much one part may do in one run. Once either limit is reached, it begins nothing new."""

    items: int
    seconds: float


OVERRUN = 25.0
"""Seconds that a part may take after its budget to finish what it has begun. Then it is cancelled."""
CLOSING = 10.0
"""Seconds for storing the report, and the same for recording the metrics."""
MOST_COUNTED = 1_000
"""Of the entries that a part did not reach, at most this many are counted: one page of a list."""
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
    """The budgets of all parts of the sweep, and the size of one part of a campaign's run."""

    budgets: Mapping[Part, Budget] = field(default_factory=lambda: BUDGETS)
    page_worth: int = 20
    """How many accounts can be read by id at the cost of one page of Graph's list of pending accounts."""
    members: int = PART
    """Members in one part of a campaign's run."""

    def page_limit(self, by_id: int) -> int:
        """Return the most pages of the list that cost no more than reading ``by_id`` accounts; may be 0."""
        return by_id // self.page_worth


@dataclass(frozen=True)
class PartReport:
    """What one part did in one run, and what it did not reach."""

    part: Part
    done: int = 0
    """How many messages, requests or accounts the part handled."""
    changed: int = 0
    """How many messages, requests or accounts the part recorded, put back, published or advanced."""
    left: int = 0
    """How many entries were due and not reached. `MOST_COUNTED` means that many or more."""
    oldest: datetime | None = field(default=None, compare=False)
    """Since when the oldest of the entries that were not reached is due."""
    unreadable: int = 0
    """How many rows the part skipped because a newer version wrote them."""
    problems: int = 0
    """How many entries the part could not handle."""
    note: str = field(default="", compare=False)
    """The method that the part used, or why it stopped."""


@dataclass(frozen=True)
class Census:
    """The open requests that repair counted in its last complete round, without those of the last minutes."""

    waiting: Mapping[str, int]
    """The number of requests for each reason to wait."""
    unreadable: int
    """The number of requests that a newer version wrote."""
    at: datetime
    """When the round ended."""


@dataclass(frozen=True)
class SweepReport:
    """What one run of the sweep did, part by part."""

    parts: tuple[PartReport, ...]
    waiting_since: datetime | None = field(default=None, compare=False)
    """When the app accepted the oldest request that it still processes; None if there is none."""
    census: Census | None = field(default=None, compare=False)
    """The census of repair, if this run completed a round of it."""

    def of(self, part: Part) -> PartReport:
        """Return the report of one part."""
        return next(report for report in self.parts if report.part is part)

    @property
    def problems(self) -> int:
        """How many entries all parts together could not handle."""
        return sum(report.problems for report in self.parts)


@dataclass(frozen=True)
class LastRun:
    """The last report of a part, and its time."""

    report: PartReport
    at: datetime


@dataclass(frozen=True)
class Reported:
    """What the ledger keeps of the sweeps: the last run of each part, and the last census."""

    runs: tuple[LastRun, ...] = ()
    census: Census | None = None


def told(run: LastRun) -> str:
    """Summarize the last run of one part in one line: handled, changed, not reached, unreadable, problems."""
    report = run.report
    since = f" since {report.oldest:%Y-%m-%d %H:%M} UTC" if report.oldest else ""
    or_more = " or more" if report.left >= MOST_COUNTED else ""
    said = [
        f"{report.done} handled, {report.changed} changed",
        f"{report.left}{or_more} not reached{since}" if report.left else "",
        f"{report.unreadable} of a newer version" if report.unreadable else "",
        f"{report.problems} problems" if report.problems else "",
        report.note,
    ]
    return f"{report.part} at {run.at:%H:%M} UTC: {', '.join(filter(None, said))}"


def counted(census: Census) -> str:
    """Summarize a census in one line: how many requests wait for each reason."""
    by_number = sorted(census.waiting.items(), key=lambda each: (-each[1], each[0]))
    said = [
        *(f"{number} {reason}" for reason, number in by_number),
        f"{census.unreadable} of a newer version" if census.unreadable else "",
    ]
    return f"{', '.join(filter(None, said)) or 'none'} at {census.at:%H:%M} UTC"
