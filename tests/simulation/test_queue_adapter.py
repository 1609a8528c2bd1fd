"""The app's queue adapter on storage in memory: what the app relies on holds, also under faults."""

from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import AzureError

from b2b.adapters.queue import MAX_DELAY, Queue
from b2b.domain.errors import Transient
from b2b.domain.figures import Backlog
from b2b.domain.readings import PoisonMessage
from tests.simulation.storage_contract import QUEUES, START, Memory, Recording

WORK, POISON = QUEUES


def queue_in(memory: Memory) -> Queue:
    return Queue(memory.queues)


async def poison(queue: Queue, hidden_for: float = 300) -> list[PoisonMessage]:
    return [message async for message in queue.poison(hidden_for, 500)]


@pytest.mark.parametrize(("delay", "hidden"), [(-5, 0), (0, 0), (0.4, 1), (900, 900), (1e9, MAX_DELAY)])
async def test_a_sent_message_waits_for_its_delay_and_never_expires(memory: Memory, delay: float, hidden: int) -> None:
    await queue_in(memory).send("Grüße 😀".encode(), delay)
    (message,) = memory.stored_queues.stored(WORK)
    assert message.content == "Grüße 😀"
    assert (message.visible_at - START).total_seconds() == hidden
    assert message.expires_at.year == 9999


async def test_poison_messages_are_listed_over_all_pages_and_reappear_later(memory: Memory) -> None:
    queue = queue_in(memory)
    for number in range(70):
        memory.stored_queues.put(POISON, str(number))
    assert [message.body for message in await poison(queue)] == [str(number).encode() for number in range(70)]
    assert await poison(queue) == []
    memory.clock.advance(300)
    assert len(await poison(queue)) == 70


@pytest.mark.parametrize("as_missing", [False, True])
async def test_only_the_newest_receipt_removes_a_poison_message(memory: Memory, as_missing: bool) -> None:  # noqa: FBT001
    queue, queues = queue_in(memory), memory.stored_queues
    queues.stale_receipt_is_missing = as_missing
    queues.put(POISON, "{}")
    (mine,) = await poison(queue, hidden_for=1)
    memory.clock.advance(1)
    (theirs,) = await poison(queue)
    await queue.remove_poison(mine)
    assert len(queues.stored(POISON)) == 1
    await queue.remove_poison(theirs)
    await queue.remove_poison(theirs)
    assert queues.stored(POISON) == []


async def test_the_backlog_counts_hidden_messages_and_finds_the_oldest_visible_one(memory: Memory) -> None:
    queues = memory.stored_queues
    queues.put(WORK, "hidden", 600)
    memory.clock.advance(10)
    first = queues.put(WORK, "visible")
    memory.clock.advance(10)
    queues.put(WORK, "visible")
    queues.put(POISON, "given up")
    assert await queue_in(memory).backlog() == Backlog({WORK: 3, POISON: 1}, first.inserted_on)


async def test_the_check_names_a_missing_queue_and_a_missing_poison_queue_is_empty(memory: Memory) -> None:
    queue = queue_in(memory)
    await queue.check()
    memory.stored_queues.delete_queue(POISON)
    assert await poison(queue) == []
    with pytest.raises(Transient, match=f"the queue {POISON} does not exist"):
        await queue.check()
    memory.stored_queues.delete_queue(WORK)
    with pytest.raises(Transient, match="answered 404"):
        await queue.send(b"{}")


@pytest.mark.parametrize("kind", ["unreachable", "reset", "busy", "error"])
async def test_every_queue_operation_raises_transient_when_storage_fails(kind: str) -> None:
    uses: dict[str, Callable[[Queue], Any]] = {
        "send": lambda queue: queue.send(b"{}"),
        "receive": poison,
        "delete": lambda queue: queue.remove_poison(PoisonMessage("1", b"{}", "receipt")),
        "peek": lambda queue: queue.check(),
    }
    for verb, use in uses.items():
        with pytest.raises(Transient) as raised:
            await use(queue_in(Memory(Recording(verb, f"{kind} before"))))
        assert isinstance(raised.value.__cause__, AzureError)
