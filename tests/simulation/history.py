"""A history as data: a tenant, the steps that people and callers take, and the faults of the calls in between.

Steps and faults are named by what they do and to whom, never by a position in a seed's stream of numbers: the same
history can be played against another version of the app, and printed for a person to follow.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class Ask:
    """A request as its caller writes it. ``by`` is `id`, `userPrincipalName` or `mail`.

    In a campaign's list it is a row, and ``request`` is the caller's own reference.
    """

    request: str | None
    person: str
    by: str = "id"
    dry_run: bool | None = None
    mail: bool | None = None
    """Whether Microsoft sends its mail; None leaves it to the setting."""
    address: str | None = None
    redirect: str | None = None
    broken: bool = False
    """A draft with a field that no request has: it is malformed."""


@dataclass(frozen=True)
class Step:
    """Something that happens outside the app, `at` so many seconds after the beginning."""

    at: float
    action: str
    """A name in `tests.simulation.actions.ACTIONS`."""
    subject: str = ""
    value: Any = None

    def __str__(self) -> str:
        return f"{self.action} {self.subject}".rstrip() + ("" if self.value is None else f" {_plain(self.value)}")


@dataclass(frozen=True)
class Fault:
    """What becomes of the ``nth`` call of a kind, counted among those made once ``after`` steps were taken."""

    call: str
    """Service and verb, such as `graph invite` or `tables write`."""
    subject: str
    """Such as `anna`, `conversions/anna`, `requests/r1`; `*` matches all, a trailing `*` all that begin so."""
    outcome: str
    """A name in `tests.simulation.outcomes.OUTCOMES`."""
    nth: int = 1
    after: int = 0
    seconds: float = 0.0

    def matches(self, call: str, subject: str) -> bool:
        """Tell whether a call is of the kind that is meant."""
        if call != self.call:
            return False
        if self.subject.endswith("*"):
            return subject.startswith(self.subject[:-1])
        return subject == self.subject

    def __str__(self) -> str:
        lasting = f" for {self.seconds:g} s" if self.seconds else ""
        when = f" once {self.after} steps were taken" if self.after else ""
        return f"call {self.nth} of '{self.call} {self.subject}'{when}: {self.outcome}{lasting}"


@dataclass(frozen=True)
class History:
    """Everything that decides how a run goes, apart from the app."""

    steps: tuple[Step, ...]
    faults: tuple[Fault, ...] = ()
    people: tuple[str, ...] = ("anna",)
    switches: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    known: bool = True
    """Whether the app has seen, before the first step, how this tenant shows a pending invitation."""
    schedule: int | None = None
    """Seed of the order in which calls go on; None: one activity after the other."""
    lag: int | None = None
    """Seed of how far reads lag; None: no read lags."""
    budget: int | None = None
    """Items that each part of the sweep may look after in one run; None: as many as in life."""
    lists: bool = False
    """Whether Graph's list of pending accounts is asked for as soon as one account is followed."""
    skew: float = 0.0
    """Seconds by which the clock of the second instance is ahead of the first's."""

    every: float = 600.0
    """Seconds between two runs of the timer."""

    def smaller(self) -> Iterator["History"]:
        """Give histories with one thing less, the largest cuts first."""
        half = len(self.steps) // 2
        if half > 1:
            yield replace(self, steps=self.steps[half:])
            yield replace(self, steps=self.steps[:half])
        for number in range(len(self.faults)):
            yield replace(self, faults=self.faults[:number] + self.faults[number + 1 :])
        for number in range(len(self.steps)):
            fewer = tuple(_earlier(fault, number) for fault in self.faults)
            yield replace(self, steps=self.steps[:number] + self.steps[number + 1 :], faults=fewer)
        plain: dict[str, Any] = {"schedule": None, "lag": None, "skew": 0.0, "budget": None, "lists": False}
        for name, value in plain.items():
            if getattr(self, name) != value:
                yield replace(self, **{name: value})
        for number in range(len(self.settings)):
            yield replace(self, settings=self.settings[:number] + self.settings[number + 1 :])
        for number in range(len(self.switches)):
            yield replace(self, switches=self.switches[:number] + self.switches[number + 1 :])

    def __str__(self) -> str:
        """The history as it can be pasted into the list of regressions."""
        said = (f"    {item.name}={getattr(self, item.name)!r}," for item in fields(self) if _told(self, item))
        return "History(\n" + "\n".join(said) + "\n)"


def _told(history: History, item: Any) -> bool:
    return bool(getattr(history, item.name) != item.default)


def _earlier(fault: Fault, step: int) -> Fault:
    return replace(fault, after=fault.after - 1) if fault.after > step else fault


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_plain, value))}]"
    if isinstance(value, Ask):
        said = (
            f"{item.name}={getattr(value, item.name)}"
            for item in fields(value)
            if getattr(value, item.name) != item.default
        )
        return f"({', '.join(said)})"
    return str(value)
