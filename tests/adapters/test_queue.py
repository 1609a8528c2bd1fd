"""The queues: messages arrive unchanged and when they are due; poison messages are listed and removed."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.queue import QueueClient, QueueServiceClient
from azure.storage.queue.aio import QueueServiceClient as AsyncQueueServiceClient

from b2b.adapters.queue import MAX_DELAY, Queue
from b2b.domain.errors import Transient
from b2b.domain.readings import Poisoned, PoisonMessage
from rehearsal.host.process import wait_until
from tests.adapters.sockets import closed_port

BODIES = {
    "a request": b'{"invitedUser":{"id":"0a000000-0000-4000-8000-000000000001"},"requestId":"r-1"}',
    "not ASCII": "Grüße aus Kōbe 😀, für 5 €".encode(),
    "XML": b'<QueueMessage a="1">&amp; ]]> <!-- --></QueueMessage>',
    "quotes and backslashes": rb'{"a":"\"\\\u00fc\/"}',
    "lines": b'{\n\t"a": 1\n}',
    "base64": b"eyJpbnZpdGVkVXNlciI6e319",
    "spaces at both ends": b"  {}  ",
}


@pytest.fixture
def service(storage: str) -> Iterator[QueueServiceClient]:
    with QueueServiceClient.from_connection_string(storage) as opened:
        yield opened


@pytest.fixture
def requests(service: QueueServiceClient) -> QueueClient:
    return service.get_queue_client("conversion-requests")


@pytest.fixture
def poison(service: QueueServiceClient) -> QueueClient:
    return service.get_queue_client("conversion-requests-poison")


async def listed(queue: Queue, hidden_for: float = 300, limit: int = 500) -> list[PoisonMessage]:
    return [message async for message in queue.poison(hidden_for, limit)]


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_is_sent_unchanged(queue: Queue, requests: QueueClient, name: str) -> None:
    await queue.send(BODIES[name])
    (message,) = requests.receive_messages()
    assert message.content.encode() == BODIES[name]


@pytest.mark.parametrize("name", BODIES)
async def test_the_body_of_a_poison_message_is_returned_unchanged(queue: Queue, poison: QueueClient, name: str) -> None:
    poison.send_message(BODIES[name].decode())
    assert [message.body for message in await listed(queue)] == [BODIES[name]]


async def test_a_message_waits_for_its_delay(queue: Queue, requests: QueueClient) -> None:
    began = time.monotonic()
    await queue.send(b"{}", delay=1.9)
    assert requests.peek_messages() == []
    assert requests.get_queue_properties().approximate_message_count == 1
    wait_until(requests.peek_messages, 10)
    assert time.monotonic() - began > 0.9


@pytest.mark.parametrize(("delay", "hidden"), [(-5, False), (0, False), (0.4, True), (900, True), (1e9, True)])
async def test_any_delay_is_accepted(queue: Queue, requests: QueueClient, delay: float, hidden: bool) -> None:  # noqa: FBT001
    await queue.send(b"{}", delay)
    assert requests.get_queue_properties().approximate_message_count == 1
    assert (requests.peek_messages() == []) is hidden


def test_the_longest_delay_is_just_under_seven_days() -> None:
    assert timedelta(days=7) - timedelta(seconds=MAX_DELAY) == timedelta(seconds=1)


async def test_a_message_never_expires(queue: Queue, requests: QueueClient) -> None:
    await queue.send(b"{}")
    (message,) = requests.receive_messages()
    assert message.expires_on is not None
    assert message.expires_on > datetime.now(UTC) + timedelta(days=365 * 1000)


async def test_poison_messages_are_listed_once_over_several_pages(queue: Queue, poison: QueueClient) -> None:
    for number in range(70):
        poison.send_message(str(number))
    messages = await listed(queue)
    assert sorted(int(message.body) for message in messages) == list(range(70))
    assert len({message.message_id for message in messages}) == 70
    assert await listed(queue) == []
    assert poison.get_queue_properties().approximate_message_count == 70


@pytest.mark.parametrize("limit", [1, 32, 40])
async def test_the_limit_of_poison_messages_is_kept(queue: Queue, poison: QueueClient, limit: int) -> None:
    for number in range(45):
        poison.send_message(str(number))
    assert len(await listed(queue, limit=limit)) == limit
    assert len(await listed(queue)) == 45 - limit


async def test_the_number_and_age_of_poison_messages_are_reported(queue: Queue, poison: QueueClient) -> None:
    assert await queue.poisoned() == Poisoned(0, None)
    sent = poison.send_message("{}")
    assert await queue.poisoned() == Poisoned(1, sent.inserted_on)


async def test_a_poison_message_that_was_not_removed_reappears(queue: Queue, poison: QueueClient) -> None:
    poison.send_message("{}")
    (first,) = await listed(queue, hidden_for=1)
    wait_until(poison.peek_messages, 10)
    (second,) = await listed(queue)
    assert (second.message_id, second.body) == (first.message_id, first.body)
    assert second.receipt != first.receipt


async def test_a_poison_message_is_removed(queue: Queue, poison: QueueClient) -> None:
    poison.send_message("{}")
    (message,) = await listed(queue)
    await queue.remove_poison(message)
    assert poison.get_queue_properties().approximate_message_count == 0
    await queue.remove_poison(message)


async def test_a_stale_receipt_does_not_remove_a_poison_message(queue: Queue, poison: QueueClient) -> None:
    poison.send_message("{}")
    (mine,) = await listed(queue, hidden_for=1)
    wait_until(poison.peek_messages, 10)
    (theirs,) = await listed(queue)
    await queue.remove_poison(mine)
    assert poison.get_queue_properties().approximate_message_count == 1
    await queue.remove_poison(theirs)
    assert poison.get_queue_properties().approximate_message_count == 0


async def test_a_missing_poison_queue_is_empty(queue: Queue, poison: QueueClient) -> None:
    poison.delete_queue()
    assert await listed(queue) == []


@pytest.mark.parametrize("name", ["conversion-requests", "conversion-requests-poison"])
async def test_the_check_of_the_queues_names_a_missing_queue(
    queue: Queue, service: QueueServiceClient, name: str
) -> None:
    await queue.check()
    service.delete_queue(name)
    with pytest.raises(Transient, match=f"queue storage: the queue {name} does not exist"):
        await queue.check()


async def test_sending_to_a_missing_queue_is_transient(queue: Queue, requests: QueueClient) -> None:
    requests.delete_queue()
    with pytest.raises(Transient, match="answered 404"):
        await queue.send(b"{}")


async def test_every_queue_operation_is_transient_if_storage_is_down() -> None:
    text = f"DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;QueueEndpoint={await closed_port()}/a;"
    queue = Queue(AsyncQueueServiceClient.from_connection_string(text, retry_total=0))
    for work in (
        lambda: queue.send(b"{}"),
        lambda: listed(queue),
        lambda: queue.remove_poison(PoisonMessage("1", b"{}", "receipt")),
        queue.check,
        queue.head,
        queue.poisoned,
    ):
        with pytest.raises(Transient, match="queue storage: not reached"):
            await work()
    await queue.aclose()


async def test_the_backlog_includes_hidden_messages_and_the_oldest_visible_one(
    queue: Queue, requests: QueueClient, poison: QueueClient
) -> None:
    requests.send_message("hidden", visibility_timeout=600)
    first = requests.send_message("visible")
    requests.send_message("visible")
    poison.send_message("given up")
    backlog = await queue.backlog()
    assert backlog.depth == {"conversion-requests": 3, "conversion-requests-poison": 1}
    assert backlog.oldest == first.inserted_on


async def test_an_empty_backlog_has_no_oldest(queue: Queue) -> None:
    backlog = await queue.backlog()
    assert set(backlog.depth.values()) == {0}
    assert backlog.oldest is None


async def test_reading_the_backlog_of_a_missing_queue_fails_with_its_name(queue: Queue, requests: QueueClient) -> None:
    requests.delete_queue()
    with pytest.raises(Transient, match="the queue conversion-requests does not exist"):
        await queue.backlog()


async def test_reading_the_head_does_not_receive_its_messages(queue: Queue, requests: QueueClient) -> None:
    """The sweep must not hide a message from its delivery, and reading a message must not count as a delivery."""
    requests.send_message("hidden", visibility_timeout=600)
    sent = [requests.send_message(body) for body in ("first", "second")]
    for _ in range(2):
        assert await queue.head() == [(each.content.encode(), each.inserted_on) for each in sent]
    assert [message.dequeue_count for message in requests.receive_messages()] == [1, 1]


async def test_the_head_has_at_most_32_messages(queue: Queue, requests: QueueClient) -> None:
    for number in range(40):
        requests.send_message(str(number))
    assert [body for body, _ in await queue.head()] == [str(number).encode() for number in range(32)]


async def test_an_empty_queue_has_no_head_and_a_missing_one_is_transient(queue: Queue, requests: QueueClient) -> None:
    assert await queue.head() == []
    requests.delete_queue()
    with pytest.raises(Transient, match="answered 404"):
        await queue.head()
