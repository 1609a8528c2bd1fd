"""Receives in pages, and the limits of messages, in memory and in Azurite."""

from typing import Any

import pytest
from azure.storage.queue.aio import QueueClient

from tests.simulation.storage_contract import Failed, contents, count, received, tried

OUT_OF_RANGE = Failed("HttpResponseError", 400, "OutOfRangeQueryParameterValue")
INVALID = Failed("HttpResponseError", 400, "InvalidQueryParameterValue")
TOO_LARGE = Failed("HttpResponseError", 413, "RequestBodyTooLarge")
WEEK = 7 * 86_400


async def test_messages_are_received_page_by_page_until_none_is_visible(queue: QueueClient) -> None:
    for number in range(7):
        await queue.send_message(str(number))
    pages = queue.receive_messages(messages_per_page=3).by_page()
    listed = [[message.content async for message in page] async for page in pages]
    assert listed == [["0", "1", "2"], ["3", "4", "5"], ["6"]]
    assert await count(queue) == 7


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"max_messages": 3}, "012"),
        ({"max_messages": 3, "messages_per_page": 2}, "012"),
        ({"max_messages": 4, "messages_per_page": 4}, "0123"),
        ({"max_messages": 0}, ""),
        ({}, "01234"),
    ],
)
async def test_max_messages_limits_how_many_are_received(queue: QueueClient, options: Any, expected: str) -> None:
    for number in range(5):
        await queue.send_message(str(number))
    assert "".join(await contents(queue, **options)) == expected
    assert len(await queue.peek_messages(32)) == 5 - len(expected)


async def test_receive_message_receives_only_one(queue: QueueClient) -> None:
    assert await queue.receive_message() is None
    await queue.send_message("one")
    await queue.send_message("two")
    message = await queue.receive_message(visibility_timeout=60)
    assert message is not None
    assert (message.content, message.dequeue_count) == ("one", 1)
    assert [each.content for each in await queue.peek_messages(32)] == ["two"]


async def test_a_released_message_comes_after_those_that_wait(queue: QueueClient) -> None:
    for number in range(3):
        await queue.send_message(str(number))
    (first,) = await received(queue, max_messages=1)
    await queue.update_message(first, visibility_timeout=0)
    assert await contents(queue) == ["1", "2", "0"]


async def test_receiving_messages_accepts_no_continuation_token(queue: QueueClient) -> None:
    with pytest.raises(ValueError, match="does not support continuation token"):
        queue.receive_messages().by_page("token")


# Limits


@pytest.mark.parametrize("content", ["x" * 65_537, "ü" * 32_768 + "x"])
async def test_a_message_may_have_at_most_64_kibibytes(queue: QueueClient, content: str) -> None:
    assert await tried(queue.send_message(content)) == TOO_LARGE
    sent = await queue.send_message("x" * 65_536)
    assert await tried(queue.update_message(sent, content=content, visibility_timeout=0)) == TOO_LARGE
    assert await contents(queue) == ["x" * 65_536]


async def test_a_message_must_be_text(queue: QueueClient) -> None:
    sent = await queue.send_message("x")
    assert await tried(queue.send_message(b"x")) == Failed("TypeError")
    assert await tried(queue.update_message(sent, content=b"x")) == Failed("TypeError")
    assert await tried(queue.send_message(None)) == Failed("HttpResponseError", 400, "InvalidXmlDocument")


@pytest.mark.parametrize(("delay", "expected"), [(-1, OUT_OF_RANGE), (WEEK, None), (WEEK + 1, OUT_OF_RANGE)])
async def test_a_visibility_delay_may_be_0_seconds_to_7_days(
    queue: QueueClient, delay: int, expected: Failed | None
) -> None:
    outcomes = [await tried(queue.send_message("x", visibility_timeout=delay))]
    sent = await queue.send_message("x")
    outcomes.append(await tried(queue.update_message(sent, visibility_timeout=delay)))
    assert [outcome if isinstance(outcome, Failed) else None for outcome in outcomes] == [expected, expected]


@pytest.mark.parametrize("lease", [-1, 0, WEEK + 1])
async def test_a_lease_may_last_1_second_to_7_days(queue: QueueClient, lease: int) -> None:
    await queue.send_message("x")
    assert await tried(received(queue, visibility_timeout=lease)) == OUT_OF_RANGE
    assert len(await received(queue, visibility_timeout=WEEK)) == 1


@pytest.mark.parametrize(("life", "delay"), [(0, 0), (10, 20), (10, 10)])
async def test_a_time_to_live_must_exceed_the_delay(queue: QueueClient, life: int, delay: int) -> None:
    work = queue.send_message("x", time_to_live=life, visibility_timeout=delay)
    assert await tried(work) == INVALID
    assert await count(queue) == 0


async def test_a_page_may_have_at_most_32_messages(queue: QueueClient) -> None:
    await queue.send_message("x")
    assert await tried(received(queue, messages_per_page=33)) == OUT_OF_RANGE
    assert await tried(queue.peek_messages(33)) == Failed("ValueError")
    too_few = received(queue, messages_per_page=3, max_messages=2)
    assert await tried(too_few) == Failed("ValueError")
    assert len(await received(queue, messages_per_page=32)) == 1
