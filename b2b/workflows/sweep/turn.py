"""The turn of one part in one run of the sweep: its remaining budget, and what it has done."""

from datetime import datetime

from b2b.domain.errors import Transient
from b2b.domain.sweep import Budget, Census, Part, PartReport
from b2b.workflows.ports import Monotonic

MOST_TROUBLE = 3
"""Failures of a service that end a turn; fewer are only counted."""


class Turn:
    """Keeps a part's budget and counts what it did. The counts hold at any time, because a part may be cut off."""

    def __init__(self, part: Part, budget: Budget, monotonic: Monotonic) -> None:
        """Start the turn's time now."""
        self.part, self._budget, self._monotonic = part, budget, monotonic
        self._began = monotonic()
        self._done = self._changed = self._left = self._unreadable = self._problems = self._trouble = 0
        self._oldest: datetime | None = None
        self.waiting_since: datetime | None = None
        """When the oldest request that the app still works on arrived. None if this part found none."""
        self.census: Census | None = None
        """The census of the round that ended with this turn. None if no round ended."""
        self._notes: list[str] = []

    @property
    def room(self) -> int:
        """How many more items may be started; 0 when the time is over."""
        return max(self._budget.items - self._done, 0) if self.within(1.0) else 0

    @property
    def halfway(self) -> float:
        """The share of the time, 0 to 1, that will be over when half of the time that is left now is over."""
        return (1.0 + (self._monotonic() - self._began) / self._budget.seconds) / 2

    def within(self, share: float) -> bool:
        """Tell whether less than a share (0 to 1) of the time is over."""
        return self._monotonic() - self._began < self._budget.seconds * share

    def did(self, number: int = 1, *, changed: int | bool = 0) -> None:
        """Count items that were handled, and how many of them were changed."""
        self._done += number
        self._changed += int(changed)

    def passed_over(self, number: int = 1) -> None:
        """Count rows that this version of the app cannot read."""
        self._unreadable += number

    def met_problem(self, number: int = 1) -> None:
        """Count items that could not be handled."""
        self._problems += number

    def failed(self, error: Transient, number: int = 1) -> None:
        """Count items that could not be handled because a service failed.

        Raises:
            Transient: ``error`` itself, if services failed `MOST_TROUBLE` times in this turn.

        """
        self._trouble += 1
        if self._trouble == MOST_TROUBLE:
            raise error
        self._problems += number

    def leaves(self, number: int, oldest: datetime | None) -> None:
        """Report items that are due and were not reached. The highest number and the oldest time count."""
        self._left = max(self._left, number)
        times = [moment for moment in (self._oldest, oldest) if moment is not None]
        self._oldest = min(times, default=None)

    def says(self, note: str) -> None:
        """Add a note to the report."""
        self._notes.append(note)

    def report(self) -> PartReport:
        """Return what this part has done so far."""
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
