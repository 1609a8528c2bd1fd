"""Storage that is down, slow or loses its answers: the app takes no decision from that, and no write counts twice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport
from azure.data.tables.aio import TableServiceClient

from b2b.adapters.ledger import Ledger
from b2b.adapters.queue import Queue
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.tenant_fact import TenantFact
from b2b.domain.errors import LedgerConflict, Transient
from b2b.domain.readings import Cursor, Entry, Followed, Reservation
from b2b.domain.sweep import Part, PartReport, SweepReport
from tests.adapters.ledger_support import NOON, USER, change, conversion, history, record
from tests.adapters.sockets import closed_port, hang_up, never_answer, server

ETAG = "W/\"datetime'2026-05-04T12%3A00%3A00.0000000Z'\""
ACCOUNT = "DefaultEndpointsProtocol=http;AccountName=contoso;AccountKey=a2V5;"
QUICK = {"retry_total": 0}
"""Options without the SDK's own retries, which other tests cover."""


class LosingAnswers(AioHttpTransport):  # type: ignore[misc]  # the SDK gives it out untyped
    """Carries out every request. Each of `losses` replaces the answer to one of the first writes."""

    def __init__(self, *losses: Callable[[Any], Any]) -> None:
        super().__init__()
        self._losses = list(losses)
        self.writes = 0

    async def send(self, request: Any, **options: Any) -> Any:
        response = await super().send(request, **options)
        if request.method == "GET":
            return response
        self.writes += 1
        return self._losses.pop(0)(response) if self._losses else response


def as_503(response: Any) -> Any:
    """Turn an answer into a 503, as if a front end had given up on a successful write; the SDK repeats the write."""
    response.status_code = 503
    return response


def cut_off(_response: Any) -> Any:
    raise ServiceResponseError("the connection was reset")


@asynccontextmanager
async def ledger_over(transport: LosingAnswers, storage: str) -> AsyncIterator[Ledger]:
    service = TableServiceClient.from_connection_string(storage, transport=transport, retry_backoff_factor=0)
    opened = Ledger(service)
    try:
        yield opened
    finally:
        await opened.aclose()


async def test_a_created_row_whose_answer_was_lost_is_recognised(storage: str) -> None:
    transport = LosingAnswers(as_503)
    async with ledger_over(transport, storage) as ledger:
        row = await ledger.save(change(conversion(), "inviting"), "r-1")
        assert transport.writes == 2
        assert row == await ledger.conversions.get(USER)
        assert row.etag
        assert await ledger.members(row) == ["r-1"]
        row = await ledger.save(change(replace(row, stage=Stage.INVITED), "invited"))
    assert history(storage, "conversions", USER) == ["inviting", "invited"]
    assert row.sequence == 2


async def test_a_changed_row_whose_answer_was_lost_is_recognised(storage: str) -> None:
    transport = LosingAnswers(lambda response: response, as_503)
    async with ledger_over(transport, storage) as ledger:
        row = await ledger.conversions.write(change(conversion(), "inviting"))
        row = await ledger.conversions.write(change(replace(row, attempts=1), "again"))
        assert transport.writes == 3
        assert row == await ledger.conversions.get(USER)
    assert history(storage, "conversions", USER) == ["inviting", "again"]


async def test_a_row_that_another_process_changed_after_a_lost_answer_is_a_conflict(storage: str) -> None:
    """The write can then not be distinguished from one that never arrived, so the workflow must decide again."""
    async with ledger_over(LosingAnswers(), storage) as other:

        async def overtake() -> None:
            row = await other.conversions.get(USER)
            assert row is not None
            await other.conversions.write(change(replace(row, attempts=7), "again"))

        class Overtaken(LosingAnswers):
            async def send(self, request: Any, **options: Any) -> Any:
                response = await super().send(request, **options)
                if self.writes == 1 and response.status_code == 503:
                    await overtake()
                return response

        async with ledger_over(Overtaken(as_503), storage) as ledger:
            with pytest.raises(LedgerConflict):
                await ledger.conversions.write(change(conversion(), "inviting"))
    assert history(storage, "conversions", USER) == ["inviting", "again"]


async def test_a_write_without_an_answer_is_transient_and_a_read_shows_it(storage: str) -> None:
    async with ledger_over(LosingAnswers(cut_off), storage) as ledger:
        with pytest.raises(Transient, match="not reached: ServiceResponseError"):
            await ledger.conversions.write(change(conversion(), "inviting"))
        stored = await ledger.conversions.get(USER)
    assert stored is not None
    assert stored.sequence == 1


async def test_a_reservation_whose_answer_was_lost_is_a_conflict_and_readable(storage: str) -> None:
    async with ledger_over(LosingAnswers(as_503), storage) as ledger:
        with pytest.raises(LedgerConflict):
            await ledger.reserve(Reservation("0f" * 32, USER, NOON))
        held = await ledger.reservation("0f" * 32)
    assert held is not None
    assert held.user_id == USER


@pytest.mark.parametrize("serve", [None, hang_up], ids=["closed port", "hangs up"])
async def test_every_ledger_operation_is_transient_if_storage_is_down(serve: Any) -> None:
    async with server(serve or never_answer) as listening:
        address = listening if serve else await closed_port()
        text = f"{ACCOUNT}TableEndpoint={address}/contoso;QueueEndpoint={address}/contoso;"
        ledger = Ledger(TableServiceClient.from_connection_string(text, **QUICK))
        for work in (
            ledger.conversions.get(USER),
            ledger.requests.write(change(record(), "requested")),
            ledger.save(change(conversion(), "inviting")),
            ledger.members(conversion()),
            ledger.reservation("0f" * 32),
            ledger.reserve(Reservation("0f" * 32, USER, NOON)),
            ledger.followed.follow(USER, NOON, synced=False),
            ledger.followed.get(USER),
            ledger.followed.mark([Followed(USER, NOON, etag=ETAG)]),
            ledger.followed.drop([Followed(USER, NOON, etag=ETAG)]),
            ledger.followed.cursor(),
            ledger.followed.move_cursor(Cursor(USER, NOON)),
            anext(ledger.followed.scan("")),
            ledger.schedule.add_all([(USER, NOON)]),
            ledger.report(SweepReport((PartReport(Part.DRAIN),)), NOON),
            ledger.reported(),
            ledger.purge(record(etag=ETAG)),
            ledger.purge_pauses(NOON),
            ledger.open.add("r-1", NOON),
            ledger.open.remove(Entry("r-1", NOON, "r-1", ETAG)),
            ledger.open.read("", 5),
            ledger.pace.get("pace"),
            ledger.remember_body("ab" * 32, "r-1"),
            ledger.by_body("ab" * 32),
            ledger.tenant_fact(),
            ledger.learn(TenantFact()),
            ledger.check(),
        ):
            with pytest.raises(Transient, match="table storage: not reached"):
                await work
        await ledger.aclose()


@pytest.mark.parametrize("serve", [None, hang_up], ids=["closed port", "hangs up"])
async def test_storage_that_is_down_is_given_up_within_ten_seconds(serve: Any) -> None:
    """The test uses the app's own options for the SDK, because HTTP callers and the health check wait that long."""
    async with server(serve or never_answer) as listening:
        address = listening if serve else await closed_port()
        ledger = Ledger.from_connection_string(f"{ACCOUNT}TableEndpoint={address}/contoso;")
        queue = Queue.from_connection_string(f"{ACCOUNT}QueueEndpoint={address}/contoso;")
        async with asyncio.timeout(10):
            outcomes = await asyncio.gather(ledger.check(), queue.send(b"{}"), queue.check(), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Transient] * 3
        await ledger.aclose()
        await queue.aclose()
