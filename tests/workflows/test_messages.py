"""The app's own queue messages: only the newest one of a request counts. If a process died before sending it, an older
message sends it.
"""

import asyncio
import json
from html import unescape

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import HttpRequest
from azure.storage.queue import QueueServiceClient

from b2b.domain.errors import Transient
from b2b.domain.request.message import Resume
from b2b.domain.request.record import RequestRecord
from tests.support.world import MakeWorld, World, account, tenant_of

USER = account(1)["id"]
BODY = json.dumps({"requestId": "r1", "invitedUser": {"id": USER}}).encode()


@pytest.fixture
async def paused(world: MakeWorld) -> World:
    """A world in which the app is paused, so each message that counts puts its request off again."""
    return await world(tenant_of(account(1)), B2B_PAUSED="true")


async def stored(world: World) -> RequestRecord:
    record = await world.services.ledger.requests.get("r1")
    assert record is not None
    return record


async def resume(world: World, token: str, dequeued: int = 1) -> None:
    await world.receive(Resume("r1", token, world.clock()).message(), "m9", dequeued)


def queued(world: World) -> list[dict[str, str]]:
    """Return the contents of the app's own messages on the queue."""
    with QueueServiceClient.from_connection_string(world.storage) as service:
        client = service.get_queue_client("conversion-requests")
        found = [json.loads(message.content) for message in client.receive_messages(messages_per_page=32)]
    return [message["resume"] for message in found if "resume" in message]


def no_message(request: HttpRequest) -> bool:
    return request.method == "POST" and "/messages" in request.url


async def put_off_and_killed(world: World) -> None:
    """Put the request off, and kill the process after it wrote the row but before it sent the new message."""
    world.faulty_storage.kill_before(no_message)
    with pytest.raises(asyncio.CancelledError):
        await world.redeliver()


async def test_a_message_that_is_not_the_newest_does_nothing(paused: World) -> None:
    await paused.receive(BODY)
    first = (await stored(paused)).token
    await paused.redeliver()
    before = paused.request("r1")
    await resume(paused, first)
    await resume(paused, "unknown")
    assert paused.request("r1") == before
    assert paused.waiting() == 2


async def test_a_redelivered_message_sends_the_newest_one_that_was_not_sent(paused: World) -> None:
    """So if the process dies between row and message, the request waits for the host's lease, not for repair."""
    await paused.receive(BODY)
    first = (await stored(paused)).token
    await put_off_and_killed(paused)
    before = paused.request("r1")
    paused.lose_messages()
    await resume(paused, first, dequeued=2)
    paused.clock.advance(3600)
    assert paused.request("r1") == before, "it does nothing else"
    assert paused.waiting() == 1
    await paused.redeliver()
    assert paused.waiting() == 2


async def test_an_older_message_that_is_delivered_for_the_first_time_sends_nothing(paused: World) -> None:
    """A storage client may repeat its call and so send a message twice. The other copy has then done the work."""
    await paused.receive(BODY)
    first = (await stored(paused)).token
    await put_off_and_killed(paused)
    paused.lose_messages()
    await resume(paused, first)
    assert paused.waiting() == 0


async def test_a_redelivered_callers_message_sends_the_first_own_message(paused: World) -> None:
    paused.faulty_storage.kill_before(no_message)
    with pytest.raises(asyncio.CancelledError):
        await paused.receive(BODY)
    await paused.receive(BODY)
    assert paused.waiting() == 0
    await paused.receive(BODY, dequeued=2)
    assert paused.waiting() == 1
    await paused.redeliver()
    await paused.receive(BODY, dequeued=2)
    assert paused.waiting() == 2, "an older message sends nothing again"


async def test_a_repeated_post_sends_the_message_again_until_it_was_processed(paused: World) -> None:
    paused.faulty_storage.kill_before(no_message)
    with pytest.raises(asyncio.CancelledError):
        await paused.api.submit(BODY, "")
    assert (await paused.api.submit(BODY, "")).status == 202
    assert [message["token"] for message in queued(paused)] == [(await stored(paused)).token]
    paused.lose_messages()
    await paused.redeliver()
    paused.lose_messages()
    assert (await paused.api.submit(BODY, "")).status == 202
    assert paused.waiting() == 0


@pytest.mark.parametrize("own", [False, True], ids=["a caller's", "our own"])
async def test_a_message_fails_if_its_successor_cannot_be_sent(paused: World, *, own: bool) -> None:
    """The host then delivers the failed message again.

    If the app put a copy on the queue instead, the copy would do nothing, and the request would wait for repair.
    """
    if own:
        await paused.receive(BODY)
        paused.lose_messages()
    raw = Resume("r1", (await stored(paused)).token, paused.clock()).message() if own else BODY
    up, failed = paused.faulty_storage.before, [0]

    async def down(request: HttpRequest) -> None:
        if no_message(request) and failed[0] < 3:  # including the repeats of the SDK
            failed[0] += 1
            raise ServiceRequestError("connection refused")

    paused.faulty_storage.before = down
    with pytest.raises(Transient):
        await paused.receive(raw)
    paused.faulty_storage.before = up
    assert paused.waiting() == 0
    await paused.receive(raw, dequeued=2)
    assert paused.waiting() == 1


async def test_a_message_for_an_ended_request_does_nothing(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)))
    await running.receive(BODY)
    before = running.request("r1")
    await resume(running, before.get("token", ""), dequeued=2)
    await running.receive(BODY, dequeued=2)
    assert (running.request("r1"), running.waiting(), len(running.posts())) == (before, 0, 1)


class TablesDown:
    """Lets calls to tables fail, and keeps the messages that are sent to the queue meanwhile."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def __call__(self, request: HttpRequest) -> None:
        if "/messages" in request.url:
            text = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
            self.sent.append(unescape(text.partition("<MessageText>")[2].partition("</MessageText>")[0]).encode())
        elif "/requests" in request.url or "/conversions" in request.url or "$batch" in request.url:
            raise ServiceRequestError("connection refused")


async def test_an_own_message_is_queued_again_unchanged_while_tables_are_down(paused: World) -> None:
    await paused.receive(BODY)
    paused.faulty_storage.before = down = TablesDown()
    own = Resume("r1", "t-1", paused.clock()).message()
    await paused.receive(own)
    assert down.sent == [own]


async def test_a_callers_message_is_queued_again_with_its_generated_id_while_tables_are_down(paused: World) -> None:
    """A second delivery with another message id must not become another request."""
    first, second = "11111111-2222-4333-8444-555555555555", "22222222-2222-4333-8444-555555555555"
    up, down = paused.faulty_storage.before, TablesDown()
    paused.faulty_storage.before = down
    await paused.receive(json.dumps({"invitedUser": {"id": USER}}).encode(), first)
    paused.faulty_storage.before = up
    (back,) = down.sent
    await paused.receive(back, second)
    assert [row["PartitionKey"] for row in paused.all_requests()] == [f"queue-{first}"]


@pytest.mark.parametrize("request_id", ["a/b", "a#b?c", "a\\b", "a\nb", "r" * 2000, "open~", ""])
async def test_a_message_with_an_unknown_or_invalid_request_id_does_nothing(world: MakeWorld, request_id: str) -> None:
    running = await world(tenant_of(account(1)))
    await running.receive(Resume(request_id, "t-1", running.clock()).message())
    assert running.waiting() == 0
