"""The list of all accounts with a pending invitation, page by page: with given answers, and from the double."""

from typing import Any

import pytest

from b2b.adapters.directory import Directory
from b2b.domain.errors import AccessDenied, Transient
from tests.adapters.directory_support import TENANT, without
from tests.adapters.graph_support import ROOT, Outcome, Wire, graph_of, graph_over, json_response, only

NEXT = f"{ROOT}/users?$skiptoken=1"


def guest(number: int, state: str = "PendingAcceptance") -> dict[str, Any]:
    return {
        "id": f"0A000000-0000-4000-8000-{number:012d}",
        "userPrincipalName": f"guest{number}@contoso.com",
        "externalUserState": state,
    }


def ids(*numbers: int) -> list[dict[str, str]]:
    return [{"id": guest(number)["id"]} for number in numbers]


def lower(*numbers: int) -> list[str]:
    return [guest(number)["id"].lower() for number in numbers]


async def listed(*answers: Outcome) -> tuple[list[list[str]], Wire]:
    wire = Wire(*answers)
    async with graph_over(wire) as graph:
        return [page async for page in Directory(graph).pending()], wire


def first(body: dict[str, Any]) -> Outcome:
    return only({"status": 200, "body": body})


async def test_pages_are_returned_in_order_including_empty_ones() -> None:
    pages, wire = await listed(
        first({"value": [], "@odata.nextLink": NEXT}),
        json_response({"value": ids(1, 2), "@odata.nextLink": f"{NEXT}2"}),
        json_response({"value": ids(3)}),
    )
    assert pages == [[], lower(1, 2), lower(3)]
    assert [str(request.url) for request in wire.sent[1:]] == [NEXT, f"{NEXT}2"]
    assert not any("ConsistencyLevel" in request.headers for request in wire.sent), "a plain query needs no such header"


async def test_a_page_is_requested_only_when_it_is_needed() -> None:
    wire = Wire(first({"value": ids(1), "@odata.nextLink": NEXT}), json_response({"value": ids(2)}))
    async with graph_over(wire) as graph:
        async for page in Directory(graph).pending():
            assert page == lower(1)
            break
    assert len(wire.sent) == 1


@pytest.mark.parametrize("status", [400, 410, 429, 500, 503])
async def test_a_list_that_breaks_off_raises_transient(status: int) -> None:
    broken = json_response({"error": {"code": "Directory_ExpiredPageToken"}}, status)
    with pytest.raises(Transient, match=str(status)):
        await listed(first({"value": ids(1), "@odata.nextLink": NEXT}), broken)


@pytest.mark.parametrize("body", [{"value": [{"upn": "anna"}]}, {"value": ["anna"]}])
async def test_a_list_without_ids_raises_transient(body: dict[str, Any]) -> None:
    with pytest.raises(Transient, match="cannot be read"):
        await listed(first(body))


async def test_without_the_permission_the_list_is_denied() -> None:
    async with graph_of(TENANT, roles=without("User.Read.All")) as (graph, _):
        with pytest.raises(AccessDenied):
            [page async for page in Directory(graph).pending()]


@pytest.mark.parametrize("shape", ["full", "short"])
async def test_the_double_lists_exactly_the_pending_accounts(shape: str) -> None:
    guests = [guest(number) for number in range(1, 1501)]
    seed = TENANT | {"users": [*guests, guest(2000, "Accepted")]}
    async with graph_of(seed, switches={"page-shape": shape}) as (graph, tenant):
        pages = [page async for page in Directory(graph).pending()]
    assert sorted(user_id for page in pages for user_id in page) == lower(*range(1, 1501))
    assert len(pages) == (2 if shape == "full" else 5)
    assert tenant.journal.violations == []
