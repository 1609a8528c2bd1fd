"""What is found by another key: members, reservations, due accounts, open requests, bodies."""

from dataclasses import replace

import pytest

from b2b.adapters.ledger import Ledger
from b2b.domain.conversion import Stage
from b2b.domain.errors import LedgerConflict
from b2b.domain.readings import Due, Reservation
from tests.adapters.ledger_support import (
    NOON,
    OTHER,
    USER,
    change,
    conversion,
    tables,
)

ADDRESS = "0f" * 32


async def test_members_belong_to_one_generation(ledger: Ledger) -> None:
    first = await ledger.save(change(conversion(stage=Stage.BLOCKED), "blocked"), "r-1", "r-2")
    second = await ledger.save(change(replace(first, generation=2, stage=Stage.INVITING), "inviting"), "r-3", "r.4_5-6")
    assert await ledger.members(first) == ["r-1", "r-2"]
    assert await ledger.members(second) == ["r-3", "r.4_5-6"]
    assert await ledger.members(conversion(OTHER)) == []


async def test_a_request_that_starts_over_is_a_member_of_the_later_generation_alone(ledger: Ledger) -> None:
    first = await ledger.save(change(conversion(stage=Stage.BLOCKED), "blocked"), "r-1")
    second = await ledger.save(change(replace(first, generation=2, stage=Stage.INVITING), "inviting"), "r-1")
    assert (await ledger.members(first), await ledger.members(second)) == ([], ["r-1"])


async def test_the_longest_request_id_is_a_member_like_any_other(ledger: Ledger) -> None:
    longest = "Z" * 64
    assert await ledger.members(await ledger.save(change(conversion(), "inviting"), longest, "z", "0")) == [
        "0",
        longest,
        "z",
    ]


async def test_an_address_is_reserved_once(ledger: Ledger) -> None:
    assert await ledger.reservation(ADDRESS) is None
    await ledger.reserve(ADDRESS, USER, None, NOON)
    held = await ledger.reservation(ADDRESS)
    assert isinstance(held, Reservation)
    assert held.user_id == USER
    with pytest.raises(LedgerConflict):
        await ledger.reserve(ADDRESS, OTHER, None, NOON)


async def test_a_reservation_is_taken_over_from_the_one_that_was_read(ledger: Ledger) -> None:
    await ledger.reserve(ADDRESS, USER, None, NOON)
    stale = await ledger.reservation(ADDRESS)
    await ledger.reserve(ADDRESS, OTHER, stale, NOON)
    held = await ledger.reservation(ADDRESS)
    assert held is not None
    assert held.user_id == OTHER
    with pytest.raises(LedgerConflict):
        await ledger.reserve(ADDRESS, USER, stale, NOON)


async def test_the_due_list_is_read_in_parts_in_order(ledger: Ledger) -> None:
    names = [f"0a000000-0000-4000-8000-{number:012d}" for number in range(7)]
    for name in reversed(names):
        await ledger.due.add(name, NOON)
    first = await ledger.due.read("", 3)
    rest = await ledger.due.read(first[-1].key, 100)
    assert [due.key for due in first] == names[:3]
    assert [due.key for due in rest] == names[3:]
    assert await ledger.due.read(names[-1], 5) == []
    assert first[0] == Due(names[0], NOON)


async def test_the_due_list_may_be_longer_than_a_page_of_storage(ledger: Ledger, storage: str) -> None:
    with tables(storage) as service:
        table = service.get_table_client("conversions")
        rows_due = [
            ("upsert", {"PartitionKey": "due", "RowKey": f"user-{number:04d}", "since": NOON}) for number in range(1100)
        ]
        for start in range(0, len(rows_due), 100):
            table.submit_transaction(rows_due[start : start + 100])
    assert len(await ledger.due.read("", 2000)) == 1100
    assert [due.key for due in await ledger.due.read("user-0998", 3)] == ["user-0999", "user-1000", "user-1001"]


async def test_an_account_is_due_once_and_may_be_taken_off_twice(ledger: Ledger) -> None:
    await ledger.due.add(USER, NOON)
    await ledger.due.add(USER, NOON)
    (entry,) = await ledger.due.read("", 10)
    await ledger.due.remove(entry)
    await ledger.due.remove(entry)
    assert await ledger.due.read("", 10) == []


async def test_an_entry_that_was_put_there_anew_is_not_taken_off_by_who_read_the_old_one(ledger: Ledger) -> None:
    await ledger.due.add(USER, NOON)
    (entry,) = await ledger.due.read("", 10)
    await ledger.due.add(USER, NOON)
    await ledger.due.remove(entry)
    assert [due.key for due in await ledger.due.read("", 10)] == [USER]


async def test_open_requests_are_listed_apart_from_due_accounts(ledger: Ledger) -> None:
    for request_id in ("r-2", "r-1", "r-3"):
        await ledger.open.add(request_id, NOON)
    await ledger.due.add(USER, NOON)
    _, second, _ = await ledger.open.read("", 10)
    await ledger.open.remove(second)
    assert await ledger.open.read("", 10) == [Due("r-1", NOON), Due("r-3", NOON)]
    assert await ledger.open.read("r-1", 1) == [Due("r-3", NOON)]
    assert await ledger.due.read("", 10) == [Due(USER, NOON)]


async def test_the_sweep_remembers_where_it_stopped_in_each_list(ledger: Ledger) -> None:
    assert await ledger.due.cursor() == ""
    await ledger.due.move_cursor(USER)
    await ledger.open.move_cursor("r-1")
    assert (await ledger.due.cursor(), await ledger.open.cursor()) == (USER, "r-1")
    await ledger.due.move_cursor("")
    assert (await ledger.due.cursor(), await ledger.open.cursor()) == ("", "r-1")


async def test_requests_are_found_by_their_body(ledger: Ledger) -> None:
    for request_id in ("queue-1", "queue-2", "queue-1"):
        await ledger.remember_body("ab" * 32, request_id)
    assert await ledger.by_body("ab" * 32) == ["queue-1", "queue-2"]
    assert await ledger.by_body("cd" * 32) == []


async def test_rows_of_other_kinds_are_no_requests(ledger: Ledger) -> None:
    """A request id has no tilde, so nobody can name such a partition from outside."""
    await ledger.remember_body("ab" * 32, "queue-1")
    await ledger.due.add(USER, NOON)
    assert await ledger.requests.get(f"body~{'ab' * 32}") is None
    assert await ledger.conversions.get("due") is None
