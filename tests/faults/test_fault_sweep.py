"""Every outgoing call, every fault, before and after its effect: one invitation, no lost request, a complete history.

`make test` runs a spread of the cases; `make faults` (FAULTS=all) runs them all and prints how many there were.
"""

import os
from collections.abc import Callable

import pytest

from tests.faults.points import INVITATION_KINDS, Fault, faults_at
from tests.faults.rig import Rig
from tests.faults.scenarios import SCENARIOS
from tests.support.tally import FIGURES, Figures

ALL = os.environ.get("FAULTS") == "all"
EVERY = 1 if ALL else 29
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
    labels = list(rig.points.calls)
    mine = spread(faults_at(labels))[share::SHARES]
    met, wrong = 0, []
    for number, fault in enumerate(mine):
        problems = await play(rig, scenario, f"case-{number}", fault)
        met += rig.points.met
        if problems:
            wrong.append(f"{fault} at {labels[fault.number - 1]}: {problems}")
    record_property(FIGURES, tuple(Figures(scenario, len(labels), len(mine), met, len(wrong))))
    assert not wrong, "\n".join(wrong)


def spread(faults: list[Fault]) -> list[Fault]:
    """Take every so many-th, and what happens to invitations alone: there is little of it."""
    return [fault for number, fault in enumerate(faults) if number % EVERY == 0 or fault.kind in INVITATION_KINDS]


async def play(rig: Rig, scenario: str, name: str, fault: Fault | None) -> list[str]:
    """Play one case for an account that no other case has, and say what is wrong with its end."""
    await rig.meet(fault)
    rig.clock.advance(7200)  # pauses of the case before are over
    user_id = rig.next_account()
    try:
        requests = await SCENARIOS[scenario](rig, user_id, name)
    except AssertionError as error:
        return [str(error)]
    return rig.verdict(user_id, requests)
