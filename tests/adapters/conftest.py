"""Fixtures: a ledger and a queue on the test's own storage account, closed after the test."""

from collections.abc import AsyncIterator

import pytest

from b2b.adapters.ledger import Ledger
from b2b.adapters.queue import Queue


@pytest.fixture
async def ledger(storage: str) -> AsyncIterator[Ledger]:
    opened = Ledger.from_connection_string(storage)
    yield opened
    await opened.aclose()


@pytest.fixture
async def queue(storage: str) -> AsyncIterator[Queue]:
    opened = Queue.from_connection_string(storage)
    yield opened
    await opened.aclose()
