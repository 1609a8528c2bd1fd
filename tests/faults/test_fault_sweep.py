"""Every outgoing call, every fault, before and after its effect: one invitation, no lost request, a complete history.

`make test` runs a spread of the cases; `make faults` (FAULTS=all) runs them all and prints how many there were.
"""

import os
from collections.abc import Callable

import pytest

from tests.faults.points import Fault, Points, kinds_of
from tests.faults.rig import Rig
from tests.faults.scenarios import SCENARIOS
from tests.support.tally import FIGURES

ALL = os.environ.get("FAULTS") == "all"
EVERY = 1 if ALL else 23
"""Of all cases every so many-th is run; a prime, so that no kind is skipped for good."""
SHARES = 8 if ALL else 1
"""Among so many tests the cases of a scenario are dealt out, for as many workers as there are."""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_no_fault_at_any_call_loses_or_repeats_anything(
    rig: Rig, scenario: str, share: int, record_property: Callable[[str, object], None]
) -> None:
    assert await play(rig, scenario, "plain", None) == []
    assert rig.raised == []
    labels = list(rig.points.calls)
    mine = faults_at(labels)[::EVERY][share::SHARES]
    wrong = []
    for number, fault in enumerate(mine):
        problems = await play(rig, scenario, f"case-{number}", fault)
        if problems:
            wrong.append(f"{fault} at {labels[fault.number - 1]}: {problems}")
    record_property(FIGURES, (scenario, len(labels), len(mine), len(wrong)))
    assert not wrong, "\n".join(wrong)


def faults_at(labels: list[str]) -> list[Fault]:
    """Every kind of fault at every call, on each side of its effect."""
    return [
        Fault(point, kind, when)
        for point, label in enumerate(labels, 1)
        for kind, sides in kinds_of(label).items()
        for when in sides
    ]


async def play(rig: Rig, scenario: str, name: str, fault: Fault | None) -> list[str]:
    """Play one case for an account that no other case has, and say what is wrong with its end."""
    await rig.stop()
    rig.points = Points(fault)
    rig.clock.advance(7200)  # pauses of the case before are over
    user_id = rig.next_account()
    try:
        requests = await SCENARIOS[scenario](rig, user_id, name)
    except AssertionError as error:
        return [str(error)]
    return rig.verdict(user_id, requests)
