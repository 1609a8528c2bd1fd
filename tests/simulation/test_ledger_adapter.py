"""The app's ledger on storage in memory: what the app relies on holds, also under faults."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from b2b.adapters.ledger import Ledger
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.tenant_fact import Known, Shows, TenantFact
from b2b.domain.errors import LedgerConflict, Transient
from b2b.domain.pacing import Pace
from b2b.domain.readings import Cursor, Entry, Followed, Reservation
from rehearsal.history import history as history_of
from tests.adapters.ledger_support import NOON, OTHER, USER, change, conversion, record
from tests.simulation.gate import Call
from tests.simulation.storage_contract import Memory, Recording

ADDRESS = "0f" * 32


def ledger_in(memory: Memory) -> Ledger:
    return Ledger(memory.tables)


def history(memory: Memory, table: str, partition: str) -> list[str]:
    return [event["kind"] for event in history_of(memory.stored_tables.rows(table, partition))]


async def test_state_history_and_members_are_written_together(memory: Memory) -> None:
    ledger = ledger_in(memory)
    row = await ledger.save(change(conversion(lease_until=NOON, last_error="x"), "inviting", "joined"), "r-1", "r-2")
    assert row == await ledger.conversions.get(USER)
    row = await ledger.save(change(replace(row, stage=Stage.INVITED, lease_until=None, last_error=""), "invited"))
    stored = await ledger.conversions.get(USER)
    assert stored == row
    assert (row.sequence, row.lease_until, row.last_error) == (3, None, "")
    assert history(memory, "conversions", USER) == ["inviting", "joined", "invited"]
    assert await ledger.members(row) == ["r-1", "r-2"]
    assert memory.stored_tables.writes == 2


async def test_the_loser_of_two_conflicting_writes_leaves_nothing(memory: Memory) -> None:
    ledger = ledger_in(memory)
    first = await ledger.save(change(conversion(), "inviting"), "r-1")
    with pytest.raises(LedgerConflict):
        await ledger.save(change(conversion(request_id="r-2"), "inviting"), "r-2")
    await ledger.save(change(first, "again"))
    with pytest.raises(LedgerConflict):
        await ledger.save(change(replace(first, attempts=9), "again"), "r-3")
    assert history(memory, "conversions", USER) == ["inviting", "again"]
    assert await ledger.members(first) == ["r-1"]


async def test_an_event_that_is_too_long_fails_the_whole_write(memory: Memory) -> None:
    ledger = ledger_in(memory)
    (event,) = change(conversion(), "inviting").events
    with pytest.raises(Transient, match="answered 400"):
        await ledger.save(replace(change(conversion()), events=(replace(event, detail="x" * 70_000),)), "r-1")
    assert memory.stored_tables.rows("conversions") == []


class Shuffling:
    """A gate that lets all ready calls of other tasks go first."""

    async def call(self, _call: Call, effect: Callable[[], Any], _failure: Any) -> Any:
        await asyncio.sleep(0)
        return effect()


async def test_many_writers_leave_a_history_without_gaps() -> None:
    memory = Memory(Shuffling())
    ledger = ledger_in(memory)
    await ledger.conversions.write(change(conversion(), "inviting"))
    lost = 0

    async def join(name: str) -> None:
        nonlocal lost
        while True:
            row = await ledger.conversions.get(USER)
            assert row is not None
            try:
                await ledger.save(change(replace(row, attempts=row.attempts + 1), "joined"), name)
            except LedgerConflict:
                lost += 1
            else:
                return

    await asyncio.gather(*(join(f"r-{number}") for number in range(12)))
    stored = await ledger.conversions.get(USER)
    assert stored is not None
    assert (stored.attempts, stored.sequence) == (12, 13)
    assert history(memory, "conversions", USER) == ["inviting", *["joined"] * 12]
    assert len(await ledger.members(stored)) == 12
    assert lost > 12


@pytest.mark.parametrize("known", [False, True])
async def test_a_write_whose_answer_was_lost_is_recognised_when_repeated(known: bool) -> None:  # noqa: FBT001
    memory = Memory(Recording("write", *([""] if known else []), "lost"))
    ledger, row = ledger_in(memory), conversion()
    if known:
        row = await ledger.conversions.write(change(row, "inviting"))
    row = await ledger.conversions.write(change(replace(row, attempts=1), "again"))
    assert row == await ledger.conversions.get(USER)
    assert memory.stored_tables.writes == 2 + known
    assert history(memory, "conversions", USER) == ["inviting"] * known + ["again"]


async def test_a_row_that_another_writer_has_changed_since_is_a_conflict() -> None:
    class Overtaken:
        async def call(self, call: Call, effect: Callable[[], Any], _failure: Any) -> Any:
            if call.changes and not memory.stored_tables.writes:
                effect()
                row = memory.stored_tables.open_client("requests").read("r-1", "request")
                memory.stored_tables.open_client("requests").write({**(row or {}), "writeId": "another"})
            return effect()

    memory = Memory(Overtaken())
    with pytest.raises(LedgerConflict):
        await ledger_in(memory).requests.write(change(record(), "requested"))


@pytest.mark.parametrize(
    ("met", "text", "written"),
    [
        ("unreachable before", "not reached: ServiceRequestError", False),
        ("reset before", "not reached: ServiceResponseError", False),
        ("reset after", "not reached: ServiceResponseError", True),
        ("busy before", "answered 503", False),
        ("busy after", "answered 503", True),
        ("error after", "answered 500", True),
    ],
)
async def test_trouble_raises_transient_whether_or_not_it_wrote(met: str, text: str, written: bool) -> None:  # noqa: FBT001
    ledger = ledger_in(Memory(Recording("write", met)))
    with pytest.raises(Transient, match=text):
        await ledger.requests.write(change(record(), "requested"))
    assert (await ledger.requests.get("r-1") is not None) is written


async def test_a_conversion_lists_only_members_of_its_generation(memory: Memory) -> None:
    ledger = ledger_in(memory)
    first = await ledger.save(change(conversion(stage=Stage.BLOCKED), "blocked"), "r-1", "r-2")
    second = await ledger.save(change(replace(first, generation=2, stage=Stage.INVITING), "inviting"), "Z" * 64, "r-2")
    assert await ledger.members(first) == ["r-1"]
    assert await ledger.members(second) == ["Z" * 64, "r-2"]
    assert await ledger.members(conversion(OTHER)) == []


async def test_an_address_is_reserved_once_and_taken_over_by_etag(memory: Memory) -> None:
    ledger = ledger_in(memory)
    assert await ledger.reservation(ADDRESS) is None
    held = await ledger.reserve(Reservation(ADDRESS, USER, NOON))
    assert await ledger.reservation(ADDRESS) == held == Reservation(ADDRESS, USER, NOON, etag=held.etag)
    with pytest.raises(LedgerConflict):
        await ledger.reserve(Reservation(ADDRESS, OTHER, NOON))
    taken = await ledger.reserve(replace(held, user_id=OTHER, absent_since=NOON))
    with pytest.raises(LedgerConflict):
        await ledger.reserve(held)
    assert await ledger.reservation(ADDRESS) == taken
    assert (taken.user_id, taken.absent_since) == (OTHER, NOON)


async def test_the_tenant_fact_and_the_pace_are_stored(memory: Memory) -> None:
    ledger = ledger_in(memory)
    assert (await ledger.tenant_fact(), await ledger.pace.get("pace")) == (TenantFact(), None)
    fact = TenantFact(Known(Shows.YES), Known(Shows.NO, (f"{USER}~1", f"{OTHER}~2")))
    await ledger.learn(TenantFact(Known(Shows.NO)))
    await ledger.learn(fact)
    pace = await ledger.pace.write(change(Pace(paused_until=NOON, reason="Graph: answered 429", sent=3), "paused"))
    assert (await ledger.tenant_fact(), await ledger.pace.get("pace")) == (fact, pace)
    with pytest.raises(LedgerConflict):
        await ledger.pace.write(change(Pace(sent=1), "paused"))
    assert history(memory, "conversions", "pace") == ["paused"]


@pytest.mark.parametrize("looked_at", [None, 0, 1, 2])
async def test_lists_are_read_in_order_with_any_page_size(memory: Memory, looked_at: int | None) -> None:
    ledger = ledger_in(memory)
    if looked_at is not None:
        memory.stored_tables.short_pages = lambda _size: looked_at
    for name in ("r-3", "r-1", "r-2", "r-4"):
        await ledger.open.add(name, NOON)
        await ledger.remember_body("ab" * 32, name)
    await ledger.followed.follow(USER, NOON, synced=False)
    listed = await ledger.open.read("", 10)
    assert listed == [Entry(f"r-{number}", NOON) for number in range(1, 5)]
    assert await ledger.open.read(listed[0].place, 2) == listed[1:3]
    assert await ledger.by_body("ab" * 32) == ["r-1", "r-2", "r-3", "r-4"]
    await ledger.open.add("r-1", NOON)
    await ledger.open.remove(listed[0])
    await ledger.open.remove(listed[1])
    await ledger.open.remove(listed[1])
    assert [entry.key for entry in await ledger.open.read("", 10)] == ["r-1", "r-3", "r-4"]
    assert [entry async for entry in ledger.followed.scan("")] == [Followed(USER, NOON)]


async def test_each_list_stores_its_own_cursor(memory: Memory) -> None:
    ledger = ledger_in(memory)
    assert await ledger.followed.cursor() == Cursor()
    await ledger.followed.move_cursor(Cursor(USER, NOON))
    assert (await ledger.followed.cursor(), await ledger.open.cursor()) == (Cursor(USER, NOON), Cursor())


@pytest.mark.parametrize("missing", ["conversions", "requests"])
async def test_the_check_names_a_missing_table(memory: Memory, missing: str) -> None:
    ledger = ledger_in(memory)
    await ledger.check()
    memory.stored_tables.delete_table(missing)
    with pytest.raises(Transient, match=f"the table {missing} does not exist"):
        await ledger.check()


async def test_every_operation_raises_if_its_table_is_missing(memory: Memory) -> None:
    ledger = ledger_in(memory)
    memory.stored_tables.delete_table("conversions")
    for work in (
        ledger.conversions.get(USER),
        ledger.save(change(conversion(), "inviting")),
        ledger.followed.read("", 5),
        ledger.members(conversion()),
        ledger.followed.add(USER, NOON),
        ledger.reserve(Reservation(ADDRESS, USER, NOON)),
        ledger.followed.cursor(),
        ledger.reservation(ADDRESS),
        ledger.tenant_fact(),
        ledger.learn(TenantFact()),
        ledger.pace.get("pace"),
    ):
        with pytest.raises(Transient):
            await work
