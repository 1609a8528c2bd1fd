"""Campaigns in Table Storage: members by stage, lists that are sent again, and processes that die."""

import asyncio
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from azure.core.pipeline.transport import HttpRequest

from b2b.adapters.ledger import Ledger
from b2b.domain.campaign.columns import Column
from b2b.domain.campaign.incoming import Outcome
from b2b.domain.campaign.member import Member, MemberStage
from b2b.domain.campaign.reading import LARGEST_KEPT, LONGEST_CELL, MOST_KEPT, Wanted
from b2b.domain.campaign.records import CampaignState, ImportState, created, turned
from b2b.domain.conversion.records import Change, Event
from b2b.domain.errors import LedgerConflict, RequestRefused
from b2b.domain.findings import Severity
from b2b.workflows.campaigns.lists import Lists
from tests.support.world import FaultyStorage
from tests.unit.campaign.people import IDS, NOON, POLICY, finding, member

SPRING = "spring"


@pytest.fixture
async def lists(ledger: Ledger) -> Lists:
    await ledger.campaigns.create(created(SPRING, "Suppliers", NOON, "key"))
    return Lists(ledger, POLICY, lambda: NOON)


@pytest.fixture
async def meddled(storage: str) -> AsyncIterator[tuple[Ledger, FaultyStorage]]:
    room = FaultyStorage()
    opened = Ledger.from_connection_string(storage, transport=room.transport())
    yield opened, room
    await opened.aclose()


def people(count: int, first: int = 0) -> bytes:
    rows = (f"user{number}@contoso.com,user{number}@fabrikam.com,{number}\n" for number in range(first, first + count))
    return ("upn,address,ref\n" + "".join(rows)).encode()


async def everybody(ledger: Ledger, stage: MemberStage | None = None, campaign: str = SPRING) -> list[Member]:
    return [each async for each in ledger.campaigns.scan(campaign, stage)]


async def test_a_campaign_is_created_once_and_listed(ledger: Ledger) -> None:
    change = created(SPRING, "Suppliers", NOON, "key", description="all of them", defaults=b'{"dryRun":false}')
    written = await ledger.campaigns.create(change)
    assert replace(written, etag="", sequence=0) == change.row
    with pytest.raises(LedgerConflict):
        await ledger.campaigns.create(change)
    paused = await ledger.campaigns.rows.write(turned(written, CampaignState.PAUSED, NOON, "key"))
    assert await ledger.campaigns.some("", 2) == ([paused], "")
    assert await ledger.campaigns.some("", 1) == ([paused], SPRING)
    assert await ledger.campaigns.some(SPRING, 1) == ([], "")


async def test_a_member_is_only_on_the_list_of_its_current_stage(ledger: Ledger) -> None:
    row = member(1, stage=MemberStage.LISTED, kept=(("Supplier", "=1"),), waived=(finding("x", Severity.REVIEW),))
    assert await ledger.campaigns.store([(row, None)])
    stored = await ledger.campaigns.member(SPRING, row.key)
    assert stored is not None
    assert replace(stored, etag="") == row
    judged = await ledger.campaigns.write(Change(replace(stored, stage=MemberStage.JUDGED)), stored)
    assert await everybody(ledger, MemberStage.LISTED) == []
    assert [each.key for each in await everybody(ledger, MemberStage.JUDGED)] == [row.key]
    with pytest.raises(LedgerConflict):
        await ledger.campaigns.write(Change(replace(stored, stage=MemberStage.CANCELLED)), stored)
    decided = Change(replace(judged, stage=MemberStage.CANCELLED), (Event("refused", NOON, detail="by x"),))
    assert (await ledger.campaigns.write(decided, judged)).sequence == 1
    assert [each.stage for each in await everybody(ledger)] == [MemberStage.CANCELLED]


async def test_an_account_can_be_claimed_by_one_member_only(ledger: Ledger) -> None:
    first, second = (member(number, stage=MemberStage.LISTED) for number in (1, 2))
    await ledger.campaigns.store([(first, None), (second, None)])
    found = await ledger.campaigns.members(SPRING, (first.key, second.key, "f" * 32))
    assert found.keys() == {first.key, second.key}
    await ledger.campaigns.write(Change(found[first.key]), found[first.key], IDS[1])
    with pytest.raises(LedgerConflict):
        await ledger.campaigns.write(Change(found[second.key]), found[second.key], IDS[1])
    assert await ledger.campaigns.person(SPRING, IDS[1]) == first.key
    assert await ledger.campaigns.person(SPRING, IDS[2]) == ""


async def test_a_page_of_a_stage_takes_one_call(lists: Lists, meddled: tuple[Ledger, FaultyStorage]) -> None:
    await lists.take_in(SPRING, people(1100))
    opened, room = meddled
    calls: list[str] = []

    async def counted(request: HttpRequest) -> None:
        calls.append(request.method)

    room.before = counted
    first, last = await opened.campaigns.page(SPRING, MemberStage.LISTED, "", 100)
    second, end = await opened.campaigns.page(SPRING, MemberStage.LISTED, last, 100)
    assert len({each.key for each in (*first, *second)}) == 200
    assert await opened.campaigns.page(SPRING, MemberStage.JUDGED, "", 100) == ([], "")
    assert end == second[-1].key
    assert calls == ["GET"] * 3


async def test_a_list_is_stored_and_unchanged_when_sent_again(lists: Lists, ledger: Ledger) -> None:
    first = await lists.take_in(SPRING, people(120))
    assert (first.row.taken, first.row.state, first.all_known) == (120, ImportState.FINISHED, False)
    again = await lists.take_in(SPRING, people(120))
    assert (again.row.taken, again.row.unchanged, again.all_known) == (0, 120, True)
    stored = await ledger.campaigns.list_import(SPRING, first.row.import_id)
    assert stored is not None
    assert replace(stored, etag="") == replace(first.row, etag="")
    members = await everybody(ledger)
    assert sorted(int(each.reference) for each in members) == list(range(120))


@pytest.mark.parametrize(
    "cell", ["\u0416" * 1000, "\U0001f600" * 1000, '"' * 1000], ids=["Cyrillic", "emoji", "quotes"]
)
async def test_a_list_of_the_longest_cells_is_stored(lists: Lists, ledger: Ledger, cell: str) -> None:
    """A transaction has a limit of 100 rows and a limit of bytes."""
    names = tuple(f"k{number}" for number in range(MOST_KEPT))
    rows = [{"upn": f"user{number}@contoso.com", **dict.fromkeys(names, cell)} for number in range(60)]
    found = await lists.take_in(SPRING, json.dumps(rows, ensure_ascii=False).encode(), Wanted(keep=names))
    assert (found.row.taken, found.row.refused) == (60, 0)
    assert [{value for _, value in each.kept} for each in await everybody(ledger)] == [{cell}] * 60


async def test_a_corrected_list_changes_the_rows_that_differ(lists: Lists, ledger: Ledger) -> None:
    await lists.take_in(SPRING, people(3))
    corrected = people(3).replace(b"user1@fabrikam.com", b"new@fabrikam.com") + b"user9@contoso.com,,\n"
    found = await lists.take_in(SPRING, corrected)
    assert (found.row.taken, found.row.changed, found.row.unchanged) == (1, 1, 2)
    assert sorted(each.address for each in await everybody(ledger)) == [
        *("", "new@fabrikam.com", "user0@fabrikam.com", "user2@fabrikam.com")
    ]


async def test_the_largest_row_is_stored_and_a_larger_one_refused(lists: Lists, ledger: Ledger) -> None:
    """JSON writes a control character as six characters."""
    names = tuple(f"k{number}" for number in range(MOST_KEPT))
    around = len(json.dumps([[name, ""] for name in names], separators=(",", ":")))
    most = (LARGEST_KEPT - around) // 6

    def row(number: int, count: int) -> dict[str, str]:
        left = [min(LONGEST_CELL, max(0, count - LONGEST_CELL * place)) for place in range(MOST_KEPT)]
        return {"upn": f"user{number}@contoso.com"} | {
            name: "\x01" * size for name, size in zip(names, left, strict=True)
        }

    text = json.dumps([row(0, most), row(1, most + 1), row(2, 0)])
    found = await lists.take_in(SPRING, text.encode(), Wanted(keep=names))
    assert [(fault.line, fault.column, fault.code) for fault in found.plan.faults] == [(2, "k0", "InvalidValue")]
    assert len(await everybody(ledger)) == 2


async def test_an_unreadable_list_leaves_nothing_in_storage(lists: Lists, ledger: Ledger) -> None:
    with pytest.raises(RequestRefused):
        await lists.take_in(SPRING, b"Name\nAnna\n")
    assert await everybody(ledger) == []


async def test_a_list_for_an_unknown_or_ended_campaign_is_refused(lists: Lists, ledger: Ledger) -> None:
    with pytest.raises(RequestRefused) as unknown:
        await lists.take_in("autumn", people(1))
    row = await ledger.campaigns.rows.get(SPRING)
    assert row is not None
    await ledger.campaigns.rows.write(turned(row, CampaignState.ENDED, NOON, "key"))
    with pytest.raises(RequestRefused) as ended:
        await lists.take_in(SPRING, people(1))
    assert (unknown.value.code, ended.value.code) == ("CampaignNotFound", "CampaignEnded")


async def test_campaigns_do_not_share_members(lists: Lists, ledger: Ledger) -> None:
    await ledger.campaigns.create(created("autumn", "Distributors", NOON, "key"))
    await lists.take_in(SPRING, people(2))
    found = await lists.take_in("autumn", people(2))
    assert found.row.taken == 2
    (first, _) = await everybody(ledger, campaign="autumn")
    assert await ledger.campaigns.member(SPRING, first.key) is not None  # the key is made from the account's name
    assert {each.campaign_id for each in await everybody(ledger)} == {SPRING}


@pytest.mark.parametrize("killed_at", range(1, 7))
async def test_a_list_that_was_cut_off_is_completed_when_sent_again(
    lists: Lists, ledger: Ledger, meddled: tuple[Ledger, FaultyStorage], killed_at: int
) -> None:
    """The calls are: write the import's row, each of the transactions, and the import's row again."""
    opened, room = meddled
    written = 0

    async def count(request: HttpRequest) -> None:
        nonlocal written
        written += request.method in {"POST", "PUT", "PATCH"}
        if written >= killed_at:
            raise asyncio.CancelledError

    room.before = count
    with pytest.raises(asyncio.CancelledError):
        await Lists(opened, POLICY, lambda: NOON).take_in(SPRING, people(200))
    half = len(await everybody(ledger))
    found = await lists.take_in(SPRING, people(200))
    assert (found.row.taken, found.row.state) == (200, ImportState.FINISHED)
    assert half <= 200
    assert max(Counter(each.reference for each in await everybody(ledger)).values()) == 1
    assert len(await everybody(ledger)) == 200


async def test_the_same_list_sent_twice_at_once_is_stored_once(lists: Lists, ledger: Ledger) -> None:
    both = await asyncio.gather(*(lists.take_in(SPRING, people(300)) for _ in range(2)))
    assert [len(found.plan.rows) for found in both] == [300, 300]
    assert len(await everybody(ledger)) == 300


async def test_two_lists_sent_at_once_are_both_stored(lists: Lists, ledger: Ledger) -> None:
    await asyncio.gather(lists.take_in(SPRING, people(150)), lists.take_in(SPRING, people(150, first=100)))
    assert sorted(int(each.reference) for each in await everybody(ledger)) == list(range(250))
    assert await everybody(ledger, MemberStage.LISTED) == await everybody(ledger)


async def test_a_list_read_with_other_columns_is_another_import(lists: Lists) -> None:
    text = b"Konto;Nr\na@contoso.com;1\n"
    first = await lists.take_in(SPRING, text, Wanted(named={Column.UPN: "Konto"}))
    second = await lists.take_in(SPRING, text, Wanted(named={Column.UPN: "Konto", Column.REFERENCE: "Nr"}))
    assert (first.row.taken, second.row.changed) == (1, 1)
    assert [row.outcome for row in second.plan.rows] == [Outcome.CHANGED]


CHILD = """
import asyncio, sys
from b2b.adapters.ledger import Ledger
from b2b.domain.findings import Severity
from b2b.workflows.campaigns.lists import Lists
from tests.adapters.test_campaigns import POLICY, NOON, SPRING, people

async def main():
    ledger = Ledger.from_connection_string(sys.argv[1])
    await Lists(ledger, POLICY, lambda: NOON).take_in(SPRING, people(1500))

asyncio.run(main())
"""


async def test_a_list_whose_import_was_killed_is_completed_when_sent_again(
    lists: Lists, ledger: Ledger, storage: str
) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD, storage])  # noqa: ASYNC220, S603  killed below
    try:
        async with asyncio.timeout(100):
            while not (await ledger.campaigns.page(SPRING, None, "", 1))[0]:
                assert child.poll() is None
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    half = len(await everybody(ledger))
    found = await lists.take_in(SPRING, people(1500))
    assert 0 < half < 1500
    assert found.row.taken == 1500
    assert sorted(int(each.reference) for each in await everybody(ledger)) == list(range(1500))
