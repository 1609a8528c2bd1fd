"""Queues in memory and in Azurite behave alike: visibility, receipts, counts, updates, and a missing queue."""

from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.queue import QueueMessage, StorageErrorCode
from azure.storage.queue.aio import QueueClient

from tests.simulation.storage_contract import Failed, Storage, contents, count, received, tried

NO_QUEUE = Failed("ResourceNotFoundError", 404, "QueueNotFound")
NO_MESSAGE = Failed("ResourceNotFoundError", 404, "MessageNotFound")
STALE = Failed("HttpResponseError", 400, "PopReceiptMismatch")
WEEK = 7 * 86_400


async def peeked(queue: QueueClient) -> list[str]:
    return [message.content for message in await queue.peek_messages(32)]


def seconds(first: datetime | None, second: datetime | None) -> float:
    assert first is not None
    assert second is not None
    return (second - first).total_seconds()


async def test_a_message_is_received_as_it_was_sent(queue: QueueClient) -> None:
    sent = await queue.send_message("hello")
    assert (sent.content, sent.dequeue_count) == ("hello", None)
    assert sent.pop_receipt
    (message,) = await received(queue, visibility_timeout=60)
    assert isinstance(message, QueueMessage)
    assert (message.id, message.content, message.dequeue_count) == (sent.id, "hello", 1)
    assert (message.inserted_on, message.expires_on) == (sent.inserted_on, sent.expires_on)
    assert message.pop_receipt not in (None, sent.pop_receipt)
    assert seconds(message.inserted_on, message.expires_on) == WEEK
    assert 60 <= seconds(sent.next_visible_on, message.next_visible_on) < 75


async def test_a_send_returns_when_the_message_becomes_visible(queue: QueueClient) -> None:
    sent = await queue.send_message("x", visibility_timeout=90)
    assert 89 <= seconds(sent.inserted_on, sent.next_visible_on) <= 91


async def test_times_are_in_whole_seconds(queue: QueueClient) -> None:
    sent = await queue.send_message("hello", visibility_timeout=5)
    for moment in (sent.inserted_on, sent.expires_on, sent.next_visible_on):
        assert moment is not None
        assert (moment.microsecond, moment.tzinfo) == (0, UTC)


@pytest.mark.parametrize(
    "content",
    ["", " ", "  {}  ", "\n", "a\tb", "Grüße aus Kōbe 😀", '<a b="1">&amp; ]]> <!-- --></a>', "\x7f\x85", "ü" * 32_768],
)
async def test_a_message_arrives_unchanged(queue: QueueClient, content: str) -> None:
    await queue.send_message(content)
    assert await peeked(queue) == await contents(queue) == [content]


async def test_a_peek_leaves_the_message_as_it_is(queue: QueueClient) -> None:
    assert await queue.peek_messages() == []
    await queue.send_message("one")
    await queue.send_message("two")
    (message,) = await queue.peek_messages()
    assert (message.content, message.dequeue_count) == ("one", 0)
    assert (message.pop_receipt, message.next_visible_on) == (None, None)
    assert await peeked(queue) == ["one", "two"]
    assert await contents(queue) == ["one", "two"]
    assert await peeked(queue) == []


async def test_the_count_includes_hidden_and_received_messages(queue: QueueClient) -> None:
    assert await count(queue) == 0
    await queue.send_message("hidden", visibility_timeout=600)
    await queue.send_message("received")
    await queue.send_message("waiting")
    await received(queue, max_messages=1)
    assert await count(queue) == 3
    assert (await queue.get_queue_properties()).name == queue.queue_name


async def test_a_message_waits_until_its_delay_is_over(queue: QueueClient, account: Storage) -> None:
    await queue.send_message("late", visibility_timeout=1)
    assert await contents(queue) == []
    await account.until(queue.peek_messages)
    assert await contents(queue) == ["late"]


async def test_a_message_reappears_after_its_lease(queue: QueueClient, account: Storage) -> None:
    await queue.send_message("again")
    (first,) = await received(queue, visibility_timeout=1)
    assert await received(queue) == []
    await account.until(queue.peek_messages)
    assert [message.dequeue_count for message in await queue.peek_messages()] == [1]
    (second,) = await received(queue, visibility_timeout=60)
    assert (second.id, second.dequeue_count, second.inserted_on) == (first.id, 2, first.inserted_on)
    assert await tried(queue.delete_message(first)) == STALE
    assert await tried(queue.update_message(first, visibility_timeout=0)) == STALE
    await queue.delete_message(second)
    assert await count(queue) == 0


async def test_a_receipt_stays_valid_after_its_lease_until_the_next_receive(
    queue: QueueClient, account: Storage
) -> None:
    await queue.send_message("again")
    (message,) = await received(queue, visibility_timeout=1)
    await account.until(queue.peek_messages)
    await queue.delete_message(message)
    assert await count(queue) == 0


async def test_a_message_that_expired_is_gone(queue: QueueClient, account: Storage) -> None:
    async def gone() -> bool:
        return await queue.peek_messages() == []

    await queue.send_message("short", time_to_live=1)
    assert await peeked(queue) == ["short"]
    await account.until(gone)
    assert await contents(queue) == []
    assert await count(queue) == 0


@pytest.mark.parametrize(("life", "expected"), [(60, 60), (WEEK + 1, WEEK + 1), (None, WEEK)])
async def test_a_time_to_live_is_kept(queue: QueueClient, life: int | None, expected: int) -> None:
    sent = await queue.send_message("hello", time_to_live=life)
    assert seconds(sent.inserted_on, sent.expires_on) == expected


async def test_a_message_may_never_expire(queue: QueueClient) -> None:
    sent = await queue.send_message("hello", time_to_live=-1)
    assert sent.expires_on == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


# Receipts


async def test_a_message_that_was_just_sent_can_be_deleted_and_changed(queue: QueueClient) -> None:
    first = await queue.send_message("first", visibility_timeout=600)
    second = await queue.send_message("second", visibility_timeout=600)
    await queue.delete_message(first)
    await queue.update_message(second.id, second.pop_receipt, visibility_timeout=0)
    assert await contents(queue) == ["second"]


async def test_an_update_returns_a_new_receipt_and_voids_the_old_one(queue: QueueClient) -> None:
    await queue.send_message("old")
    (message,) = await received(queue, visibility_timeout=60)
    updated = await queue.update_message(message, content="new", visibility_timeout=0)
    assert (updated.id, updated.content, updated.dequeue_count) == (message.id, "new", 1)
    assert (updated.inserted_on, updated.expires_on) == (message.inserted_on, message.expires_on)
    assert updated.pop_receipt != message.pop_receipt
    assert await peeked(queue) == ["new"]
    assert await tried(queue.delete_message(message)) == STALE
    await queue.delete_message(updated.id, updated.pop_receipt)
    assert await peeked(queue) == []


async def test_an_update_without_content_renews_the_lease_only(queue: QueueClient) -> None:
    await queue.send_message("same")
    (message,) = await received(queue, visibility_timeout=1)
    renewed = await queue.update_message(message.id, message.pop_receipt, visibility_timeout=600)
    assert (renewed.content, renewed.inserted_on) == (None, None)
    assert 590 <= seconds(message.inserted_on, renewed.next_visible_on) < 630
    assert await received(queue) == []
    await queue.update_message(message.id, renewed.pop_receipt)
    assert await contents(queue) == ["same"]


async def test_an_update_with_a_message_object_sends_its_content(queue: QueueClient) -> None:
    await queue.send_message("old")
    (message,) = await received(queue)
    message.content = "changed here"
    updated = await queue.update_message(message, visibility_timeout=0)
    assert [updated.content, *await contents(queue)] == ["changed here", "changed here"]


async def test_error_codes_are_enumeration_members_except_for_not_found(queue: QueueClient) -> None:
    sent = await queue.send_message("x")
    codes: list[Any] = []
    for message_id in (sent.id, "no-such-message"):
        with pytest.raises(HttpResponseError) as raised:
            await queue.delete_message(message_id, "receipt")
        codes.append(getattr(raised.value, "error_code", None))
    assert [type(code) for code in codes] == [StorageErrorCode, str]


async def test_a_message_that_is_gone_is_not_found(queue: QueueClient) -> None:
    sent = await queue.send_message("hello")
    await queue.delete_message(sent)
    assert await tried(queue.delete_message(sent)) == NO_MESSAGE
    assert await tried(queue.update_message(sent, visibility_timeout=0)) == NO_MESSAGE
    assert await tried(queue.delete_message("no-such-message", "receipt")) == NO_MESSAGE


async def test_the_receipt_of_another_message_is_refused(queue: QueueClient) -> None:
    first, second = await queue.send_message("first"), await queue.send_message("second")
    assert await tried(queue.delete_message(first.id, second.pop_receipt)) == STALE
    assert await count(queue) == 2


async def test_deleting_or_updating_without_a_receipt_is_refused(queue: QueueClient) -> None:
    assert await tried(queue.delete_message("id")) == Failed("ValueError")
    assert await tried(queue.update_message("id", content="x")) == Failed("ValueError")
    assert await tried(queue.delete_message(QueueMessage(id="id"))) == Failed("ValueError")


async def test_all_messages_can_be_cleared(queue: QueueClient) -> None:
    await queue.send_message("visible")
    await queue.send_message("hidden", visibility_timeout=600)
    await queue.clear_messages()
    assert await count(queue) == 0


# Missing queue


async def test_every_call_fails_if_the_queue_is_missing(no_queue: QueueClient) -> None:
    for work in (
        no_queue.send_message("x"),
        no_queue.receive_message(),
        received(no_queue),
        no_queue.peek_messages(),
        no_queue.get_queue_properties(),
        no_queue.update_message("id", "receipt", visibility_timeout=0),
        no_queue.delete_message("id", "receipt"),
        no_queue.clear_messages(),
    ):
        assert await tried(work) == NO_QUEUE
