"""Snapshots beside a conversion's row: written in its transaction, read back whole, whatever an account holds."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from b2b.adapters import snapshots
from b2b.adapters.ledger import Ledger
from b2b.domain.account import Account
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.fact import Facts
from b2b.domain.errors import LedgerConflict, UnreadableRow
from b2b.domain.lifecycle.snapshot import Kind, Moment, Snapshot, snapshot_of
from tests.adapters.ledger_support import NOON, USER, change, conversion, rows, tables

PROPERTY, ENTITY = 65_536, 1_048_576


def things(number: int, name: str = "Group of Contoso") -> dict[str, str]:
    return {f"{n * 7919:032x}"[-32:] + f"-{n:03}": name and f"{name} {n}" for n in range(number)}


def taken(**known: Any) -> Snapshot:
    read = {getattr(facts, name.upper()): value for name, value in known.items()}
    return snapshot_of(Account(USER, "anna@contoso.com"), Facts(read), NOON)


LARGE = {
    "nothing": taken(),
    "2,000 groups, 500 app roles": taken(direct_groups=things(2000), app_roles=things(500, "Portal")),
    "more than fits": taken(
        direct_groups=things(30_000, "神" * 60), app_roles=things(9000, "😀" * 60), owned_objects=things(9000, "x" * 60)
    ),
}


@pytest.mark.parametrize("case", LARGE)
async def test_a_snapshot_is_read_back_as_it_was_saved_with_the_row(ledger: Ledger, storage: str, case: str) -> None:
    snapshot = LARGE[case]
    await ledger.save(change(conversion(generation=3), "inviting"), "r-1", kept={Moment.BEFORE: snapshot})
    assert await ledger.snapshot(USER, 3, Moment.BEFORE) == snapshot
    assert await ledger.snapshot(USER, 3, Moment.AFTER) is None
    assert await ledger.snapshot(USER, 2, Moment.BEFORE) is None
    row = rows(storage, "conversions", USER)[snapshots.key(3, Moment.BEFORE)]
    sizes = [len(value) for value in row.values() if isinstance(value, bytes)]
    assert max(sizes) <= PROPERTY - 10_000
    assert sum(sizes) <= ENTITY // 2


async def test_a_smaller_snapshot_replaces_a_larger_one_completely(ledger: Ledger) -> None:
    row = await ledger.save(change(conversion()), kept={Moment.BEFORE: LARGE["more than fits"]})
    await ledger.save(change(row), kept={Moment.BEFORE: LARGE["nothing"]})
    assert await ledger.snapshot(USER, 1, Moment.BEFORE) == LARGE["nothing"]


async def test_a_conflict_on_the_row_saves_no_snapshot(ledger: Ledger) -> None:
    await ledger.save(change(conversion(), "inviting"))
    with pytest.raises(LedgerConflict):
        await ledger.save(change(conversion(), "inviting"), kept={Moment.BEFORE: LARGE["nothing"]})
    assert await ledger.snapshot(USER, 1, Moment.BEFORE) is None


async def test_a_snapshot_does_not_appear_among_events_or_members(ledger: Ledger) -> None:
    row = await ledger.save(
        change(conversion(), "inviting"), "r-1", kept={Moment.BEFORE: taken(), Moment.SEEN: taken()}
    )
    assert [event.kind for event in await ledger.conversions.history(USER, 0, 10)] == ["inviting"]
    assert await ledger.members(row) == ["r-1"]


async def test_a_snapshot_of_a_newer_version_raises_unreadable_row(ledger: Ledger, storage: str) -> None:
    newer = msgspec.structs.replace(taken(), kinds={"jobTitle": taken().kinds[Kind.NAME]})
    await ledger.save(change(conversion()), kept={Moment.BEFORE: newer})
    with pytest.raises(UnreadableRow):
        await ledger.snapshot(USER, 1, Moment.BEFORE)
    with tables(storage) as service:
        service.get_table_client("conversions").upsert_entity(
            {"PartitionKey": USER, "RowKey": snapshots.key(1, Moment.AFTER), "chunk0": b"not compressed"}
        )
    with pytest.raises(UnreadableRow):
        await ledger.snapshot(USER, 1, Moment.AFTER)


async def test_a_conversion_row_stores_its_snapshot_columns(ledger: Ledger) -> None:
    row = replace(conversion(), baseline=1, access_seen_at=NOON, equal_since=NOON)
    await ledger.save(change(row), kept={Moment.BEFORE: taken()})
    read = await ledger.conversions.get(USER)
    assert read is not None
    assert (read.baseline, read.access_seen_at, read.equal_since) == (1, NOON, NOON)
