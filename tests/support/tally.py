"""What the fault sweep counted, told at the end of the run, from however many workers."""

from collections import defaultdict
from collections.abc import Iterable

FIGURES = "fault sweep"
"""The property under which a test records scenario, calls, cases and wrong ones."""


def told(recorded: Iterable[tuple[str, int, int, int]]) -> list[str]:
    """Add up what the tests recorded, a line for each scenario and one for all."""
    calls: dict[str, int] = {}
    cases: defaultdict[str, int] = defaultdict(int)
    wrong: defaultdict[str, int] = defaultdict(int)
    for scenario, points, ran, failed in recorded:
        calls[scenario] = max(points, calls.get(scenario, 0))
        cases[scenario] += ran
        wrong[scenario] += failed
    lines = [f"{name}: {calls[name]} calls, {cases[name]} cases, {wrong[name]} wrong" for name in sorted(calls)]
    return [*lines, f"all: {sum(cases.values())} cases, {sum(wrong.values())} wrong"] if lines else []
