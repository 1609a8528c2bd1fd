"""Listings over several pages, and reads that lag: the directory in memory behaves like the rehearsal's double."""

from datetime import UTC, datetime
from typing import Any

import pytest

from b2b.adapters.batch import Answer, Call
from b2b.adapters.directory import EVENTUAL
from b2b.adapters.graph import Graph
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.fact import Fact
from tests.rehearsal.tenant_support import ANNA, BEN, GUEST, SEED
from tests.simulation.directory_accounts import ACCEPTED, PENDING
from tests.simulation.directory_asking import PENDING_LIST, Failed, ask, invite, pending, state, tried
from tests.simulation.directory_contract import MemoryWorld, World, both
from tests.simulation.directory_state import SWITCHES
from tests.simulation.graph_client import ROOT

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
GUESTS = [
    {
        "id": f"0a000000-0000-4000-8000-{number:012d}",
        "userPrincipalName": f"guest{number}_litware.com#EXT#@contoso.onmicrosoft.com",
        "mail": f"guest{number}@litware.com",
        "userType": "Guest",
        "companyName": "Litware",
        "externalUserState": PENDING if number % 3 else ACCEPTED,
    }
    for number in range(100, 1400)
]
CROWD = SEED | {"users": [*SEED["users"], *GUESTS]}


@pytest.mark.parametrize("shape", SWITCHES["page-shape"])
async def test_pending_accounts_are_listed_over_all_pages(shape: str) -> None:
    async def script(world: World) -> Any:
        await invite(world)
        return await pending(world)

    found = await both(script, CROWD, {"page-shape": shape})
    expected = [guest["id"] for guest in GUESTS if guest["externalUserState"] == PENDING]
    assert found == sorted([*expected, ANNA, GUEST])


async def first_page(graph: Graph, call: Call) -> Answer:
    """Read the first page of a listing only."""
    (answer,) = graph._judged_parts(await graph._batch(ROOT, [call]), frozenset())
    return answer


async def second_page(world: World, call: Call, then: Call, wait: float) -> Any:
    """Read the first page, wait, then read the rest with the call `then`; return the number of items, or the error."""
    first = await first_page(world.graph, call)
    world.advance(wait)
    found = await tried(world.graph._all_pages(then, first))
    return found if isinstance(found, Failed) else len(found.body["value"])


@pytest.mark.parametrize("shape", SWITCHES["page-shape"])
async def test_the_accounts_of_a_company_are_counted_over_all_pages(shape: str) -> None:
    async def script(world: World) -> Any:
        return await ask(world, {facts.COLLEAGUES: "Litware"})

    assert (await both(script, CROWD, {"page-shape": shape}))[facts.COLLEAGUES] == {"litware.com": len(GUESTS)}


async def test_a_company_list_that_lags_shows_the_old_accounts() -> None:
    async def script(world: World) -> Any:
        world.set_lag(60)
        await world.act("change", ANNA, companyName="Litware")
        early = await ask(world, {facts.COLLEAGUES: "Litware"})
        world.advance(60)
        return early[facts.COLLEAGUES], (await ask(world, {facts.COLLEAGUES: "Litware"}))[facts.COLLEAGUES]

    assert await both(script) == ({}, {"fabrikam.com": 1})


@pytest.mark.parametrize(("wait", "outcome"), [(1799, 868), (1801, Failed("Transient", "Graph: answered 400"))])
async def test_a_page_token_expires_after_half_an_hour(wait: float, outcome: Any) -> None:
    async def script(world: World) -> Any:
        return await second_page(world, Call(PENDING_LIST), Call(PENDING_LIST), wait)

    assert await both(script, CROWD, {"page-shape": "short"}) == outcome


@pytest.mark.parametrize(("headers", "outcome"), [(EVENTUAL, 1), ({}, Failed("Transient", "Graph: answered 400"))])
async def test_each_page_of_an_advanced_query_needs_its_header(headers: dict[str, str], outcome: Any) -> None:
    url = "/directory/deletedItems/graph.user?%24count=true&%24filter=mail%20eq%20'dora@fabrikam.com'&%24select=id"

    async def script(world: World) -> Any:
        return await second_page(world, Call(url, EVENTUAL), Call(url, headers), 0)

    assert await both(script, SEED, {"page-shape": "short"}) == outcome


async def act_on(world: World, name: str) -> None:
    """Do one act to Anna; if it is `invite`, the app's client does it."""
    await (invite(world) if name == "invite" else world.act(name, ANNA))


@pytest.mark.parametrize("act", ["invite", "redeem", "delete", "restore", "purge"])
async def test_a_read_that_lags_shows_the_old_state(act: str) -> None:
    before = {"invite": (), "redeem": ("invite",), "delete": (), "restore": ("delete",), "purge": ("delete",)}[act]

    async def script(world: World) -> Any:
        for name in before:
            await act_on(world, name)
        world.advance(100)
        world.set_lag(60)
        await act_on(world, act)
        early = [await state(world), await everywhere(world), await pending(world)]
        world.advance(60)
        return early, [await state(world), await everywhere(world), await pending(world)]

    old, new = await both(script)
    assert old != new


async def everywhere(world: World) -> Any:
    """Read who holds Anna's address, who held it before being deleted, and whether Anna is in the recycle bin."""
    address = "anna@fabrikam.com"
    questions: dict[Fact[Any], Any] = {
        facts.USERS_WITH_ADDRESS: address,
        facts.DELETED_WITH_ADDRESS: address,
        facts.DELETED_ACCOUNT: ANNA,
    }
    return await ask(world, questions)


async def test_lags_differ_by_account_and_by_kind_of_read() -> None:
    here = MemoryWorld(SEED, NOON, {"page-shape": "short"})
    asked: list[tuple[str, str]] = []
    lags = {(ANNA, "object"): 0.0, (ANNA, "list"): 90.0, (BEN, "object"): 90.0, (BEN, "list"): 0.0}

    def lag(subject: str, kind: str) -> float:
        asked.append((subject, kind))
        return lags.get((subject, kind), 0.0)

    here.directory.change(BEN, mail="ben@fabrikam.com")
    here.directory.lag = lag
    here.advance(10)
    for user_id in (ANNA, BEN):
        assert here.directory.invite_by_hand(user_id)
    here.advance(60)
    assert [await state(here, user_id) for user_id in (ANNA, BEN)] == ["PendingAcceptance", None]
    assert asked == [(ANNA, "object"), (BEN, "object")]
    asked.clear()
    assert await pending(here) == [BEN, GUEST]
    assert sorted(asked) == [(ANNA, "list"), (BEN, "list"), (GUEST, "list")]


async def test_the_page_size_can_be_limited_and_page_tokens_can_be_expired() -> None:
    here = MemoryWorld(SEED, NOON)
    for user_id in (ANNA, BEN):
        here.directory.update(here.directory.account(user_id) or {}, externalUserState="PendingAcceptance")
    here.directory.page_cap = 1
    assert await pending(here) == [ANNA, BEN, GUEST]
    first = await first_page(here.graph, Call(PENDING_LIST))
    here.directory.reads.expire_pages()
    assert await tried(here.graph._all_pages(Call(PENDING_LIST), first)) == Failed("Transient", "Graph: answered 400")
