"""Chooses which call is carried out next: at random by a seed, or in order with given preemptions and one kill."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from tests.simulation.world import Activity, Pending


@dataclass
class Schedule:
    """Chooses the next call. Without a seed, the activity that ran last goes on if it can."""

    seed: int | None = None
    preempt: frozenset[int] = frozenset()
    """Numbers of the calls before which another activity takes over and runs for as long as it can."""
    kill: int = 0
    """Number of the call after whose effect its process dies; 0 if no process dies."""
    begin: int = 0
    """The number of steps after which calls are counted, until all activities that began then have ended."""
    current: Activity | None = None
    count: int = 0
    counting: bool = False
    changing: list[int] = field(default_factory=list)
    """The numbers of the calls that change something."""
    random: Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311  a schedule, not a secret

    def next(self, ready: Sequence[Pending], startable: int) -> Pending | None:
        """Return the call to carry out next; None if something new is to begin instead."""
        if self.seed is not None:
            return self._by_chance(ready, startable)
        mine = next((each for each in ready if each.activity is self.current), None)
        preempted = self.counting and mine is not None and self.count + 1 in self.preempt
        if preempted or mine is None:
            others = [each for each in ready if each.activity is not self.current]
            if startable and not others:
                return None  # the new activity has a call ready the next time, and goes on then
            mine = others[0] if others else mine
        if mine is None:
            return None
        self.current = mine.activity
        if self.counting:
            self.count += 1
            if mine.call.changes:
                self.changing.append(self.count)
            if self.count == self.kill:
                mine.outcome = "kill after"
        return mine

    def _by_chance(self, ready: Sequence[Pending], startable: int) -> Pending | None:
        if startable and (not ready or self.random.random() < 0.3):
            return None
        if self.current is not None and self.random.random() < 0.6:
            for each in ready:
                if each.activity is self.current:
                    return each
        chosen = ready[int(self.random.random() * len(ready))]
        self.current = chosen.activity
        return chosen
