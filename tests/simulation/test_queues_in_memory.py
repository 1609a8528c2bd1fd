"""Queues in memory: calls pass the gate, some cases differ from Azurite, and host, oracles and meddlers bypass the
gate.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from tests.simulation.gate import Call
from tests.simulation.queue_client import MemoryQueueClient, MemoryQueueService
from tests.simulation.queues import SEVEN_DAYS, Queues
from tests.simulation.storage_contract import (
    OUTAGES,
    QUEUES,
    START,
    Failed,
    Memory,
    Recording,
    assert_takes_what_the_sdks_takes,
    failed,
    received,
    tried,
)

WORK, POISON = QUEUES
Use = Callable[[QueueClient], Awaitable[Any]]

CALLS: dict[str, tuple[Use, str, bool]] = {
    "send": (lambda queue: queue.send_message("x"), "send", True),
    "receive": (lambda queue: queue.receive_message(), "receive", True),
    "receive many": (lambda queue: anext(aiter(queue.receive_messages())), "receive", True),
    "update": (lambda queue: queue.update_message("1", "receipt"), "update", True),
    "delete": (lambda queue: queue.delete_message("1", "receipt"), "delete", True),
    "clear": (lambda queue: queue.clear_messages(), "delete", True),
    "peek": (lambda queue: queue.peek_messages(), "peek", False),
    "count": (lambda queue: queue.get_queue_properties(), "peek", False),
}


def opened(memory: Memory) -> tuple[Queues, QueueClient]:
    return memory.stored_queues, memory.queues.get_queue_client(WORK)


@pytest.mark.parametrize("name", CALLS)
async def test_every_queue_call_passes_the_gate_with_its_subject(name: str) -> None:
    use, verb, changes = CALLS[name]
    gate = Recording()
    queues, queue = opened(Memory(gate))
    queues.put(WORK, "x")
    await tried(use(queue))
    assert gate.calls == [Call("queue", verb, WORK, changes)]


@pytest.mark.parametrize("kind", OUTAGES)
@pytest.mark.parametrize("name", CALLS)
async def test_each_kind_of_trouble_raises_what_the_queue_sdk_raises(name: str, kind: str) -> None:
    use, verb, _ = CALLS[name]
    queues, queue = opened(Memory(Recording(verb, f"{kind} before")))
    queues.put(WORK, "x")
    before = queues.stored(WORK)
    expected, status, code = OUTAGES[kind]
    with pytest.raises(expected) as raised:
        await use(queue)
    seen = failed(raised.value)
    assert (seen.status, seen.code) == (status, code)
    assert queues.stored(WORK) == before


async def test_a_message_reappears_if_the_answer_to_its_receive_was_lost() -> None:
    memory = Memory(Recording("receive", "reset after"))
    queues, queue = opened(memory)
    queues.put(WORK, "x")
    with pytest.raises(ServiceResponseError):
        await received(queue, visibility_timeout=60)
    assert await received(queue) == []
    memory.clock.advance(60)
    assert [message.dequeue_count for message in await received(queue)] == [2]


async def test_a_send_whose_answer_was_lost_is_sent_twice() -> None:
    queues, queue = opened(Memory(Recording("send", "lost")))
    await queue.send_message("x")
    assert [message.content for message in queues.stored(WORK)] == ["x", "x"]


async def test_every_page_of_messages_passes_the_gate() -> None:
    gate = Recording()
    queues, queue = opened(Memory(gate))
    for number in range(5):
        queues.put(WORK, str(number))
    assert len(await received(queue, messages_per_page=2)) == 5
    assert [call.verb for call in gate.calls] == ["receive"] * 4


# What Azurite does differently from Azure


@pytest.mark.parametrize("content", ["a\0b", "\x01", "\x0b", "\x1f", "\ufffe", "\uffff", "\ud800"])
async def test_a_message_with_characters_that_xml_cannot_carry_is_refused(memory: Memory, content: str) -> None:
    """Azurite accepts most of these messages, and then fails every receive that would return one."""
    queues, queue = opened(memory)
    expected = Failed("HttpResponseError", 400, "InvalidXmlDocument")
    assert await tried(queue.send_message(content)) == expected
    sent = await queue.send_message("x")
    assert await tried(queue.update_message(sent, content=content)) == expected
    assert [message.content for message in queues.stored(WORK)] == ["x"]


@pytest.mark.parametrize("delay", [1.5, 0.1])
async def test_a_delay_must_be_in_whole_seconds(memory: Memory, delay: Any) -> None:
    """Azurite rounds down."""
    _, queue = opened(memory)
    invalid = Failed("HttpResponseError", 400, "InvalidQueryParameterValue")
    assert await tried(queue.send_message("x", visibility_timeout=delay)) == invalid


async def test_a_time_to_live_must_be_positive_or_minus_one(memory: Memory) -> None:
    """Azurite's 400 has no code."""
    _, queue = opened(memory)
    invalid = Failed("HttpResponseError", 400, "InvalidQueryParameterValue")
    assert await tried(queue.send_message("x", time_to_live=-2)) == invalid


@pytest.mark.parametrize("number", [0, -1])
async def test_a_page_of_less_than_one_message_is_refused(memory: Memory, number: int) -> None:
    """Azurite's 400 has no code."""
    _, queue = opened(memory)
    out_of_range = Failed("HttpResponseError", 400, "OutOfRangeQueryParameterValue")
    assert await tried(received(queue, messages_per_page=number)) == out_of_range


async def test_a_stale_receipt_can_be_answered_as_a_missing_message(memory: Memory) -> None:
    """Azure sometimes answers so; Azurite never does."""
    queues, queue = opened(memory)
    queues.stale_receipt_is_missing = True
    sent = await queue.send_message("x")
    await received(queue)
    missing = Failed("ResourceNotFoundError", 404, "MessageNotFound")
    assert await tried(queue.delete_message(sent)) == missing
    assert await tried(queue.update_message(sent)) == missing
    assert len(queues.stored(WORK)) == 1


# The host


async def test_the_host_leases_any_visible_message_and_deletes_it_with_its_latest_receipt(memory: Memory) -> None:
    queues, queue = opened(memory)
    for content in ("first", "second", "third"):
        await queue.send_message(content)
    second = queues.visible(WORK)[1]
    taken = queues.take(WORK, second.id, lease=600)
    assert (taken.id, taken.content, taken.dequeue_count) == (second.id, "second", 1)
    assert taken.inserted_on == START.replace(microsecond=0)
    assert taken.pop_receipt != second.pop_receipt
    assert [message.content for message in queues.visible(WORK)] == ["first", "third"]
    assert [message.content for message in queues.stored(WORK)] == ["first", "third", "second"]
    with pytest.raises(LookupError):
        queues.take(WORK, second.id, lease=600)
    assert not queues.done(WORK, second.id, second.pop_receipt)
    assert queues.done(WORK, taken.id, taken.pop_receipt)
    assert not queues.done(WORK, taken.id, taken.pop_receipt)
    assert len(queues.stored(WORK)) == 2


async def test_a_message_returns_when_its_lease_ends(memory: Memory) -> None:
    queues, _ = opened(memory)
    queues.put(WORK, "x")
    first = queues.take(WORK, queues.visible(WORK)[0].id, lease=600)
    assert queues.next_change(WORK) == START + timedelta(seconds=600)
    memory.clock.advance(600)
    assert queues.next_change(WORK) is None
    assert queues.take(WORK, first.id, lease=600).dequeue_count == 2
    assert not queues.done(WORK, first.id, first.pop_receipt)


async def test_a_message_is_released_with_a_delay(memory: Memory) -> None:
    queues, _ = opened(memory)
    queues.put(WORK, "x")
    taken = queues.take(WORK, queues.visible(WORK)[0].id, lease=600)
    released = queues.release(WORK, taken.id, taken.pop_receipt, delay=60)
    assert released is not None
    assert queues.release(WORK, taken.id, taken.pop_receipt, delay=0) is None
    assert not queues.done(WORK, taken.id, taken.pop_receipt)
    assert (queues.visible(WORK), queues.next_change(WORK)) == ([], START + timedelta(seconds=60))
    memory.clock.advance(60)
    assert queues.visible(WORK) == [released]


@pytest.mark.parametrize("taken_by_another", [False, True])
async def test_a_lease_that_nobody_renews_leaves_the_receipt_valid_until_the_next_receive(
    memory: Memory,
    taken_by_another: bool,  # noqa: FBT001
) -> None:
    queues, _ = opened(memory)
    queues.put(WORK, "x")
    taken = queues.take(WORK, queues.visible(WORK)[0].id, lease=10.0**8)
    queues.lapse(WORK, taken.id, taken.pop_receipt, after=600)
    memory.clock.advance(600)
    assert [message.id for message in queues.visible(WORK)] == [taken.id]
    if taken_by_another:
        queues.take(WORK, taken.id, lease=600)
        queues.lapse(WORK, taken.id, taken.pop_receipt, after=0)
        assert queues.visible(WORK) == []
    assert queues.done(WORK, taken.id, taken.pop_receipt) is not taken_by_another


async def test_two_puts_make_two_messages(memory: Memory) -> None:
    queues, queue = opened(memory)
    first, second = queues.put(WORK, "x"), queues.put(WORK, "x", delay=1.5, time_to_live=-1)
    assert first.id != second.id
    assert first.expires_at == START + timedelta(seconds=SEVEN_DAYS)
    assert [message.id for message in queues.visible(WORK)] == [first.id]
    memory.clock.advance(SEVEN_DAYS)
    assert [message.id for message in queues.stored(WORK)] == [second.id]
    queues.drop(WORK, second.id)
    queues.drop(WORK, second.id)
    assert await received(queue) == []


async def test_the_next_change_is_when_the_first_hidden_message_becomes_visible(memory: Memory) -> None:
    queues, _ = opened(memory)
    assert queues.next_change(WORK) is None
    for delay in (30, 10, 20, 0):
        queues.put(WORK, "x", delay)
    assert queues.next_change(WORK) == START + timedelta(seconds=10)
    assert queues.next_change(POISON) is None


async def test_a_deleted_queue_can_be_made_again_and_is_empty(memory: Memory) -> None:
    queues, queue = opened(memory)
    await queue.send_message("x")
    queues.delete_queue(WORK)
    assert (await tried(queue.peek_messages())).code == "QueueNotFound"
    queues.create_queue(WORK)
    assert queues.stored(WORK) == []


@pytest.mark.parametrize(
    ("ours", "theirs"), [(MemoryQueueClient, QueueClient), (MemoryQueueService, QueueServiceClient)]
)
def test_every_queue_method_has_the_parameters_of_the_sdk(ours: type, theirs: type) -> None:
    assert_takes_what_the_sdks_takes(ours, theirs)
