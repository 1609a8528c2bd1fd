"""A history as data: a tenant, the steps that people and callers take, and the faults of the calls in between.

Steps and faults name an action and its subject, not a position in a stream of random numbers. So a history can be
played against another version of the app, and printed for a person to read.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class Ask:
    """A request as its caller writes it. ``by`` is `id`, `userPrincipalName` or `mail`.

    In a campaign's list it is a row, and ``request`` is the caller's reference for that row.
    """

    request: str | None
    person: str
    by: str = "id"
    dry_run: bool | None = None
    mail: bool | None = None
    """Whether Microsoft sends its mail; None if the setting decides."""
    address: str | None = None
    redirect: str | None = None
    broken: bool = False
    """Whether the request is malformed: it contains a field that requests do not have."""


@dataclass(frozen=True)
class Step:
    """An event outside the app. ``at`` is its time in seconds after the beginning."""

    at: float
    action: str
    """A name in `tests.simulation.actions.ACTIONS`."""
    subject: str = ""
    value: Any = None

    def __str__(self) -> str:
        return f"{self.action} {self.subject}".rstrip() + ("" if self.value is None else f" {_plain(self.value)}")


@dataclass(frozen=True)
class Fault:
    """The outcome of the ``nth`` call of a kind. Calls are counted once ``after`` steps have been taken."""

    call: str
    """Service and verb, for example `graph invite` or `tables write`."""
    subject: str
    """For example `anna`, `conversions/anna` or `requests/r1`. `*` matches all; a trailing `*` matches any ending."""
    outcome: str
    """A name in `tests.simulation.outcomes.OUTCOMES`."""
    nth: int = 1
    after: int = 0
    seconds: float = 0.0

    def matches(self, call: str, subject: str) -> bool:
        """Tell whether a call is of the kind that the fault names."""
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
    """Everything that determines a run, except the app itself."""

    steps: tuple[Step, ...]
    faults: tuple[Fault, ...] = ()
    people: tuple[str, ...] = ("anna",)
    switches: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    known: bool = True
    """Whether the app knows from the start if this tenant shows pending invitations."""
    schedule: int | None = None
    """Seed of the order in which calls proceed; None if one activity follows the other."""
    lag: int | None = None
    """Seed of how far reads lag; None if no read lags."""
    budget: int | None = None
    """The items that each part of the sweep may process in one run; None for the app's own limits."""
    lists: bool = False
    """Whether the sweep reads Graph's list of pending accounts even if only one account is followed."""
    skew: float = 0.0
    """By how many seconds the clock of the second instance is ahead of the clock of the first."""

    every: float = 600.0
    """Seconds between two runs of the timer."""

    def smaller(self) -> Iterator["History"]:
        """Yield smaller histories, each of which lacks one part of this one. The largest parts are cut first."""
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
        """Return the history as Python that can be pasted into the list of regressions."""
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
