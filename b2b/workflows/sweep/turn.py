"""One part's turn in one run: what it may still spend, and what came of it."""

from datetime import datetime

from b2b.domain.errors import Transient
from b2b.domain.sweep import Budget, Census, Part, PartReport
from b2b.workflows.ports import Monotonic

MOST_TROUBLE = 3
"""Failures of a service after which a turn ends; a few are tolerated."""


class Turn:
    """Counts down a part's budget, and counts what it did. It counts as it goes: a turn may be cut off at any time."""

    def __init__(self, part: Part, budget: Budget, monotonic: Monotonic) -> None:
        """Begin now."""
        self.part, self._budget, self._monotonic = part, budget, monotonic
        self._began = monotonic()
        self._done = self._changed = self._left = self._unreadable = self._problems = self._trouble = 0
        self._oldest: datetime | None = None
        self.waiting_since: datetime | None = None
        """When the oldest request came in of those that the service works on, as far as this part found out."""
        self.census: Census | None = None
        """What a round counted that ended with this turn."""
        self._notes: list[str] = []

    @property
    def room(self) -> int:
        """How many items may still be begun; 0 once the time is over."""
        return max(self._budget.items - self._done, 0) if self.within(1.0) else 0

    @property
    def halfway(self) -> float:
        """The share of the time that is over when half of what is left now is over."""
        return (1.0 + (self._monotonic() - self._began) / self._budget.seconds) / 2

    def within(self, share: float) -> bool:
        """Tell whether less than this share of the time is over."""
        return self._monotonic() - self._began < self._budget.seconds * share

    def did(self, number: int = 1, *, changed: int | bool = 0) -> None:
        """Count items that were looked after, and those of them for which something changed."""
        self._done += number
        self._changed += int(changed)

    def passed_over(self, number: int = 1) -> None:
        """Count rows that this version cannot read."""
        self._unreadable += number

    def met_problem(self, number: int = 1) -> None:
        """Count items that could not be looked after."""
        self._problems += number

    def failed(self, error: Transient, number: int = 1) -> None:
        """Count items that a service's trouble kept from being looked after.

        Raises:
            Transient: this one, where it is one too many.

        """
        self._trouble += 1
        if self._trouble == MOST_TROUBLE:
            raise error
        self._problems += number

    def leaves(self, number: int, oldest: datetime | None) -> None:
        """Say what is due and not reached; the greater number and the older time count."""
        self._left = max(self._left, number)
        times = [moment for moment in (self._oldest, oldest) if moment is not None]
        self._oldest = min(times, default=None)

    def says(self, note: str) -> None:
        """Add a note for the report."""
        self._notes.append(note)

    def report(self) -> PartReport:
        """Return what this part of the sweep has done so far."""
        return PartReport(
            part=self.part,
            done=self._done,
            changed=self._changed,
            left=self._left,
            oldest=self._oldest if self._left else None,
            unreadable=self._unreadable,
            problems=self._problems,
            note="; ".join(self._notes),
        )
