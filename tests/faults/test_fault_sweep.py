"""Play every fault at every outgoing call, before and after its effect.

Each case must end with one invitation, no lost request and a complete history. SDKs, HTTP and storage are real. The
faults are spread over the tenants. `make test` runs a sample of the cases; `make faults` (FAULTS=all) runs all of them
and prints how many there were.
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
"""The step by which a tenant's cases are sampled: 1 runs all. 59 is a prime, so that no kind of fault is always
skipped."""


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
        problems = await struck(rig, scenario, f"case-{number}", fault)
        met += rig.points.met
        if problems:
            wrong.append(f"{fault}: {problems}")
    record_property(FIGURES, tuple(Figures(scenario, len(calls), len(mine), met, len(wrong))))
    assert not wrong, "\n".join(wrong)


def in_turn(points: Iterable[Point], tenant: int) -> list[Fault]:
    """Return the faults for one tenant: at each call every seventh fault, shifted by one from call to call."""
    found = [faults_at([point]) for point in points]
    return [
        fault
        for call, faults in enumerate(found)
        for kind, fault in enumerate(faults)
        if (call + kind) % len(TENANTS) == tenant
    ]


def spread(faults: list[Fault]) -> list[Fault]:
    """Return a sample of the faults, and all faults that only invitations can have, because these are few."""
    return [fault for number, fault in enumerate(faults) if number % EVERY == 0 or fault.kind in INVITATION_KINDS]


async def struck(rig: FaultRig, scenario: str, name: str, fault: Fault) -> list[str]:
    """Play one case until its fault takes place, three times at most, and return what is wrong at the end.

    Which lines of a list share a transaction depends on time, so one run may lack a call that another one makes.
    """
    problems = list[str]()
    for again in ("", "-again", "-once-more"):
        problems = await play(rig, scenario, name + again, fault)
        if rig.points.reached:
            break
    return problems


async def play(rig: FaultRig, scenario: str, name: str, fault: Fault | None) -> list[str]:
    """Play one case for a fresh account, and return what is wrong at its end."""
    await rig.meet(fault, name)
    rig.clock.advance(7200)  # pauses of the last case are over
    user_id = rig.next_account(SCENARIOS[scenario].kind)
    try:
        requests = await SCENARIOS[scenario].play(rig, user_id, name)
    except AssertionError as error:
        return [str(error)]
    return await rig.verdict(user_id, requests)
