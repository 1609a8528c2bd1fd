"""Rows with other keys: members, reservations, bodies, and the fact about the tenant."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from b2b.adapters.ledger import Ledger
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.tenant_fact import Known, Shows, TenantFact
from b2b.domain.errors import LedgerConflict
from b2b.domain.readings import Reservation
from tests.adapters.ledger_support import (
    NOON,
    OTHER,
    USER,
    change,
    conversion,
)

ADDRESS = "0f" * 32


async def test_members_belong_to_one_generation_only(ledger: Ledger) -> None:
    first = await ledger.save(change(conversion(stage=Stage.BLOCKED), "blocked"), "r-1", "r-2")
    second = await ledger.save(change(replace(first, generation=2, stage=Stage.INVITING), "inviting"), "r-3", "r.4_5-6")
    assert await ledger.members(first) == ["r-1", "r-2"]
    assert await ledger.members(second) == ["r-3", "r.4_5-6"]
    assert await ledger.members(conversion(OTHER)) == []


async def test_a_request_that_starts_over_is_a_member_of_the_new_generation_only(ledger: Ledger) -> None:
    first = await ledger.save(change(conversion(stage=Stage.BLOCKED), "blocked"), "r-1")
    second = await ledger.save(change(replace(first, generation=2, stage=Stage.INVITING), "inviting"), "r-1")
    assert (await ledger.members(first), await ledger.members(second)) == ([], ["r-1"])


async def test_the_longest_request_id_can_be_a_member(ledger: Ledger) -> None:
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


async def test_a_reservation_is_renewed_or_taken_over_by_etag(ledger: Ledger) -> None:
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


async def test_only_one_of_many_takes_a_reservation_over(ledger: Ledger) -> None:
    held = await ledger.reserve(MINE)

    async def take(number: int) -> bool:
        try:
            await ledger.reserve(replace(held, user_id=f"0a000000-0000-4000-8000-{number:012d}"))
        except LedgerConflict:
            return False
        return True

    assert sum(await asyncio.gather(*(take(number) for number in range(8)))) == 1


async def test_a_reservation_records_since_when_its_holder_is_absent(ledger: Ledger) -> None:
    first = await ledger.reserve(MINE)
    absent = await ledger.reserve(replace(first, absent_since=NOON))
    found = await ledger.reservation(ADDRESS)
    assert found == absent
    assert found.absent_since == NOON
    back = await ledger.reserve(replace(absent, absent_since=None))
    assert await ledger.reservation(ADDRESS) == back
    assert back.absent_since is None


async def test_the_tenant_fact_is_unknown_until_it_is_learned(ledger: Ledger) -> None:
    assert await ledger.tenant_fact() == TenantFact()
    fact = TenantFact(Known(Shows.YES), Known(Shows.NO, (f"{USER}~1", f"{OTHER}~2")))
    await ledger.learn(fact)
    assert await ledger.tenant_fact() == fact
    await ledger.learn(TenantFact())
    assert await ledger.tenant_fact() == TenantFact()


async def test_requests_are_found_by_their_body(ledger: Ledger) -> None:
    for request_id in ("queue-1", "queue-2", "queue-1"):
        await ledger.remember_body("ab" * 32, request_id)
    assert await ledger.by_body("ab" * 32) == ["queue-1", "queue-2"]
    assert await ledger.by_body("cd" * 32) == []


async def test_rows_of_other_kinds_are_not_read_as_requests(ledger: Ledger) -> None:
    """A request id contains no tilde, so no caller can name such a partition."""
    await ledger.remember_body("ab" * 32, "queue-1")
    await ledger.followed.add(USER, NOON)
    assert await ledger.requests.get(f"body~{'ab' * 32}") is None
    assert await ledger.conversions.get("followed~") is None
