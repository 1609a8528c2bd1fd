"""Fixtures for the contract tests of storage: each test runs in memory and against Azurite."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from azure.data.tables.aio import TableClient
from azure.storage.queue.aio import QueueClient

from rehearsal.storage import Azurite
from tests.simulation.storage_contract import MISSING, Emulator, Memory, Storage


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture(scope="session")
def shared_account(azurite: Azurite) -> str:
    """Return the connection string of an Azurite account in which each test gets its own table or queue."""
    return azurite.connection_string(azurite.account())


@pytest.fixture(params=["memory", "azurite"])
async def account(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    """Yield a storage account: once in memory, once in Azurite."""
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            yield Memory()
        else:
            yield Emulator(request.getfixturevalue("shared_account"), stack)


@pytest.fixture
async def table(account: Storage) -> TableClient:
    return await account.new_table()


@pytest.fixture
async def queue(account: Storage) -> QueueClient:
    return await account.new_queue()


@pytest.fixture
async def no_table(account: Storage) -> AsyncIterator[TableClient]:
    async with account.tables.get_table_client(MISSING) as client:
        yield client


@pytest.fixture
async def no_queue(account: Storage) -> AsyncIterator[QueueClient]:
    async with account.queues.get_queue_client(MISSING) as client:
        yield client
