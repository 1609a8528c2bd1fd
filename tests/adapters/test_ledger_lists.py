"""What is found by another key: members, reservations, followed accounts, open requests, bodies, the tenant's fact."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from b2b.adapters.ledger import Ledger
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.tenant_fact import Known, Shows, TenantFact
from b2b.domain.errors import LedgerConflict
from b2b.domain.readings import Entry, Reservation
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


MINE = Reservation(ADDRESS, USER, NOON)


async def test_an_address_is_reserved_once(ledger: Ledger) -> None:
    assert await ledger.reservation(ADDRESS) is None
    written = await ledger.reserve(MINE)
    assert written.etag
    assert await ledger.reservation(ADDRESS) == written == replace(MINE, etag=written.etag)
    for late in (MINE, replace(MINE, user_id=OTHER)):
        with pytest.raises(LedgerConflict):
            await ledger.reserve(late)
    assert await ledger.reservation(ADDRESS) == written


async def test_a_reservation_is_renewed_or_taken_over_from_the_one_that_was_read(ledger: Ledger) -> None:
    stale = await ledger.reserve(MINE)
    later = NOON + timedelta(minutes=5)
    renewed = await ledger.reserve(replace(stale, since=later))
    assert await ledger.reservation(ADDRESS) == renewed
    assert renewed.since == later
    with pytest.raises(LedgerConflict):
        await ledger.reserve(replace(stale, user_id=OTHER))
    taken = await ledger.reserve(replace(renewed, user_id=OTHER))
    assert await ledger.reservation(ADDRESS) == taken
    assert taken.user_id == OTHER


async def test_of_many_who_take_one_reservation_over_one_gets_it(ledger: Ledger) -> None:
    held = await ledger.reserve(MINE)

    async def take(number: int) -> bool:
        try:
            await ledger.reserve(replace(held, user_id=f"0a000000-0000-4000-8000-{number:012d}"))
        except LedgerConflict:
            return False
        return True

    assert sum(await asyncio.gather(*(take(number) for number in range(8)))) == 1


async def test_a_reservation_remembers_since_when_its_holder_is_absent(ledger: Ledger) -> None:
    first = await ledger.reserve(MINE)
    absent = await ledger.reserve(replace(first, absent_since=NOON))
    found = await ledger.reservation(ADDRESS)
    assert found == absent
    assert found.absent_since == NOON
    back = await ledger.reserve(replace(absent, absent_since=None))
    assert await ledger.reservation(ADDRESS) == back
    assert back.absent_since is None


async def test_nothing_is_known_of_a_tenant_until_it_is_learned(ledger: Ledger) -> None:
    assert await ledger.tenant_fact() == TenantFact()
    fact = TenantFact(Known(Shows.YES), Known(Shows.NO, (f"{USER}~1", f"{OTHER}~2")))
    await ledger.learn(fact)
    assert await ledger.tenant_fact() == fact
    await ledger.learn(TenantFact())
    assert await ledger.tenant_fact() == TenantFact()


async def test_the_list_of_followed_accounts_is_read_in_parts_in_order(ledger: Ledger) -> None:
    names = [f"0a000000-0000-4000-8000-{number:012d}" for number in range(7)]
    for name in reversed(names):
        await ledger.followed.add(name, NOON)
    first = await ledger.followed.read("", 3)
    rest = await ledger.followed.read(first[-1].key, 100)
    assert [entry.key for entry in first] == names[:3]
    assert [entry.key for entry in rest] == names[3:]
    assert await ledger.followed.read(names[-1], 5) == []
    assert first[0] == Entry(names[0], NOON)


async def test_the_list_of_followed_accounts_may_be_longer_than_a_page_of_storage(ledger: Ledger, storage: str) -> None:
    with tables(storage) as service:
        table = service.get_table_client("conversions")
        listed = [
            ("upsert", {"PartitionKey": "followed~", "RowKey": f"user-{number:04d}", "since": NOON})
            for number in range(1100)
        ]
        for start in range(0, len(listed), 100):
            table.submit_transaction(listed[start : start + 100])
    assert len(await ledger.followed.read("", 2000)) == 1100
    assert [entry.key for entry in await ledger.followed.read("user-0998", 3)] == [
        "user-0999",
        "user-1000",
        "user-1001",
    ]


async def test_an_account_is_followed_once_and_may_be_taken_off_twice(ledger: Ledger) -> None:
    await ledger.followed.add(USER, NOON)
    await ledger.followed.add(USER, NOON)
    (entry,) = await ledger.followed.read("", 10)
    await ledger.followed.remove(entry)
    await ledger.followed.remove(entry)
    assert await ledger.followed.read("", 10) == []


async def test_an_entry_that_was_put_there_anew_is_not_taken_off_by_who_read_the_old_one(ledger: Ledger) -> None:
    await ledger.followed.add(USER, NOON)
    (entry,) = await ledger.followed.read("", 10)
    await ledger.followed.add(USER, NOON)
    await ledger.followed.remove(entry)
    assert [entry.key for entry in await ledger.followed.read("", 10)] == [USER]


async def test_open_requests_are_listed_apart_from_followed_accounts(ledger: Ledger) -> None:
    for request_id in ("r-2", "r-1", "r-3"):
        await ledger.open.add(request_id, NOON)
    await ledger.followed.add(USER, NOON)
    _, second, _ = await ledger.open.read("", 10)
    await ledger.open.remove(second)
    assert await ledger.open.read("", 10) == [Entry("r-1", NOON), Entry("r-3", NOON)]
    assert await ledger.open.read("r-1", 1) == [Entry("r-3", NOON)]
    assert await ledger.followed.read("", 10) == [Entry(USER, NOON)]


async def test_the_sweep_remembers_where_it_stopped_in_each_list(ledger: Ledger) -> None:
    assert await ledger.followed.cursor() == ""
    await ledger.followed.move_cursor(USER)
    await ledger.open.move_cursor("r-1")
    assert (await ledger.followed.cursor(), await ledger.open.cursor()) == (USER, "r-1")
    await ledger.followed.move_cursor("")
    assert (await ledger.followed.cursor(), await ledger.open.cursor()) == ("", "r-1")


async def test_requests_are_found_by_their_body(ledger: Ledger) -> None:
    for request_id in ("queue-1", "queue-2", "queue-1"):
        await ledger.remember_body("ab" * 32, request_id)
    assert await ledger.by_body("ab" * 32) == ["queue-1", "queue-2"]
    assert await ledger.by_body("cd" * 32) == []


async def test_rows_of_other_kinds_are_no_requests(ledger: Ledger) -> None:
    """A request id has no tilde, so nobody can name such a partition from outside."""
    await ledger.remember_body("ab" * 32, "queue-1")
    await ledger.followed.add(USER, NOON)
    assert await ledger.requests.get(f"body~{'ab' * 32}") is None
    assert await ledger.conversions.get("followed~") is None
