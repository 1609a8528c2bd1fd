"""Simultaneous writes share a transaction, and each gets its own result."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from azure.data.tables.aio import TableClient, TableServiceClient

from b2b.adapters.group_commit import MOST_OPERATIONS, GroupCommit, Operation

PARTITION = "month~2026-11"


class Held:
    """A table in Azurite whose transactions start when the test says so."""

    def __init__(self, table: TableClient) -> None:
        self.table, self.sent, self.may_go = table, list[int](), asyncio.Event()
        self.fail: BaseException | None = None

    async def submit_transaction(self, operations: Sequence[Operation]) -> list[Any]:
        self.sent.append(len(operations))
        await self.may_go.wait()
        if self.fail is not None:
            raise self.fail
        return await self.table.submit_transaction(operations)


@pytest.fixture
async def held(storage: str) -> AsyncIterator[Held]:
    async with TableServiceClient.from_connection_string(storage, retry_total=0) as service:
        yield Held(service.get_table_client("requests"))


@pytest.fixture
def group(held: Held) -> GroupCommit:
    return GroupCommit(cast("TableClient", held))


def create(row: str) -> Operation:
    return ("create", {"PartitionKey": PARTITION, "RowKey": row, "text": row})


async def begun(group: GroupCommit, *writes: Sequence[Operation]) -> list[asyncio.Task[list[Any]]]:
    """Start writes one after the other; return when the first transaction is in progress."""
    tasks = []
    for write in writes:
        tasks.append(asyncio.create_task(group.submit(PARTITION, write)))
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def stored(held: Held) -> set[str]:
    found = held.table.query_entities("PartitionKey eq @key", parameters={"key": PARTITION})
    return {row["RowKey"] async for row in found}


async def test_writes_during_a_transaction_share_the_next_one(held: Held, group: GroupCommit) -> None:
    tasks = await begun(group, [create("a")], [create("b"), create("c")], [create("d")], [create("e")])
    held.may_go.set()
    results = await asyncio.gather(*tasks)
    assert held.sent == [1, 4]
    assert [len(each) for each in results] == [1, 2, 1, 1]
    assert await stored(held) == set("abcde")
    written = await held.table.get_entity(PARTITION, "d")
    assert results[2][0]["etag"] == written.metadata["etag"], "each worker gets the results of its own rows"


async def test_a_single_write_is_sent_at_once(held: Held, group: GroupCommit) -> None:
    held.may_go.set()
    for row in "ab":
        await group.submit(PARTITION, [create(row)])
    assert held.sent == [1, 1]


async def test_only_the_write_that_storage_refuses_fails(held: Held, group: GroupCommit) -> None:
    await held.table.create_entity({"PartitionKey": PARTITION, "RowKey": "c"})
    tasks = await begun(group, [create("a")], [create("b"), create("c")], [create("d")])
    held.may_go.set()
    first, second, third = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(second, HttpResponseError)
    assert second.status_code == 409
    assert not isinstance(first, BaseException)
    assert not isinstance(third, BaseException)
    assert await stored(held) == set("acd"), "nothing of the refused write is stored"


async def test_two_writes_of_one_row_are_not_in_one_transaction(held: Held, group: GroupCommit) -> None:
    upsert = ("upsert", create("a")[1])
    tasks = await begun(group, [create("x")], [create("a"), create("b")], [upsert], [create("c")])
    held.may_go.set()
    await asyncio.gather(*tasks)
    assert held.sent == [1, 2, 2]
    assert await stored(held) == set("abcx")


async def test_a_transaction_has_at_most_a_hundred_operations(held: Held, group: GroupCommit) -> None:
    writes = [[create(f"{number:03}{part}") for part in range(3)] for number in range(40)]
    tasks = await begun(group, [create("first")], *writes)
    held.may_go.set()
    await asyncio.gather(*tasks)
    assert held.sent == [1, 99, 21]
    assert max(held.sent) <= MOST_OPERATIONS
    assert len(await stored(held)) == 121


async def test_if_storage_does_not_answer_all_writes_fail_and_none_is_repeated(held: Held, group: GroupCommit) -> None:
    tasks = await begun(group, [create("a")], [create("b")], [create("c")])
    held.fail = ServiceRequestError("no answer")
    held.may_go.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, ServiceRequestError) for each in found)
    assert held.sent == [1, 2]


async def test_a_cancelled_write_is_not_sent_and_does_not_affect_the_others(held: Held, group: GroupCommit) -> None:
    tasks = await begun(group, [create("a")], [create("b")], [create("c")])
    tasks[1].cancel()
    await asyncio.sleep(0)
    held.may_go.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await stored(held) == set("ac")


async def test_a_write_after_an_error_succeeds(held: Held, group: GroupCommit) -> None:
    held.may_go.set()
    held.fail = ServiceRequestError("no answer")
    with pytest.raises(ServiceRequestError):
        await group.submit(PARTITION, [create("a")])
    held.fail = None
    await group.submit(PARTITION, [create("a")])
    assert await stored(held) == {"a"}


async def test_a_cancelled_transaction_cancels_all_waiting_writes(held: Held, group: GroupCommit) -> None:
    held.fail = asyncio.CancelledError()
    tasks = await begun(group, [create("a")], [create("b")])
    held.may_go.set()
    found = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
    assert all(isinstance(each, asyncio.CancelledError) for each in found)
