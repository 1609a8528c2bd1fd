"""Every outgoing call, every fault, before and after its effect: one invitation, no lost request, a complete history.

`make test` runs a spread of the cases; `make faults` (FAULTS=all) runs them all and prints how many there were.
"""

import os

import pytest

from tests.faults.points import Fault, Points, kinds_of
from tests.faults.rig import Rig
from tests.faults.scenarios import SCENARIOS
from tests.support.world import account

EVERY = 1 if os.environ.get("FAULTS") == "all" else 23
"""Of all cases every so many-th is run; a prime, so that no kind is skipped for good."""


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_no_fault_at_any_call_loses_or_repeats_anything(rig: Rig, scenario: str) -> None:
    play = SCENARIOS[scenario]
    number = 0

    async def case(fault: Fault | None) -> list[str]:
        nonlocal number
        number += 1
        await rig.stop()
        rig.points = Points(fault)
        rig.clock.advance(7200)  # pauses of the case before are over
        user_id = account(number)["id"]
        try:
            requests = await play(rig, user_id, f"case-{number}")
        except AssertionError as error:
            return [str(error)]
        return rig.verdict(user_id, requests)

    assert await case(None) == []
    assert rig.raised == []
    labels = list(rig.points.calls)
    faults = [
        Fault(point, kind, when)
        for point, label in enumerate(labels, 1)
        for kind, sides in kinds_of(label).items()
        for when in sides
    ][::EVERY]
    wrong = []
    for fault in faults:
        problems = await case(fault)
        if problems:
            wrong.append(f"{fault} at {labels[fault.number - 1]}: {problems}")
    print(f"\n{scenario}: {len(labels)} calls, {len(faults)} cases, {len(wrong)} wrong")  # noqa: T201  the figure that this test is read for
    assert not wrong, "\n".join(wrong)
