"""The observer of written changes: it is called once for each change that storage accepted, and breaks no write."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from azure.data.tables.aio import TableServiceClient

from b2b.adapters.ledger import Ledger
from b2b.adapters.tables import Observer
from b2b.domain.conversion.records import Change
from b2b.domain.errors import LedgerConflict, Transient
from b2b.domain.pacing import Pace
from tests.adapters.ledger_support import change, conversion, record
from tests.adapters.test_ledger_outages import LosingAnswers, as_503, cut_off


@asynccontextmanager
async def observed(storage: str, observer: Observer, *losses: Callable[[Any], Any]) -> AsyncIterator[Ledger]:
    transport = LosingAnswers(*losses)
    service = TableServiceClient.from_connection_string(storage, transport=transport, retry_backoff_factor=0)
    opened = Ledger(service, observer)
    try:
        yield opened
    finally:
        await opened.aclose()


async def test_the_observer_gets_every_written_change(storage: str) -> None:
    told: list[Change[Any]] = []
    account, request, pace = change(conversion(), "inviting"), change(record(), "requested"), change(Pace(), "paused")
    async with observed(storage, told.append) as ledger:
        await ledger.save(account, "r-1")
        await ledger.requests.write(request)
        await ledger.pace.write(pace)
    assert told == [account, request, pace]


async def test_the_observer_does_not_get_a_change_that_lost_a_race(storage: str) -> None:
    told: list[Change[Any]] = []
    async with observed(storage, told.append) as ledger:
        first = await ledger.conversions.write(change(conversion(), "inviting"))
        for late in (conversion(), replace(first, etag='W/"stale"')):
            with pytest.raises(LedgerConflict):
                await ledger.conversions.write(change(late, "inviting"))
    assert len(told) == 1


async def test_the_observer_gets_a_write_whose_answer_was_lost_once(storage: str) -> None:
    told: list[Change[Any]] = []
    async with observed(storage, told.append, as_503) as ledger:
        await ledger.conversions.write(change(conversion(), "inviting"))
    assert len(told) == 1


async def test_the_observer_does_not_get_a_write_with_an_unknown_outcome(storage: str) -> None:
    told: list[Change[Any]] = []
    async with observed(storage, told.append, cut_off) as ledger:
        with pytest.raises(Transient):
            await ledger.conversions.write(change(conversion(), "inviting"))
    assert told == []


async def test_a_failing_observer_is_logged_and_the_write_succeeds(
    storage: str, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_change: Change[Any]) -> None:
        raise RuntimeError("no meter")

    async with observed(storage, broken) as ledger:
        written = await ledger.requests.write(change(record(), "requested"))
        assert await ledger.requests.get("r-1") == written
    lines = [entry.getMessage() for entry in caplog.records if entry.levelno >= logging.WARNING]
    assert lines == ["a change was written and not observed: RuntimeError('no meter')"]
