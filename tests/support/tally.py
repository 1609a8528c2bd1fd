"""What the fault sweep counted, told at the end of the run, from however many workers."""

from collections.abc import Iterable
from typing import NamedTuple

FIGURES = "fault sweep"
"""The property under which a test records its figures."""


class Figures(NamedTuple):
    """Of one scenario: the calls of a plain run, the cases played, in how many the app met the failure, wrong ends.

    In the others the process was killed, or the client of a service repeated the call and got over it.
    """

    scenario: str
    calls: int
    cases: int
    met: int
    wrong: int


def told(recorded: Iterable[Iterable[object]]) -> list[str]:
    """Add up what the tests recorded, a line for each scenario and one for all."""
    figures = [Figures(*each) for each in recorded]  # type: ignore[arg-type]  # plain lists, when a worker sent them
    lines = []
    for name in sorted({each.scenario for each in figures}):
        mine = [each for each in figures if each.scenario == name]
        lines.append(f"{name}: {max(each.calls for each in mine)} calls, {_sums(mine)}")
    return [*lines, f"all: {_sums(figures)}"] if lines else []


def _sums(figures: list[Figures]) -> str:
    cases, met, wrong = (sum(column) for column in zip(*(each[2:] for each in figures), strict=True))
    return f"{cases} cases, {met} met by the app, {wrong} wrong"
