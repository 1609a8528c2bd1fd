"""What an administrator reads over HTTP: lists, searches by name, histories, and the conversion of an account."""

import base64
import json
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import HttpRequest

from b2b.api.answers import Reply
from tests.support.world import MakeWorld, World, account, tenant_of

GROUP = {
    "id": "33333333-0000-4000-8000-000000000000",
    "displayName": "Helpers",
    "isAssignableToRole": True,
    "members": [account(2)["id"]],
}
TENANT = tenant_of(account(1), account(2), account(3), groups=[GROUP])
STRANGE = {
    "no base64": "%%%",
    "not ours": base64.urlsafe_b64encode(b'{"next": 5}').decode(),
    "of an earlier version": base64.urlsafe_b64encode(
        b'{"v":0,"of":"","month":"2026-11","after":"","number":0}'
    ).decode(),
    "no JSON": base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    "long": "a" * 1001,
    "invisible": "\u200b",
}


@pytest.fixture
async def three(world: MakeWorld) -> World:
    """A world with one invited request, one that waits for a decision, and one dry run."""
    running = await world(TENANT)
    await running.deliver("r1", account(1)["id"], "m1")
    await running.deliver("r2", account(2)["id"], "m2")
    await running.deliver("r3", account(3)["id"], "m3", dryRun=True)
    return running


async def listed(world: World, **query: str) -> Reply:
    return await world.api.call("list_requests", query={name.rstrip("_"): value for name, value in query.items()})


async def search(world: World, **body: Any) -> Reply:
    named = {name.rstrip("_"): value for name, value in body.items()}
    return await world.api.call("search_requests", body=json.dumps(named).encode())


def ids(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.body
    return [line["requestId"] for line in reply.body["requests"]]


def code(reply: Reply) -> tuple[int, str, str | None]:
    return reply.status, reply.body["error"]["code"], reply.body["error"]["target"]


async def test_a_line_of_a_list_names_account_caller_stage_and_rules(three: World) -> None:
    (line,) = (await listed(three, stage="needsReview")).body["requests"]
    assert {name: line[name] for name in line if name != "requestedAt"} == {
        "requestId": "r2",
        "stage": "needsReview",
        "dryRun": False,
        "userId": account(2)["id"],
        "userPrincipalName": "partner2@contoso.com",
        "invitedUserEmailAddress": "partner2@fabrikam.com",
        "askedBy": {"kind": "queue", "id": None, "name": None},
        "verdict": "needsReview",
        "rules": ["directory-role"],
        "waiting": None,
    }


async def test_the_list_of_all_requests_is_in_the_order_of_their_arrival(three: World) -> None:
    assert ids(await listed(three)) == ["r1", "r2", "r3"]


async def test_a_line_names_the_account_before_it_was_judged(world: MakeWorld) -> None:
    running = await world(TENANT)
    body = {"requestId": "r1", "invitedUser": {"userPrincipalName": "partner1@contoso.com"}}
    await running.api.submit(json.dumps(body).encode())
    (line,) = (await listed(running, stage="requested")).body["requests"]
    assert (line["userPrincipalName"], line["askedBy"]["kind"]) == ("partner1@contoso.com", "key")


async def test_waiting_requests_are_listed_by_their_reason(world: MakeWorld) -> None:
    running = await world(TENANT, B2B_PAUSED="true")
    await running.deliver("r1", account(1)["id"])
    (line,) = (await listed(running, waiting="paused")).body["requests"]
    assert line["waiting"]["text"] == "An administrator paused the app (B2B_PAUSED)."
    assert ids(await listed(running, waiting="paused", stage="requested")) == ["r1"]
    assert ids(await listed(running, waiting="paused", stage="invited")) == []
    assert ids(await listed(running, waiting="throttled")) == []


async def test_a_time_range_includes_its_beginning_and_excludes_its_end(three: World) -> None:
    times = [line["requestedAt"] for line in (await listed(three)).body["requests"]]
    assert ids(await listed(three, from_=times[1])) == ["r2", "r3"]
    assert ids(await listed(three, to=times[1])) == ["r1"]
    assert ids(await listed(three, from_="2020-01-01", to="2021-01-01T00:00:00+02:00")) == []


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"])
async def test_a_time_that_utc_cannot_represent_is_refused(three: World, time: str) -> None:
    for name in ("from", "to"):
        assert code(await listed(three, **{f"{name}_": time})) == (400, "InvalidValue", name)
        assert code(await search(three, part="a", **{f"{name}_": time})) == (400, "InvalidValue", name)


@pytest.mark.parametrize("year", ["0001", "0300", "9999"])
async def test_a_list_can_be_bounded_by_any_year(three: World, year: str) -> None:
    everything, nothing = ["r1", "r2", "r3"], list[str]()
    past = year != "9999"
    assert ids(await listed(three, from_=f"{year}-01-02")) == (everything if past else nothing)
    assert ids(await listed(three, to=f"{year}-01-02")) == (nothing if past else everything)


async def test_each_page_links_to_the_next_and_the_last_one_does_not(
    world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await world(tenant_of(*(account(number) for number in range(5))))
    monkeypatch.setattr("b2b.workflows.listings.PAGE", 2)
    for number in range(5):
        await running.deliver(f"r{number}", account(number)["id"], f"m{number}", dryRun=True)
    seen, query = list[str](), {"stage": "assessed"}
    while True:
        reply = await listed(running, **query)
        seen += ids(reply)
        token = reply.body.get("continuationToken")
        if token is None:
            assert "nextLink" not in reply.body
            break
        assert f"continuationToken={token}" in reply.body["nextLink"]
        assert reply.body["nextLink"].startswith("https://app.contoso.com/api/requests?stage=assessed&")
        query = {"stage": "assessed", "continuationToken": token}
    assert seen == ["r0", "r1", "r2", "r3", "r4"]
    first = (await listed(running, stage="assessed")).body["continuationToken"]
    assert code(await listed(running, continuationToken=first)) == (400, "InvalidToken", "continuationToken")
    other = await listed(running, stage="invited", continuationToken=first)
    assert code(other) == (400, "InvalidToken", "continuationToken")


@pytest.mark.parametrize("token", STRANGE.values(), ids=STRANGE)
async def test_a_foreign_continuation_token_is_refused(three: World, token: str) -> None:
    for reply in (
        await listed(three, continuationToken=token),
        await three.api.call("request_history", "r1", query={"continuationToken": token}),
        await search(three, part="a", continuationToken=token),
    ):
        assert reply.status == 400
        assert reply.body["error"]["code"] in {"InvalidToken", "InvalidValue"}
        assert "\u200b" not in json.dumps(reply.body, ensure_ascii=False)


async def test_all_faults_of_a_query_are_reported(three: World) -> None:
    reply = await listed(three, stage="done", waiting="ever", from_="yesterday", to="2026-13-01")
    assert code(reply) == (400, "InvalidValue", "stage")
    assert [fault["target"] for fault in reply.body["error"]["details"]] == ["stage", "waiting", "from", "to"]
    assert code(await listed(three, top="5")) == (400, "UnknownParameter", "top")


@pytest.mark.parametrize("name", ["partner2@contoso.com", "PARTNER2@fabrikam.COM", "  Partner2@Contoso.com "])
async def test_a_request_is_found_by_the_whole_name_or_address(three: World, name: str) -> None:
    reply = await search(three, name=name)
    assert ids(reply) == ["r2"]
    assert reply.body["cost"]["calls"] == 2


async def test_requests_are_found_by_part_of_a_name_and_the_cost_is_reported(three: World) -> None:
    assert ids(await search(three, part="TNER")) == ["r1", "r2", "r3"]
    reply = await search(three, part="fabrikam", stage="needsReview")
    assert ids(reply) == ["r2"]
    assert reply.body["cost"] == {"calls": 2, "lines": 1}
    assert ids(await search(three, part="nobody")) == []


async def test_a_search_needs_either_a_name_or_a_part(three: World) -> None:
    assert code(await search(three)) == (400, "InvalidValue", "name")
    assert code(await search(three, name="a@b.example", part="a")) == (400, "InvalidValue", "part")
    assert code(await search(three, name=" ")) == (400, "InvalidValue", "name")
    assert code(await search(three, name=5)) == (400, "WrongType", "name")


async def test_a_search_by_name_has_as_many_pages_as_needed(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flow that sends no request ids may make one request a day for an account; none of them may be missing."""
    running = await world(TENANT)
    monkeypatch.setattr("b2b.workflows.listings.PAGE", 2)
    for number in range(5):
        await running.deliver(f"r{number}", account(1)["id"], f"m{number}", dryRun=True)
    seen, more = list[str](), dict[str, str]()
    for expected in (2, 2, 1):
        reply = await search(running, name="partner1@contoso.com", **more)
        assert len(ids(reply)) == expected
        seen += ids(reply)
        more = {"continuationToken": reply.body.get("continuationToken", "")}
    assert (sorted(seen), more) == (["r0", "r1", "r2", "r3", "r4"], {"continuationToken": ""})
    first = (await search(running, name="partner1@contoso.com")).body["continuationToken"]
    again = await search(running, name=" PARTNER1@contoso.com", continuationToken=first)
    assert ids(again) == ["r2", "r3"], "it is the same name"
    for other in ({"name": "partner2@contoso.com"}, {"part": "partner1@contoso.com"}):
        assert code(await search(running, **other, continuationToken=first)) == (
            400,
            "InvalidToken",
            "continuationToken",
        )


@pytest.mark.parametrize("field", ["name", "part"])
async def test_a_search_names_an_invisible_character_in_its_text(three: World, field: str) -> None:
    reply = await search(three, **{field: "partner2@contoso.com\u200b"})
    assert code(reply) == (400, "InvalidValue", field)
    assert "U+200B ZERO WIDTH SPACE" in reply.body["error"]["message"]


async def test_a_search_by_name_refuses_filters_that_it_would_ignore(three: World) -> None:
    """Otherwise the caller would take the answer for a filtered one."""
    more = {"stage": "failed", "waiting": "paused", "from_": "2030-01-01", "to": "2020-01-01"}
    reply = await search(three, name="partner2@contoso.com", **more)
    assert code(reply) == (400, "InvalidValue", "stage")
    told = [fault["target"] for fault in reply.body["error"]["details"]]
    assert told == ["stage", "waiting", "from", "to"]


async def test_a_history_lists_events_with_their_actors(three: World) -> None:
    reply = await three.api.call("request_history", "r2")
    assert [(event["kind"], event["actor"]["kind"]) for event in reply.body["events"]] == [
        ("requested", "queue"),
        ("needsReview", "queue"),
    ]
    assert "continuationToken" not in reply.body
    missing = await three.api.call("request_history", "nobody")
    assert code(missing) == (404, "RequestNotFound", "requestId")


async def test_a_long_history_is_returned_in_pages(three: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("b2b.workflows.listings.PAGE", 1)
    first = await three.api.call("request_history", "r2")
    token = first.body["continuationToken"]
    second = await three.api.call("request_history", "r2", query={"continuationToken": token})
    assert [event["kind"] for event in (*first.body["events"], *second.body["events"])] == ["requested", "needsReview"]
    elsewhere = await three.api.call("request_history", "r1", query={"continuationToken": token})
    assert code(elsewhere) == (400, "InvalidToken", "continuationToken")


async def test_a_conversion_is_found_by_its_account(three: World) -> None:
    reply = await three.api.call("conversion_status", userId=account(1)["id"].upper())
    assert (reply.status, reply.body["stage"], reply.body["requestId"]) == (200, "invited", "r1")
    assert reply.body["userPrincipalName"] == "partner1@contoso.com"
    told = await three.api.call("conversion_history", userId=account(1)["id"])
    assert [event["kind"] for event in told.body["events"]][-1] == "invited"
    for user in (account(3)["id"], "nobody", "tenant~fact"):
        assert code(await three.api.call("conversion_status", userId=user)) == (404, "ConversionNotFound", "userId")
        assert code(await three.api.call("conversion_history", userId=user)) == (404, "ConversionNotFound", "userId")


async def test_the_sweep_writes_lines_of_lists_that_could_not_be_written(world: MakeWorld) -> None:
    """If storage fails while a line is written, the request goes on, and the sweep writes the line later."""
    running = await world(TENANT)

    async def fails(request: HttpRequest) -> None:
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        if "month" in body and "invited" in body:
            raise ServiceRequestError("refused")

    running.faulty_storage.before = fails
    await running.deliver("r1", account(1)["id"])
    assert running.request("r1")["stage"] == "invited"
    assert ids(await listed(running, stage="invited")) == []
    running.faulty_storage.once(lambda _request: False, fails)
    running.pass_time(3600)
    await running.services.sweep.run()
    assert ids(await listed(running, stage="invited")) == ["r1"]
    assert ids(await listed(running, stage="requested")) == []


@pytest.mark.parametrize("ends", ["completed", "cancelled"])
async def test_the_sweep_writes_missing_lines_of_requests_that_are_no_longer_open(three: World, ends: str) -> None:
    """The requests have left the list of open requests before their lines fail."""
    three.pass_time(3600)
    await three.services.sweep.run()
    assert three.rows("requests", "open~") == []

    async def fails(request: HttpRequest) -> None:
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        if "month" in body and ends in body:
            raise ServiceRequestError("refused")

    three.faulty_storage.before = fails
    if ends == "completed":
        three.tenant.control.redeem(account(1)["id"], "mail")
        await three.services.sweep.run()
        request, before = "r1", "invited"
    else:
        await three.api.call("refuse_request", "r2", b'{"refusedBy": "ops@contoso.com", "reason": "left"}')
        request, before = "r2", "needsReview"
    assert three.request(request)["stage"] == ends
    assert ids(await listed(three, stage=before)) == [request]
    three.faulty_storage.once(lambda _request: False, fails)
    await three.services.sweep.run()
    assert ids(await listed(three, stage=ends)) == [request]
    assert ids(await listed(three, stage=before)) == []
