"""The rate of invitations in the whole app: a request that waits for its turn shows that, and Graph's signals lower the
rate.
"""

import logging

import httpx
import pytest

from tests.support.world import MakeWorld, World, account, tenant_of

USERS = [account(number)["id"] for number in range(3)]


async def crowd(world: MakeWorld, per_minute: str) -> World:
    return await world(tenant_of(*(account(n) for n in range(3))), B2B_INVITATIONS_PER_MINUTE=per_minute)


async def test_a_request_that_waits_for_its_turn_is_paced_with_one_message(world: MakeWorld) -> None:
    running = await crowd(world, "1")
    for number, user in enumerate(USERS):
        await running.deliver(f"r{number}", user)
    assert [running.request(f"r{number}")["stage"] for number in range(3)] == ["invited", "requested", "requested"]
    status = await running.status("r1")
    assert status["waiting"]["reason"] == "paced"
    assert running.waiting() == 2
    assert running.conversion(USERS[1]) is None


@pytest.mark.parametrize("status", [201, 429])
async def test_a_throttling_signal_of_graph_slows_later_invitations(
    world: MakeWorld, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    running = await crowd(world, "1200")

    def sign(request: httpx.Request, response: httpx.Response) -> None:
        if request.url.path.endswith("/invitations"):
            response.status_code = status
            response.headers["x-ms-throttle-limit-percentage"] = "0.93"

    running.graph.after = sign
    with caplog.at_level(logging.INFO, "b2b.workflows.rate"):
        await running.deliver("r0", USERS[0])
    slowed = [record.getMessage() for record in caplog.records if record.name == "b2b.workflows.rate"]
    assert len(slowed) == 1
    assert slowed[0].startswith("invitations slow down to ")
    assert ("429" if status == 429 else "0.93") in slowed[0]
