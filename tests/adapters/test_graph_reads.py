"""Reads in `$batch`: 20 calls per batch, answers in any order, and failures and waits of single parts."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from b2b.adapters.batch import Answer, Call
from b2b.domain.errors import AccessDenied, Transient
from tests.adapters.graph_support import (
    GRAPH,
    NOON,
    ROOT,
    Wire,
    batch,
    graph_over,
    json_response,
    noon,
    only,
    parts,
    read_one,
    refusal,
)

Part = dict[str, Any]
HTML = "<html><body>Bad gateway</body></html>"


def calls(count: int, **options: Any) -> list[Call]:
    return [Call(f"/users/{number}", **options) for number in range(count)]


def echo(part: Part) -> Part:
    """Answer a part with its own URL."""
    return {"status": 200, "body": {"asked": part["url"]}}


@pytest.mark.parametrize(("count", "trips"), [(0, []), (1, [1]), (20, [20]), (21, [20, 1]), (45, [20, 20, 5])])
async def test_calls_are_sent_in_batches_of_twenty_and_answers_keep_their_order(count: int, trips: list[int]) -> None:
    wire = Wire(batch(echo))
    async with graph_over(wire) as graph:
        answers = await graph.read(calls(count))
    assert [answer.body["asked"] for answer in answers] == [f"/users/{number}" for number in range(count)]
    assert [len(parts(request)) for request in wire.sent] == trips
    assert {str(request.url) for request in wire.sent} <= {f"{ROOT}/$batch"}


async def test_the_parts_of_a_batch_are_numbered_gets_with_their_headers() -> None:
    wire = Wire(batch(echo))
    async with graph_over(wire) as graph:
        await graph.read([Call("/users/1"), Call("/users/2", {"ConsistencyLevel": "eventual"})])
    assert parts(wire.sent[0]) == [
        {"id": "0", "method": "GET", "url": "/users/1"},
        {"id": "1", "method": "GET", "url": "/users/2", "headers": {"ConsistencyLevel": "eventual"}},
    ]


async def test_the_sdks_builders_give_relative_urls() -> None:
    wire = Wire(batch(echo))
    async with graph_over(wire) as graph:
        for _ in range(2):
            url = graph.client.users.by_user_id("1").to_get_request_information().url
            await graph.read([Call(url)])
    assert [part["url"] for request in wire.sent for part in parts(request)] == ["/users/1", "/users/1"]


async def test_beta_calls_are_sent_to_beta_in_their_own_batch() -> None:
    wire = Wire(batch(echo))
    async with graph_over(wire) as graph:
        answers = await graph.read([Call("/a"), Call("/b", beta=True), Call("/c")])
    assert [answer.body["asked"] for answer in answers] == ["/a", "/b", "/c"]
    sent = {str(request.url): [part["url"] for part in parts(request)] for request in wire.sent}
    assert sent == {f"{ROOT}/$batch": ["/a", "/c"], f"{GRAPH}/beta/$batch": ["/b"]}


@pytest.mark.parametrize("status", [200, 403, 404])
async def test_statuses_that_the_caller_judges_are_returned(status: int) -> None:
    answer, _ = await read_one(only({"status": status, "body": {"error": {"code": "Any"}}}))
    assert answer == Answer(status, {"error": {"code": "Any"}})


async def test_the_error_about_a_missing_licence_is_returned() -> None:
    body = {"error": {"code": "AadPremiumLicenseRequired", "message": "."}}
    assert (await read_one(only({"status": 400, "body": body})))[0] == Answer(400, body)


@pytest.mark.parametrize("status", [400, 408, 409, 410, 424, 429, 500, 502, 503, 504])
async def test_any_other_failure_of_a_part_is_transient(status: int) -> None:
    with pytest.raises(Transient, match=f"answered {status} within a batch") as caught:
        await read_one(only({"status": status, "body": {"error": {"code": "Any"}}}))
    assert type(caught.value) is Transient


async def test_a_part_with_401_is_transient_as_the_next_token_may_be_accepted() -> None:
    with pytest.raises(Transient) as caught:
        await read_one(only({"status": 401, "body": {"error": {"code": "InvalidAuthenticationToken"}}}))
    assert type(caught.value) is Transient


@pytest.mark.parametrize("body", [HTML, None, [], 5])
async def test_a_tolerated_failure_without_a_json_object_is_an_empty_answer(body: object) -> None:
    """The caller looks at the status; the HTML of a gateway must not break the other parts of the batch."""
    wire = Wire(batch(lambda _part: {"status": 502, "body": body}))
    async with graph_over(wire) as graph:
        assert await graph.read(calls(1), frozenset({502})) == [Answer(502, {})]


async def test_a_success_without_a_json_object_is_transient() -> None:
    with pytest.raises(Transient, match="not a JSON object"):
        await read_one(only({"status": 200, "body": HTML}))


@pytest.mark.parametrize("body", [HTML, None, "", []])
async def test_a_failed_part_without_a_json_object_is_transient(body: object) -> None:
    """A part that is not JSON, such as the HTML of a gateway, arrives as a string (article on JSON batching)."""
    with pytest.raises(Transient, match="503"):
        await read_one(only({"status": 503, "body": body}))


async def test_the_longest_wait_of_several_throttled_parts_counts() -> None:
    waits = {"0": "3", "1": "12.5", "2": "1"}
    wire = Wire(batch(lambda part: {"status": 429, "headers": {"Retry-After": waits[part["id"]]}}))
    async with graph_over(wire) as graph:
        with pytest.raises(Transient) as caught:
            await graph.read(calls(3))
    assert caught.value.retry_after == 12.5
    assert len(wire.sent) == 1


@pytest.mark.parametrize(("wait", "sent"), [("7", [1]), ("1.9", [1, 1])])
async def test_no_read_begins_while_graph_has_asked_this_process_to_wait(wait: str, sent: list[int]) -> None:
    wire = Wire(batch(lambda _part: {"status": 429, "headers": {"Retry-After": wait}}))
    async with graph_over(wire, clock=noon) as graph:
        with pytest.raises(Transient):
            await graph.read(calls(1))
        with pytest.raises(Transient) as held:
            await graph.read(calls(1, beta=True))
    assert [len(parts(request)) for request in wire.sent] == sent
    assert held.value.retry_after == float(wait)


async def test_a_shorter_wait_does_not_end_a_longer_one() -> None:
    waits = iter(["30", "5"])
    wire = Wire(batch(lambda _part: {"status": 429, "headers": {"Retry-After": next(waits)}}))
    async with graph_over(wire, clock=noon) as graph:
        reads = [graph.read(calls(1)), graph.read(calls(1, beta=True))]
        answered = await asyncio.gather(*reads, return_exceptions=True)
        assert {error.retry_after for error in answered if isinstance(error, Transient)} == {30.0, 5.0}
        with pytest.raises(Transient) as held:
            await graph.read(calls(1))
    assert held.value.retry_after == 30.0


async def test_reads_begin_again_after_the_wait() -> None:
    now = NOON
    answers = iter([429, 200])
    wire = Wire(batch(lambda _part: {"status": next(answers), "headers": {"Retry-After": "7"}, "body": {}}))
    async with graph_over(wire, clock=lambda: now) as graph:
        with pytest.raises(Transient):
            await graph.read(calls(1))
        now += timedelta(seconds=7)
        assert [answer.status for answer in await graph.read(calls(1))] == [200]


async def test_a_throttled_part_without_retry_after_has_no_wait() -> None:
    with pytest.raises(Transient) as caught:
        await read_one(only({"status": 429, "body": {}}))
    assert caught.value.retry_after is None


async def test_a_failed_part_and_its_wait_affect_only_their_own_read() -> None:
    def answer(part: Part) -> Part:
        busy = part["url"] == "/busy"
        return {"status": 429, "headers": {"Retry-After": "7"}, "body": {}} if busy else echo(part)

    wire = Wire(batch(answer))
    async with graph_over(wire) as graph:
        well, ill = await asyncio.gather(
            graph.read([Call("/well"), Call("/too")]),
            graph.read([Call("/fine"), Call("/busy")]),
            return_exceptions=True,
        )
    assert [len(parts(request)) for request in wire.sent] == [4], "they shared one batch"
    assert isinstance(well, list)
    assert [one.body["asked"] for one in well] == ["/well", "/too"]
    assert isinstance(ill, Transient)
    assert ill.retry_after == 7.0


async def test_a_throttled_batch_fails_all_reads_that_share_it() -> None:
    wire = Wire(lambda _request: httpx.Response(429, headers={"Retry-After": "9"}, json={"error": {"code": "x"}}))
    async with graph_over(wire) as graph:
        results = await asyncio.gather(*(graph.read(calls(1)) for _ in range(3)), return_exceptions=True)
    assert [error.retry_after for error in results if isinstance(error, Transient)] == [9.0] * 3
    assert len(wire.sent) == 1


async def test_a_part_without_an_answer_is_transient() -> None:
    wire = Wire(json_response({"responses": [{"id": "1", "status": 200, "body": {}}]}))
    async with graph_over(wire) as graph:
        with pytest.raises(Transient, match="1 parts of a batch were not answered"):
            await graph.read(calls(2))


@pytest.mark.parametrize(
    ("outcome", "error", "says"),
    [
        (refusal(429, "TooManyRequests"), Transient, "answered 429"),
        (refusal(400), Transient, "answered 400"),
        (httpx.Response(503, text=HTML, headers={"content-type": "text/html"}), Transient, "answered 503"),
        (httpx.Response(500, content=b"{", headers={"content-type": "application/json"}), Transient, "answered 500"),
        (refusal(401), Transient, "answered 401"),
        (refusal(403), AccessDenied, "answered 403"),
        (httpx.ReadError("reset"), Transient, "ReadError"),
        (httpx.ReadTimeout("timed out"), Transient, "ReadTimeout"),
        (httpx.ConnectError("refused"), Transient, "ConnectError"),
    ],
    ids=["429", "400", "503 html", "500 broken", "401", "403", "reset", "timeout", "refused"],
)
async def test_a_batch_that_fails_as_a_whole_is_not_sent_again(
    outcome: httpx.Response | Exception, error: type[Transient], says: str
) -> None:
    wire = Wire(outcome)
    async with graph_over(wire) as graph:
        with pytest.raises(Transient, match=says) as caught:
            await graph.read(calls(2))
    assert type(caught.value) is error
    assert len(wire.sent) == 1


@pytest.mark.parametrize(
    "outcome",
    [
        httpx.Response(200, text=HTML, headers={"content-type": "text/html"}),
        httpx.Response(200, content=b'{"responses": [', headers={"content-type": "application/json"}),
        httpx.Response(204),
        json_response({}),
        json_response([]),
        json_response({"responses": [{"id": "0"}]}),
        json_response({"responses": [{"status": 200}]}),
    ],
    ids=["html", "broken", "empty", "no responses", "list", "no status", "no id"],
)
async def test_a_batch_with_an_unreadable_answer_is_transient(outcome: httpx.Response) -> None:
    with pytest.raises(Transient):
        await read_one(outcome)


async def test_the_retry_after_of_a_batch_may_be_a_date() -> None:
    throttled = json_response(
        {"error": {"code": "TooManyRequests", "message": "."}}, 429, {"Retry-After": "Mon, 04 May 2026 12:01:00 GMT"}
    )
    async with graph_over(Wire(throttled), clock=noon) as graph:
        with pytest.raises(Transient) as caught:
            await graph.read(calls(1))
    assert caught.value.retry_after == 60.0


@pytest.mark.parametrize("status", [302, 307])
async def test_a_redirect_of_a_read_is_not_followed(status: int) -> None:
    """The filters of a read contain addresses, which must not be sent to another host."""
    moved = httpx.Response(status, headers={"location": "https://elsewhere.example/v1.0/$batch"})
    wire = Wire(moved, json_response({"responses": [{"id": "0", "status": 200, "body": {}}]}))
    async with graph_over(wire) as graph:
        with pytest.raises(Transient):
            await graph.read(calls(1))
    assert [request.url.host for request in wire.sent] == ["graph.microsoft.com"]


def test_the_helper_for_batches_answers_in_reverse_order() -> None:
    request = httpx.Request("POST", ROOT, json={"requests": [{"id": "0", "url": "/a"}, {"id": "1", "url": "/b"}]})
    assert re.findall(r'"id":"(\d)"', batch(echo)(request).text) == ["1", "0"]
