"""Draining the poison queue: every message is recorded, and a request that can continue is queued again a few times."""

import asyncio
import json

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import HttpRequest

from b2b.domain.hashing import digest
from b2b.domain.request.message import Resume
from b2b.domain.sweep import Part
from b2b.workflows.sweep.drain import MAX_RETURNS
from tests.support.world import MakeWorld, World, account, tenant_of

USER = account(1)["id"]
BODY = json.dumps({"requestId": "r1", "invitedUser": {"id": USER}})
POISON = "conversion-requests-poison"


async def newest(world: World) -> str:
    """Return the body of the newest message of request r1."""
    record = await world.services.ledger.requests.get("r1")
    assert record is not None
    return Resume("r1", record.token, record.due_at or world.clock()).message().decode()


@pytest.fixture
async def plain(world: MakeWorld) -> World:
    return await world(tenant_of(account(1), account(2)))


@pytest.mark.parametrize(
    ("body", "request_id", "code"),
    [
        (BODY[:-1] + ', "dequeueCount": "many"}', "r1", "UnknownField"),
        ('{"requestId": "r1", "insertionTime": "yesterday"}', "r1", "UnknownField"),
        ('{"id": "X", "popReceipt": 7}', "body-" + digest(b'{"id": "X", "popReceipt": 7}')[:48], "UnknownField"),
        ("not json", None, "NotJson"),
    ],
)
async def test_a_malformed_message_is_recorded_as_rejected(
    plain: World, body: str, request_id: str | None, code: str
) -> None:
    plain.send_to_poison(body)
    assert (await plain.services.sweep.run()).of(Part.DRAIN).changed == 1
    (row,) = plain.all_requests()
    assert (row["stage"], row["errorCode"]) == ("rejected", code)
    assert request_id is None or row["PartitionKey"] == request_id
    assert plain.waiting(POISON) == 0


async def test_a_request_in_progress_is_queued_again_a_few_times_and_then_fails(plain: World) -> None:
    await plain.api.submit(BODY.encode(), "")
    for returned in range(1, MAX_RETURNS + 1):
        plain.send_to_poison(await newest(plain))
        await plain.services.sweep.run()
        assert (plain.request("r1")["poisonReturns"], plain.waiting()) == (returned, returned + 1)
    plain.send_to_poison(await newest(plain))
    await plain.services.sweep.run()
    row = plain.request("r1")
    assert (row["stage"], row["errorCode"]) == ("failed", "gave-up")
    assert "gave up" in row["lastError"]
    history = plain.history("requests", "r1")
    assert [kind for kind in history if kind != "waits"] == [
        "requested",
        *["returned-from-poison"] * MAX_RETURNS,
        "failed",
    ]


async def test_a_message_that_is_not_the_newest_is_only_removed(plain: World) -> None:
    """If it were queued again, copies of one request would multiply."""
    await plain.api.submit(BODY.encode(), "")
    stale = await newest(plain)
    plain.send_to_poison(stale)
    await plain.services.sweep.run()
    plain.send_to_poison(stale)
    await plain.services.sweep.run()
    assert (plain.request("r1")["poisonReturns"], plain.waiting(), plain.waiting(POISON)) == (1, 2, 0)
    assert plain.history("requests", "r1")[-1] == "poison-removed"


async def test_a_poison_message_without_an_id_finds_its_request_by_the_body(plain: World) -> None:
    """The process died right after writing the row, so the poison message has only the original body."""
    body = json.dumps({"invitedUser": {"id": USER}})
    plain.faulty_storage.kill_before(lambda request: request.method == "GET" and "conversions" in request.url)
    with pytest.raises(asyncio.CancelledError):
        await plain.receive(body.encode(), "11111111-2222-4333-8444-555555555555")
    plain.services = await plain.restart()
    plain.send_to_poison(body)
    await plain.services.sweep.run()
    (row,) = plain.all_requests()
    assert (row["PartitionKey"], row["poisonReturns"]) == ("queue-11111111-2222-4333-8444-555555555555", 1)


async def test_a_copy_of_a_request_that_was_invited_is_only_removed(plain: World) -> None:
    await plain.deliver(user=USER)
    plain.send_to_poison(BODY)
    await plain.services.sweep.run()
    assert plain.request("r1")["stage"] == "invited"
    assert plain.history("requests", "r1")[-1] == "poison-removed"
    assert (plain.waiting(), plain.waiting(POISON)) == (0, 0)


async def test_a_request_that_the_app_never_recorded_is_recorded_as_failed(plain: World) -> None:
    plain.send_to_poison(BODY)
    await plain.services.sweep.run()
    row = plain.request("r1")
    assert row["stage"] == "failed"
    assert "before the app could record it" in row["lastError"]
    plain.send_to_poison(BODY)
    await plain.services.sweep.run()
    assert plain.waiting(POISON) == 0


async def test_another_body_with_a_known_id_does_not_change_the_request(plain: World) -> None:
    await plain.deliver(user=USER)
    plain.send_to_poison(json.dumps({"requestId": "r1", "invitedUser": {"id": account(2)["id"]}}))
    await plain.services.sweep.run()
    assert plain.request("r1")["stage"] == "invited"
    assert plain.history("requests", "r1")[-1] == "refused-repeat"
    assert plain.waiting(POISON) == 0


async def test_many_poison_messages_are_drained_in_one_run(plain: World) -> None:
    for number in range(70):
        plain.send_to_poison(f"nonsense {number}")
    assert (await plain.services.sweep.run()).of(Part.DRAIN).changed == 70
    assert len(plain.all_requests()) == 70


async def test_messages_drained_before_the_queue_failed_are_counted(plain: World) -> None:
    for number in range(40):
        plain.send_to_poison(f"not json {number}")
    pages: list[str] = []

    async def second_page(request: HttpRequest) -> None:
        if request.method == "GET" and "-poison/messages" in request.url:
            pages.append(request.url)
            if len(pages) > 1:
                raise ServiceRequestError("connection refused")

    plain.faulty_storage.before = second_page
    report = await plain.services.sweep.run()
    assert (report.of(Part.DRAIN).changed, report.problems) == (32, 1)


@pytest.mark.parametrize("told", [{"requestId": "r9"}, {}])
async def test_a_request_that_the_app_never_recorded_is_logged_with_its_cause(
    plain: World, told: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    plain.send_to_poison(json.dumps({**told, "invitedUser": {"id": USER}}))
    await plain.services.sweep.run()
    (row,) = plain.all_requests()
    assert f"request {row['PartitionKey']} failed: The host gave up" in caplog.text
