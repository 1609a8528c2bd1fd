"""Plays histories, shrinks a failing history, and describes it as numbered steps."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.simulation.history import History
from tests.simulation.oracles import Violation, judge
from tests.simulation.runner import Runner
from tests.simulation.schedule import Schedule


@dataclass
class Played:
    """One history and what happened in it."""

    history: History
    violations: list[Violation]
    calls: int
    hit: list[str]
    actions: list[str]
    trace: list[str] = field(default_factory=list)

    @property
    def oracles(self) -> frozenset[str]:
        """The oracles that found a violation."""
        return frozenset(each.oracle for each in self.violations)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the app's log while a history runs: formatting takes time, and other tests read the log later."""
    logger = logging.getLogger("b2b")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def play(history: History, schedule: Schedule | None = None, *, traced: bool = False) -> Played:
    """Play a history and run the oracles on its end."""
    runner = Runner(history, schedule, traced=traced)
    with _quiet():
        world = runner.play()
    violations = judge(world)
    return Played(
        history, violations, world.calls, runner.hit, [act.action for act in world.acts], list(world.trace or ())
    )


def shrink(history: History, oracle: str, tries: int = 400) -> History:
    """Shrink a history: return the smallest one found in `tries` plays that still violates this oracle."""
    changed = True
    while changed and tries > 0:
        changed = False
        for smaller in history.smaller():
            tries -= 1
            if tries <= 0:
                break
            if oracle in play(smaller).oracles:
                history, changed = smaller, True
                break
    return history


def told(history: History, oracle: str | None = None) -> str:
    """Describe a history for a reader: the planned steps, what happened, and what was wrong."""
    played = play(history, traced=True)
    planned = [f"{number}. at {step.at:g} s: {step}" for number, step in enumerate(history.steps, start=1)]
    faults = [f"   {fault}" for fault in history.faults]
    wrong = [str(each) for each in played.violations if oracle in {None, each.oracle}]
    return "\n".join(
        [
            str(history),
            "",
            "steps:",
            *planned,
            *(["faults:", *faults] if faults else []),
            "",
            "what happened:",
            *played.trace,
            "",
            "what was wrong:",
            *wrong,
        ]
    )


@dataclass
class Tally:
    """The figures of a search."""

    histories: int = 0
    calls: list[int] = field(default_factory=list)
    hit: Counter[str] = field(default_factory=Counter)
    """In how many histories each kind of fault took effect."""
    actions: Counter[str] = field(default_factory=Counter)
    failing: dict[int, Played] = field(default_factory=dict)

    def add(self, seed: int, played: Played) -> None:
        """Add one history to the figures."""
        self.histories += 1
        self.calls.append(played.calls)
        self.hit.update({hit.partition(": ")[2] for hit in played.hit})
        self.actions.update(set(played.actions))
        if played.violations:
            self.failing[seed] = played

    def merge(self, other: "Tally") -> None:
        """Add the figures of another tally."""
        self.histories += other.histories
        self.calls += other.calls
        self.hit.update(other.hit)
        self.actions.update(other.actions)
        self.failing.update(other.failing)

    @property
    def median_calls(self) -> int:
        """The number of outgoing calls of the median history."""
        return sorted(self.calls)[len(self.calls) // 2] if self.calls else 0


def search(make: Callable[[int], History], seeds: range, until: Callable[[], bool]) -> Tally:
    """Play one history for each seed, until `until` returns True."""
    tally = Tally()
    for seed in seeds:
        if until():
            break
        tally.add(seed, play(make(seed)))
    return tally
