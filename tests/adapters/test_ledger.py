"""The ledger in real tables: state and history are written together, and only one of two conflicting writes wins."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from azure.data.tables.aio import TableServiceClient

from b2b.adapters.entities import LONGEST_CARRIED, MOST_CARRIED
from b2b.adapters.ledger import Ledger
from b2b.domain.conversion.records import Change
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.tenant_fact import TenantFact
from b2b.domain.errors import LedgerConflict, Transient, UnreadableRow
from b2b.domain.pacing import Pace
from b2b.domain.readings import Reservation
from tests.adapters.ledger_support import (
    NOON,
    USER,
    change,
    conversion,
    history,
    record,
    rows,
    tables,
)

ADDRESS = "0f" * 32


async def test_a_missing_row_is_none(ledger: Ledger) -> None:
    assert await ledger.conversions.get(USER) is None
    assert await ledger.requests.get("r-1") is None


async def test_a_row_contains_its_newest_events(ledger: Ledger, storage: str) -> None:
    await ledger.conversions.write(change(conversion(), "inviting", "joined"))
    await ledger.requests.write(change(record(), "requested"))
    assert rows(storage, "conversions", USER).keys() == {"current"}
    assert rows(storage, "requests", "r-1").keys() == {"request"}
    assert history(storage, "conversions", USER) == ["inviting", "joined"]


async def test_many_events_of_a_row_are_moved_to_their_own_rows(ledger: Ledger, storage: str) -> None:
    kinds = [f"kind-{number}" for number in range(1, 3 * MOST_CARRIED)]
    row = record()
    for number, kind in enumerate(kinds, start=1):
        row = await ledger.requests.write(change(row, kind))
        assert history(storage, "requests", "r-1") == kinds[:number]
        assert [event.kind for event in await ledger.requests.history("r-1", 0, 100)] == kinds[:number]
    moved = [key for key in rows(storage, "requests", "r-1") if key.startswith("history-")]
    assert moved == [f"history-{number:010d}" for number in range(1, 2 * (MOST_CARRIED + 1) + 1)]
    for after in range(len(kinds)):
        part = await ledger.requests.history("r-1", after, 4)
        assert [event.kind for event in part] == kinds[after : after + 4]


async def test_the_events_in_a_row_fit_into_one_property(ledger: Ledger, storage: str) -> None:
    row = await ledger.requests.write(change(record(), "requested"))
    for _ in range(3):
        (event,) = change(row, "waits").events
        row = await ledger.requests.write(Change(row, (replace(event, detail="x" * 9_000),)))
    carried = str(rows(storage, "requests", "r-1")["request"].get("recent", ""))
    assert len(carried) <= LONGEST_CARRIED
    assert history(storage, "requests", "r-1") == ["requested", "waits", "waits", "waits"]


async def test_later_events_continue_the_numbering(ledger: Ledger, storage: str) -> None:
    row = await ledger.conversions.write(change(conversion(), "inviting", "joined"))
    row = await ledger.conversions.write(change(row))
    row = await ledger.conversions.write(change(replace(row, stage=Stage.INVITED), "invited"))
    assert (row.sequence, row.stage) == (3, Stage.INVITED)
    assert await ledger.conversions.get(USER) == row
    assert history(storage, "conversions", USER) == ["inviting", "joined", "invited"]


async def test_a_column_that_becomes_empty_is_removed(ledger: Ledger) -> None:
    row = await ledger.conversions.write(change(conversion(last_error="no answer", lease_until=NOON)))
    await ledger.conversions.write(change(replace(row, last_error="", lease_until=None)))
    stored = await ledger.conversions.get(USER)
    assert stored is not None
    assert (stored.last_error, stored.lease_until) == ("", None)


async def test_if_an_event_cannot_be_written_the_state_is_not_written_either(ledger: Ledger, storage: str) -> None:
    in_the_way = {"PartitionKey": USER, "RowKey": "history-0000000002"}
    with tables(storage) as service:
        service.get_table_client("conversions").create_entity(in_the_way)
    with pytest.raises(LedgerConflict):
        await ledger.conversions.write(change(conversion(), *["waits"] * (MOST_CARRIED + 1)))
    assert rows(storage, "conversions", USER).keys() == {"history-0000000002"}


async def test_if_storage_refuses_an_event_state_and_members_are_not_written_either(
    ledger: Ledger, storage: str
) -> None:
    row = await ledger.conversions.write(change(conversion(), "inviting"))
    (event,) = change(row, "invited").events
    too_long = replace(change(replace(row, stage=Stage.INVITED)), events=(replace(event, detail="x" * 70_000),))
    with pytest.raises(Transient):
        await ledger.save(too_long, "r-2")
    assert await ledger.conversions.get(USER) == row
    assert await ledger.members(row) == []
    assert history(storage, "conversions", USER) == ["inviting"]


async def test_only_one_of_two_writers_creates_a_row(ledger: Ledger, storage: str) -> None:
    await ledger.conversions.write(change(conversion(request_id="r-1"), "inviting"))
    with pytest.raises(LedgerConflict, match=USER):
        await ledger.conversions.write(change(conversion(request_id="r-2"), "inviting"))
    stored = await ledger.conversions.get(USER)
    assert stored is not None
    assert stored.request_id == "r-1"
    assert history(storage, "conversions", USER) == ["inviting"]


async def test_only_one_of_two_writers_changes_a_row(ledger: Ledger, storage: str) -> None:
    before = await ledger.requests.write(change(record(), "requested"))
    after = await ledger.requests.write(change(replace(before, waits=1), "waits"))
    with pytest.raises(LedgerConflict):
        await ledger.requests.write(change(replace(before, waits=9), "waits"))
    assert await ledger.requests.get("r-1") == after
    assert history(storage, "requests", "r-1") == ["requested", "waits"]


async def test_only_one_of_two_equal_writes_wins(ledger: Ledger) -> None:
    """Two writes with equal columns still conflict, because each writer may send an invitation after its write."""
    before = await ledger.conversions.write(change(conversion(), "inviting"))
    await ledger.conversions.write(change(before, "again"))
    with pytest.raises(LedgerConflict):
        await ledger.conversions.write(change(before, "again"))


async def test_many_writers_leave_a_history_without_gaps(ledger: Ledger, storage: str) -> None:
    await ledger.conversions.write(change(conversion(), "inviting"))

    async def join(name: str) -> int:
        tries = 0
        while True:
            tries += 1
            row = await ledger.conversions.get(USER)
            assert row is not None
            try:
                await ledger.save(change(replace(row, attempts=row.attempts + 1), "joined"), name)
            except LedgerConflict:
                continue
            return tries

    tries = await asyncio.gather(*(join(f"r-{number}") for number in range(12)))
    stored = await ledger.conversions.get(USER)
    assert stored is not None
    assert (stored.attempts, stored.sequence) == (12, 13)
    assert history(storage, "conversions", USER) == ["inviting", *["joined"] * 12]
    assert len(await ledger.conversions.history(USER, 0, 100)) == 13
    assert len(await ledger.members(stored)) == 12
    assert sum(tries) > 12, "no write lost a race, so this test has proved nothing"


async def test_all_instances_share_one_pace(ledger: Ledger, storage: str) -> None:
    assert await ledger.pace.get("pace") is None
    row = await ledger.pace.write(change(Pace(paused_until=NOON, reason="Graph: answered 429", sent=3), "paused"))
    assert await ledger.pace.get("pace") == row
    with pytest.raises(LedgerConflict):
        await ledger.pace.write(change(Pace(sent=1), "paused"))
    assert history(storage, "conversions", "pace") == ["paused"]


@pytest.mark.parametrize("missing", ["conversions", "requests"])
async def test_the_check_of_the_ledger_names_a_missing_table(ledger: Ledger, storage: str, missing: str) -> None:
    await ledger.check()
    with tables(storage) as service:
        service.delete_table(missing)
    with pytest.raises(Transient, match=f"table storage: the table {missing} does not exist"):
        await ledger.check()


async def test_every_ledger_operation_raises_if_its_table_is_missing(ledger: Ledger, storage: str) -> None:
    with tables(storage) as service:
        service.delete_table("conversions")
    for work in (
        ledger.conversions.get(USER),
        ledger.save(change(conversion(), "inviting")),
        ledger.followed.read("", 5),
        ledger.members(conversion()),
        ledger.followed.add(USER, NOON),
        ledger.reservation(ADDRESS),
        ledger.reserve(Reservation(ADDRESS, USER, NOON)),
        ledger.followed.cursor(),
        ledger.pace.get("pace"),
        ledger.tenant_fact(),
        ledger.learn(TenantFact()),
    ):
        with pytest.raises(Transient):
            await work


async def test_a_wrong_account_key_is_transient_with_the_status(storage: str) -> None:
    wrong = storage.replace("AccountKey=", "AccountKey=AAAA")
    service = TableServiceClient.from_connection_string(wrong)
    opened = Ledger(service)
    with pytest.raises(Transient, match="answered 403"):
        await opened.check()
    await opened.aclose()


async def test_a_request_is_deleted_with_a_history_longer_than_one_transaction(ledger: Ledger, storage: str) -> None:
    row = await ledger.requests.write(change(record(), *(["waits"] * 90)))
    row = await ledger.requests.write(change(row, *(["waits"] * 90)))
    await ledger.remember_body(row.body_hash, row.request_id)
    await ledger.purge(row)
    assert rows(storage, "requests", row.request_id) == {}
    assert await ledger.by_body(row.body_hash) == []


async def test_a_request_that_changed_since_it_was_read_is_not_deleted(ledger: Ledger) -> None:
    row = await ledger.requests.write(change(record(), "requested"))
    moved = await ledger.requests.write(change(row, "retried"))
    with pytest.raises(LedgerConflict):
        await ledger.purge(row)
    assert await ledger.requests.get(row.request_id) == moved
    await ledger.purge(moved)
    with pytest.raises(LedgerConflict):
        await ledger.purge(moved)


async def test_the_error_for_a_row_of_a_newer_version_has_its_timestamp(ledger: Ledger) -> None:
    await ledger.requests.write(change(record(schema_version=99), "requested"))
    with pytest.raises(UnreadableRow) as caught:
        await ledger.requests.get("r-1")
    assert caught.value.written_at is not None
    assert abs((caught.value.written_at - datetime.now(UTC)).total_seconds()) < 60
