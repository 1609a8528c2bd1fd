"""The figures of the fault sweep, collected from all workers and printed at the end of the run."""

from collections.abc import Iterable
from typing import NamedTuple

FIGURES = "fault sweep"
"""The name of the property in which a test records its figures."""


class Figures(NamedTuple):
    """The figures of one scenario: calls of a run without faults, cases played, failures that the app saw, bad ends.

    In the cases whose failure the app did not see, the process was killed, or a client repeated the call with success.
    """

    scenario: str
    calls: int
    cases: int
    met: int
    wrong: int


def told(recorded: Iterable[Iterable[object]]) -> list[str]:
    """Return a line for each scenario and one for all, from the figures that the tests recorded."""
    figures = [Figures(*each) for each in recorded]  # type: ignore[arg-type]  # a worker sends plain lists
    lines = []
    for name in sorted({each.scenario for each in figures}):
        mine = [each for each in figures if each.scenario == name]
        lines.append(f"{name}: {max(each.calls for each in mine)} calls, {_sums(mine)}")
    return [*lines, f"all: {_sums(figures)}"] if lines else []


def _sums(figures: list[Figures]) -> str:
    cases, met, wrong = (sum(column) for column in zip(*(each[2:] for each in figures), strict=True))
    return f"{cases} cases, {met} met by the app, {wrong} wrong"
