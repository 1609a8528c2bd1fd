"""Repair by the sweep: a request whose message was lost gets a new one; a message that is only late is not replaced."""

import asyncio
import json
from datetime import timedelta

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import HttpRequest
from azure.storage.queue import QueueServiceClient

from b2b.domain.conversion.records import advance
from b2b.domain.conversion.stages import Stage
from b2b.domain.request.message import Resume
from b2b.domain.sweep import Part
from tests.support.world import MakeWorld, World, account, tenant_of

USER = account(1)["id"]
BODY = json.dumps({"requestId": "r1", "invitedUser": {"id": USER}}).encode()
HALF_AN_HOUR = 31 * 60


@pytest.fixture
async def plain(world: MakeWorld) -> World:
    return await world(tenant_of(account(1), account(2)))


async def test_a_request_whose_message_was_lost_gets_a_new_one_once(plain: World) -> None:
    await plain.api.submit(BODY, "")
    plain.lose_messages()
    assert (await plain.services.sweep.run()).of(Part.REPAIR).changed == 0, "it is not overdue yet"
    plain.clock.advance(HALF_AN_HOUR)
    assert (await plain.services.sweep.run()).of(Part.REPAIR).changed == 1
    assert (await plain.services.sweep.run()).of(Part.REPAIR).changed == 0
    assert plain.waiting() == 1
    await plain.redeliver()
    assert plain.request("r1")["stage"] == "invited"


async def test_a_request_whose_message_is_only_late_gets_no_new_one(plain: World) -> None:
    """If the app was stopped or the queue is long, every copy would be processed."""
    await plain.api.submit(BODY, "")
    plain.clock.advance(HALF_AN_HOUR)
    assert (await plain.services.sweep.run()).of(Part.REPAIR).changed == 0
    assert plain.waiting() == 1


async def test_a_request_is_overdue_if_the_head_of_the_queue_was_due_later(plain: World) -> None:
    """The request's own message would have been received before the message at the head."""
    await plain.api.submit(BODY, "")
    plain.lose_messages()
    plain.clock.advance(2 * HALF_AN_HOUR)
    with QueueServiceClient.from_connection_string(plain.storage) as queues:
        head = Resume("r2", "t-2", plain.clock() - timedelta(minutes=5))
        queues.get_queue_client("conversion-requests").send_message(head.message().decode())
    assert (await plain.services.sweep.run()).of(Part.REPAIR).changed == 1


async def test_a_message_that_repair_has_replaced_does_nothing(plain: World) -> None:
    await plain.api.submit(BODY, "")
    before = await plain.services.ledger.requests.get("r1")
    assert before is not None
    plain.lose_messages()
    plain.clock.advance(HALF_AN_HOUR)
    await plain.services.sweep.run()
    await plain.receive(Resume("r1", before.token, plain.clock()).message())
    assert (plain.request("r1")["stage"], plain.posts()) == ("requested", [])


async def test_a_parked_request_is_not_overdue_before_its_time(plain: World) -> None:
    plain.services = await plain.restart(B2B_PAUSED="true")
    await plain.deliver(user=USER)
    plain.lose_messages()
    plain.clock.advance(20 * 60)
    assert (await plain.services.sweep.run()).of(Part.REPAIR).changed == 0
    plain.clock.advance(30 * 60)
    assert (await plain.services.sweep.run()).of(Part.REPAIR).changed == 1


async def test_a_member_gets_no_message_of_its_own(plain: World) -> None:
    await plain.deliver_in_trouble(USER)
    await plain.deliver("r2", USER)
    plain.lose_messages()
    plain.clock.advance(HALF_AN_HOUR)
    assert (await plain.services.sweep.run()).of(Part.REPAIR).changed == 1
    assert [plain.history("requests", each)[-1] for each in ("r1", "r2")] == ["waits", "inviting"]


async def test_an_invited_request_leaves_the_list_of_open_requests(plain: World) -> None:
    await plain.deliver(user=USER)
    plain.clock.advance(HALF_AN_HOUR)
    await plain.services.sweep.run()
    assert plain.rows("requests", "open~") == []


async def test_a_claim_whose_process_died_gets_a_message_that_continues_it(plain: World) -> None:
    plain.graph.on_invitation(before=asyncio.CancelledError())  # type: ignore[arg-type]  # passes every handler, as a kill
    with pytest.raises(asyncio.CancelledError):
        await plain.deliver(user=USER)
    plain.clock.advance(HALF_AN_HOUR)
    assert (await plain.services.sweep.run()).of(Part.REPAIR).changed == 1
    await plain.redeliver()
    status = await plain.status()
    assert (status["stage"], status["waiting"]["reason"]) == ("inviting", "outcome-unknown")


async def test_the_sweep_completes_requests_whose_conversion_is_completed(plain: World) -> None:
    """The process died after writing the conversion's row and before writing the request's row."""
    await plain.deliver(user=USER)
    conversion = await plain.services.ledger.conversions.get(USER)
    assert conversion is not None
    accepted = await plain.services.ledger.save(advance(conversion, Stage.ACCEPTED, plain.clock()))
    await plain.services.ledger.save(advance(accepted, Stage.COMPLETED, plain.clock()))
    assert plain.request("r1")["stage"] == "invited"
    await plain.services.sweep.run()
    assert plain.request("r1")["stage"] == "completed"


async def test_a_request_that_cannot_be_queued_does_not_block_the_others(plain: World) -> None:
    for request_id, number in (("unlucky", 1), ("waiting", 2)):
        told = {"requestId": request_id, "invitedUser": {"id": account(number)["id"]}}
        await plain.api.submit(json.dumps(told).encode(), "")
    plain.lose_messages()

    async def refused(request: HttpRequest) -> None:
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        if request.method == "POST" and "/messages" in request.url and b"unlucky" in body:
            raise ServiceRequestError("connection refused")

    plain.faulty_storage.before = refused
    plain.clock.advance(HALF_AN_HOUR)
    assert (await plain.services.sweep.run()).of(Part.REPAIR).changed == 1
    assert plain.history("requests", "waiting") == ["requested", "waits"]
