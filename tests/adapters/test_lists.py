"""The sweep's lists: their order and pages, the ETag of each entry, and the position at which a run stopped."""

from dataclasses import replace
from datetime import timedelta

from b2b.adapters.ledger import Ledger
from b2b.adapters.tables import TRANSACTION
from b2b.domain.readings import Cursor, Entry, Followed
from b2b.domain.sweep import Census, Part, PartReport, Reported, SweepReport
from tests.adapters.ledger_support import NOON, OTHER, USER

MINUTE = timedelta(minutes=1)


def names(number: int) -> list[str]:
    return [f"0a000000-0000-4000-8000-{each:012d}" for each in range(number)]


async def followed(ledger: Ledger, after: str = "") -> list[Followed]:
    return [entry async for entry in ledger.followed.scan(after)]


async def test_a_list_by_name_is_read_in_pages_in_order(ledger: Ledger) -> None:
    for name in reversed(names(7)):
        await ledger.untold.add(name, NOON)
    first = await ledger.untold.read("", 3)
    rest = await ledger.untold.read(first[-1].place, 100)
    assert [entry.key for entry in (*first, *rest)] == names(7)
    assert first[0] == Entry(names(1)[0], NOON)
    assert await ledger.untold.read(names(7)[-1], 5) == []


async def test_a_list_by_time_is_read_up_to_a_moment(ledger: Ledger) -> None:
    for number, key in ((3, "c"), (1, "b~1"), (2, "a")):
        await ledger.schedule.add(key, NOON + number * MINUTE)
    due = await ledger.schedule.read("", 10, until=NOON + 3 * MINUTE)
    assert [(entry.key, entry.since) for entry in due] == [("b~1", NOON + MINUTE), ("a", NOON + 2 * MINUTE)]
    assert [entry.key for entry in await ledger.schedule.read(due[-1].place, 10)] == ["c"]


async def test_a_list_by_time_has_one_entry_for_each_key_and_time(ledger: Ledger) -> None:
    for at in (NOON, NOON + MINUTE, NOON):
        await ledger.open.add("r-1", at)
    assert await ledger.open.read("", 10) == [Entry("r-1", NOON), Entry("r-1", NOON + MINUTE)]


async def test_removing_an_entry_that_was_read_keeps_a_newer_one(ledger: Ledger) -> None:
    old = await ledger.untold.add(USER, NOON)
    new = await ledger.untold.add(USER, NOON)
    await ledger.untold.remove(old)
    assert await ledger.untold.read("", 10) == [Entry(USER, NOON)]
    await ledger.untold.remove(new)
    assert await ledger.untold.read("", 10) == []


async def test_more_entries_than_fit_into_a_transaction_are_added_and_removed(ledger: Ledger) -> None:
    many = names(TRANSACTION + 20)
    await ledger.untold.add_all((name, NOON) for name in (*many, many[0]))
    entries = await ledger.untold.read("", 1000)
    assert [entry.key for entry in entries] == many
    await ledger.untold.remove(*entries)
    assert await ledger.untold.read("", 1000) == []


async def test_missing_or_newer_entries_do_not_prevent_removing_the_others(ledger: Ledger) -> None:
    entries = [await ledger.untold.add(name, NOON) for name in names(4)]
    await ledger.untold.remove(entries[0])
    await ledger.untold.add(entries[1].key, NOON + MINUTE)
    await ledger.untold.remove(*entries)
    assert await ledger.untold.read("", 10) == [Entry(entries[1].key, NOON + MINUTE)]


async def test_a_followed_entry_stores_what_was_learned_about_the_account(ledger: Ledger) -> None:
    await ledger.followed.follow(USER, NOON, synced=True)
    await ledger.followed.follow(OTHER, NOON, synced=False)
    (mine, other) = await followed(ledger)
    assert (mine, other) == (Followed(USER, NOON, synced=True), Followed(OTHER, NOON))
    await ledger.followed.mark([replace(mine, shown=True), replace(other, put_off=True)])
    assert await followed(ledger) == [replace(mine, shown=True), replace(other, put_off=True)]
    assert await ledger.followed.get(OTHER) == replace(other, put_off=True)
    assert await followed(ledger, USER) == [replace(other, put_off=True)]


async def test_an_entry_that_was_claimed_again_is_neither_marked_nor_dropped_by_an_old_copy(ledger: Ledger) -> None:
    await ledger.followed.follow(USER, NOON, synced=False)
    await ledger.followed.follow(OTHER, NOON, synced=False)
    seen = await followed(ledger)
    await ledger.followed.follow(USER, NOON + MINUTE, synced=False)
    await ledger.followed.mark([replace(each, put_off=True) for each in seen])
    assert await followed(ledger) == [Followed(USER, NOON + MINUTE), Followed(OTHER, NOON, put_off=True)]
    await ledger.followed.drop(seen)
    assert [entry.key for entry in await followed(ledger)] == [USER, OTHER]
    await ledger.followed.drop(await followed(ledger))
    assert await ledger.followed.get(USER) is None


async def test_each_list_stores_the_cursor_and_the_start_of_its_round(ledger: Ledger) -> None:
    assert await ledger.followed.cursor() == Cursor()
    await ledger.followed.move_cursor(Cursor(USER, NOON, {"paused": 3}))
    await ledger.open.move_cursor(Cursor("r-1", NOON + MINUTE))
    assert await ledger.followed.cursor() == Cursor(USER, NOON, {"paused": 3})
    await ledger.followed.move_cursor(Cursor())
    assert (await ledger.followed.cursor(), await ledger.open.cursor()) == (Cursor(), Cursor("r-1", NOON + MINUTE))


async def test_the_last_report_of_each_part_is_stored(ledger: Ledger) -> None:
    assert await ledger.reported() == Reported()
    first = (PartReport(Part.DRAIN, done=1), PartReport(Part.FOLLOW, left=2, oldest=NOON))
    await ledger.report(SweepReport(first), NOON)
    await ledger.report(SweepReport((PartReport(Part.DRAIN, done=3),)), NOON + MINUTE)
    runs = {run.report.part: run for run in (await ledger.reported()).runs}
    assert (runs[Part.DRAIN].report.done, runs[Part.DRAIN].at) == (3, NOON + MINUTE)
    assert (runs[Part.FOLLOW].report.left, runs[Part.FOLLOW].report.oldest, runs[Part.FOLLOW].at) == (2, NOON, NOON)


async def test_the_last_census_is_stored_until_the_next_one(ledger: Ledger) -> None:
    census = Census({"paused": 3}, 1, NOON)
    await ledger.report(SweepReport((PartReport(Part.REPAIR),), census=census), NOON)
    await ledger.report(SweepReport((PartReport(Part.REPAIR),)), NOON + MINUTE)
    reported = await ledger.reported()
    assert (reported.census, len(reported.runs)) == (census, 1)
