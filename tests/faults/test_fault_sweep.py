"""Every outgoing call, every fault, before and after its effect: one invitation, no lost request, a complete history.

The SDKs, the wire and storage are real here. Each fault is met in one of the tenants, by turns. `make test` runs a
spread of the cases; `make faults` (FAULTS=all) runs them all and prints how many there were.
"""

import os
from collections.abc import Callable, Iterable

import pytest

from tests.faults.points import INVITATION_KINDS, Fault, Point, faults_at
from tests.faults.rig import FaultRig
from tests.faults.scenarios import SCENARIOS
from tests.faults.tenants import TENANTS
from tests.support.tally import FIGURES, Figures

ALL = os.environ.get("FAULTS") == "all"
EVERY = 1 if ALL else 59
"""Of a tenant's cases every so many-th is run; a prime, so that no kind is skipped for good."""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("tenant", range(len(TENANTS)), indirect=True)
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_no_fault_at_any_call_loses_or_repeats_anything(
    rig: FaultRig, scenario: str, tenant: int, record_property: Callable[[str, object], None]
) -> None:
    assert await play(rig, scenario, "plain", None) == []
    calls = SCENARIOS[scenario].points(rig)
    mine = spread(in_turn(calls, tenant))
    met, wrong = 0, []
    for number, fault in enumerate(mine):
        problems = await play(rig, scenario, f"case-{number}", fault)
        met += rig.points.met
        if problems:
            wrong.append(f"{fault}: {problems}")
    record_property(FIGURES, tuple(Figures(scenario, len(calls), len(mine), met, len(wrong))))
    assert not wrong, "\n".join(wrong)


def in_turn(points: Iterable[Point], tenant: int) -> list[Fault]:
    """Return the faults that this tenant's turn it is to meet: the first at one call, the second at the next."""
    found = [faults_at([point]) for point in points]
    return [
        fault
        for call, faults in enumerate(found)
        for kind, fault in enumerate(faults)
        if (call + kind) % len(TENANTS) == tenant
    ]


def spread(faults: list[Fault]) -> list[Fault]:
    """Take every so many-th, and what happens to invitations alone: there is little of it."""
    return [fault for number, fault in enumerate(faults) if number % EVERY == 0 or fault.kind in INVITATION_KINDS]


async def play(rig: FaultRig, scenario: str, name: str, fault: Fault | None) -> list[str]:
    """Play one case for an account that no other case has, and say what is wrong with its end."""
    await rig.meet(fault, name)
    rig.clock.advance(7200)  # pauses of the case before are over
    user_id = rig.next_account(SCENARIOS[scenario].kind)
    try:
        requests = await SCENARIOS[scenario].play(rig, user_id, name)
    except AssertionError as error:
        return [str(error)]
    return await rig.verdict(user_id, requests)
