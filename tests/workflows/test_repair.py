"""Nothing is lost: a request whose message went missing gets another one."""

import asyncio
import json

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import HttpRequest

from b2b.domain.conversion import Stage, advance
from tests.support.world import MakeWorld, World, account, tenant_of

USER = account(1)["id"]
BODY = json.dumps({"requestId": "r1", "invitedUser": {"id": USER}}).encode()


@pytest.fixture
async def plain(world: MakeWorld) -> World:
    return await world(tenant_of(account(1)))


async def test_a_request_without_progress_is_put_back_once_in_a_while(plain: World) -> None:
    await plain.services.api.submit(BODY, "")
    assert (await plain.services.sweep.run()).put_back == 0
    plain.clock.advance(31 * 60)
    assert (await plain.services.sweep.run()).put_back == 1
    assert (await plain.services.sweep.run()).put_back == 0
    assert plain.waiting() == 2
    assert plain.history("requests", "r1") == ["requested", "requeued"]


async def test_a_request_that_waits_for_a_long_time_is_not_overdue(plain: World) -> None:
    plain.services = await plain.restart(B2B_PAUSED="true")
    await plain.deliver(user=USER)
    plain.clock.advance(20 * 60)
    assert (await plain.services.sweep.run()).put_back == 0
    plain.clock.advance(30 * 60)
    assert (await plain.services.sweep.run()).put_back == 1


async def test_a_request_at_rest_leaves_the_list(plain: World) -> None:
    await plain.deliver(user=USER)
    plain.clock.advance(31 * 60)
    await plain.services.sweep.run()
    assert plain.rows("requests", "open~") == []


async def test_a_stale_intent_is_settled_by_the_message_it_gets(plain: World) -> None:
    """The process died after the claim, and its message with it."""
    plain.graph.on_invitation(before=asyncio.CancelledError())  # type: ignore[arg-type]  # as a kill
    with pytest.raises(asyncio.CancelledError):
        await plain.deliver(user=USER)
    plain.clock.advance(31 * 60)
    assert (await plain.services.sweep.run()).put_back == 1
    await plain.redeliver()
    assert plain.request("r1")["stage"] == "invited"


async def test_a_completed_conversion_whose_requests_were_not_told_tells_them(plain: World) -> None:
    """The process died between the conversion's row and the request's."""
    await plain.deliver(user=USER)
    conversion = await plain.services.ledger.conversions.get(USER)
    assert conversion is not None
    change = advance(conversion, Stage.ACCEPTED, plain.clock())
    accepted = await plain.services.ledger.save(change)
    await plain.services.ledger.save(advance(accepted, Stage.COMPLETED, plain.clock(), completed_at=plain.clock()))
    assert plain.request("r1")["stage"] == "invited"
    await plain.services.sweep.run()
    assert plain.request("r1")["stage"] == "completed"


async def test_one_request_that_cannot_be_put_back_does_not_keep_the_others_waiting(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1), account(2)))
    for request_id, number in (("a1", 1), ("b2", 2)):
        told = {"requestId": request_id, "invitedUser": {"id": account(number)["id"]}}
        await running.services.api.submit(json.dumps(told).encode(), "")

    async def refused(request: HttpRequest) -> None:
        if request.method == "POST" and "/messages" in request.url and b"a1" in (request.body or b""):
            raise ServiceRequestError("connection refused")

    running.room.before = refused
    running.clock.advance(31 * 60)
    assert (await running.services.sweep.run()).put_back == 1
    assert running.history("requests", "b2") == ["requested", "requeued"]
