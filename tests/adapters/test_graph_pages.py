"""Following the pages of a collection: to its end, and on Graph's host only."""

from typing import Any

import httpx
import pytest

from b2b.adapters.batch import Call
from b2b.adapters.graph import MOST_PAGES
from b2b.domain.errors import AccessDenied, Transient
from tests.adapters.graph_support import ROOT, Wire, graph_over, json_response, only, read_one, refusal

Part = dict[str, Any]
HTML = "<html><body>Bad gateway</body></html>"


def page(values: list[int], next_link: str | None = None) -> dict[str, Any]:
    more = {"@odata.nextLink": next_link} if next_link else {}
    return {"value": values, **more}


async def test_pages_are_followed_with_the_calls_headers_even_after_an_empty_one() -> None:
    first = only({"status": 200, "body": {"@odata.count": 3, **page([], f"{ROOT}/users?$skiptoken=1")}})
    second = json_response(page([1, 2], f"{ROOT}/users?$skiptoken=2"))
    call = Call("/users", {"ConsistencyLevel": "eventual"})
    answer, wire = await read_one(first, second, json_response(page([3])), call=call)
    assert answer.body["value"] == [1, 2, 3]
    assert answer.body["@odata.count"] == 3
    followed = wire.sent[1:]
    assert [str(request.url) for request in followed] == [f"{ROOT}/users?$skiptoken={number}" for number in (1, 2)]
    assert {request.method for request in followed} == {"GET"}
    assert {request.headers["ConsistencyLevel"] for request in followed} == {"eventual"}
    assert {request.headers["Authorization"] for request in followed} == {"Bearer token-of-the-app"}


async def test_a_page_link_is_used_unchanged() -> None:
    link = f"{ROOT}/users?$filter=mail%20eq%20%27a%2Bb%27&$skiptoken=RFNwdAIAAQ%3d%3d"
    _, wire = await read_one(only({"status": 200, "body": page([1], link)}), json_response(page([2])))
    assert str(wire.sent[1].url) == link


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/v1.0/users?$skiptoken=1",
        "https://graph.microsoft.com.elsewhere.example/v1.0/users",
        "https://graph.microsoft.com@elsewhere.example/v1.0/users",
        "http://graph.microsoft.com/v1.0/users",
        "//elsewhere.example/v1.0/users",
        "/v1.0/users",
    ],
)
async def test_a_page_link_to_another_host_is_not_followed(link: str) -> None:
    wire = Wire(only({"status": 200, "body": page([1], link)}), json_response(page([2])))
    async with graph_over(wire) as graph:
        with pytest.raises(Transient, match="another host"):
            await graph.read([Call("/users")])
    assert len(wire.sent) == 1


async def test_an_endless_listing_is_given_up() -> None:
    link = f"{ROOT}/users?$skiptoken=again"
    wire = Wire(
        lambda request: (
            only({"status": 200, "body": page([1], link)})
            if request.method == "POST"
            else json_response(page([1], link))
        )
    )
    async with graph_over(wire) as graph:
        with pytest.raises(Transient, match=f"does not end after {MOST_PAGES} pages"):
            await graph.read([Call("/users")])
    assert len(wire.sent) <= MOST_PAGES + 1


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (refusal(400, "Directory_ExpiredPageToken"), Transient),
        (refusal(403), AccessDenied),
        (httpx.ReadError("reset"), Transient),
        (httpx.Response(200, text=HTML, headers={"content-type": "text/html"}), Transient),
    ],
    ids=["expired", "denied", "reset", "html"],
)
async def test_a_failed_page_fails_the_whole_read(outcome: httpx.Response | Exception, error: type[Transient]) -> None:
    wire = Wire(only({"status": 200, "body": page([1], f"{ROOT}/users?$skiptoken=1")}), outcome)
    async with graph_over(wire) as graph:
        with pytest.raises(Transient) as caught:
            await graph.read([Call("/users")])
    assert type(caught.value) is error
