"""The answers that HTTP callers get."""

import json
from typing import Any

import httpx
import pytest
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from b2b.domain.conversion.records import advance
from b2b.domain.conversion.stages import Stage
from tests.support.world import MakeWorld, World, account, tenant_of

USER = account(1)["id"]
BASE = "https://app.contoso.example"


def body(**more: Any) -> bytes:
    return json.dumps({"requestId": "r1", "invitedUser": {"id": USER}, **more}).encode()


@pytest.fixture
async def ready(world: MakeWorld) -> World:
    return await world(tenant_of(account(1), account(2, accountEnabled=False)))


async def test_a_request_is_accepted_with_the_urls_of_its_status_and_operation(ready: World) -> None:
    reply = await ready.api.submit(body(), BASE)
    assert reply.status == 202
    assert reply.body == {"requestId": "r1", "stage": "requested", "mode": "convert", "dryRun": False}
    assert reply.headers == {
        "Location": f"{BASE}/api/requests/r1",
        "Operation-Location": f"{BASE}/api/operations/r1",
        "Retry-After": "10",
    }
    assert ready.waiting() == 1


async def test_a_request_without_an_id_gets_one(ready: World) -> None:
    reply = await ready.api.submit(json.dumps({"invitedUser": {"id": USER}}).encode(), BASE)
    assert ready.request(reply.body["requestId"])["source"] == "http"


async def test_a_status_is_202_until_the_account_is_invited_and_then_200(ready: World) -> None:
    await ready.api.submit(body(), BASE)
    waiting = await ready.api.status("r1", BASE)
    assert (waiting.status, waiting.headers["Retry-After"]) == (202, "10")
    await ready.redeliver()
    done = await ready.api.status("r1", BASE)
    assert done.status == 200
    assert done.body["stage"] == "invited"
    assert done.body["invitedAt"].endswith("Z")
    assert done.body["links"]["signIn"] == f"https://myapps.microsoft.com?tenantId={tenant_of()['tenantId']}"


async def test_the_status_monitor_shows_each_state_of_the_operation(ready: World) -> None:
    await ready.api.submit(body(), BASE)
    seen = [(await ready.api.operation("r1", BASE)).body["status"]]
    await ready.redeliver()
    seen.append((await ready.api.operation("r1", BASE)).body["status"])
    ready.tenant.control.redeem(USER, "mail")
    await ready.services.sweep.run()
    seen.append((await ready.api.operation("r1", BASE)).body["status"])
    assert seen == ["NotStarted", "Running", "Succeeded"]


async def test_a_status_shows_the_conversion_even_if_the_requests_row_is_older(ready: World) -> None:
    await ready.deliver(user=USER)
    record = await ready.services.ledger.requests.get("r1")
    conversion = await ready.services.ledger.conversions.get(USER)
    assert record is not None
    assert conversion is not None
    ready.tenant.control.redeem(USER, "mail")
    await ready.services.ledger.save(advance(conversion, Stage.ACCEPTED, ready.clock()))
    assert ready.request("r1")["stage"] == "invited"
    assert (await ready.api.status("r1", BASE)).body["stage"] == "accepted"


async def test_a_joined_request_names_the_request_whose_invitation_was_sent(ready: World) -> None:
    await ready.deliver(user=USER)
    await ready.deliver("r2", user=USER, message="m2", invitedUserEmailAddress="partner.other@fabrikam.com")
    for ask in (ready.api.status, ready.api.operation):
        assert (await ask("r2", BASE)).body["joinedRequestId"] == "r1"
        assert "joinedRequestId" not in (await ask("r1", BASE)).body
    assert [call["body"]["invitedUserEmailAddress"] for call in ready.posts()] == ["partner1@fabrikam.com"]


async def test_a_request_that_joins_an_ended_conversion_has_its_end_and_time(ready: World) -> None:
    await ready.deliver(user=USER)
    ready.tenant.control.redeem(USER, "mail")
    await ready.services.sweep.run()
    ready.clock.advance(86_400)
    await ready.deliver("r2", user=USER, message="m2")
    led, joined = [(await ready.api.status(each, BASE)).body for each in ("r1", "r2")]
    assert (joined["stage"], joined["completedAt"]) == ("completed", led["completedAt"])
    assert joined["completedAt"] < joined["requestedAt"]


@pytest.mark.parametrize(
    ("user", "fields", "stage", "ended"),
    [
        (1, {}, "invited", False),
        (2, {}, "needsReview", False),
        (1, {"invitedUserEmailAddress": "partner.other@fabrikam.com"}, "blocked", True),
        (9, {}, "blocked", True),
        (1, {"dryRun": True}, "assessed", True),
    ],
)
async def test_a_request_has_a_completion_time_once_it_has_ended(
    ready: World, user: int, fields: dict[str, Any], stage: str, *, ended: bool
) -> None:
    await ready.deliver(user=account(user)["id"], **fields)
    status = (await ready.api.status("r1", BASE)).body
    assert (status["stage"], status["completedAt"] is not None) == (stage, ended)


async def test_retry_after_is_short_while_the_app_works_and_long_while_a_person_is_awaited(
    ready: World,
) -> None:
    await ready.api.submit(body(), BASE)
    waits = [(await ready.api.operation("r1", BASE)).headers["Retry-After"]]
    await ready.redeliver()
    waits.append((await ready.api.operation("r1", BASE)).headers["Retry-After"])
    assert waits == ["10", "3600"]


async def test_a_status_has_a_completion_time_if_only_the_conversion_has_ended(ready: World) -> None:
    await ready.deliver(user=USER)
    conversion = await ready.services.ledger.conversions.get(USER)
    assert conversion is not None
    await ready.services.ledger.save(advance(conversion, Stage.CANCELLED, ready.clock()))
    status = (await ready.api.status("r1", BASE)).body
    assert status["stage"] == "cancelled"
    assert status["completedAt"] is not None


async def test_an_account_and_its_request_end_at_the_same_time(ready: World) -> None:
    await ready.deliver(user=USER, invitedUserEmailAddress="partner.other@fabrikam.com")
    state = ready.conversion(USER)
    assert state is not None
    assert state["completedAt"] == ready.request("r1")["completedAt"]


async def test_a_request_with_nothing_to_do_is_no_failure(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1, externalUserState="PendingAcceptance")))
    await running.deliver(user=USER)
    status = (await running.api.status("r1", BASE)).body
    assert (status["stage"], status["error"]) == ("blocked", None)
    assert (await running.api.operation("r1", BASE)).body["status"] == "Succeeded"


async def test_a_blocked_request_names_its_rules(ready: World) -> None:
    await ready.deliver(user=USER, invitedUserEmailAddress="partner.other@fabrikam.com")
    operation = (await ready.api.operation("r1", BASE)).body
    assert (operation["status"], operation["error"]["code"]) == ("Failed", "address-not-on-account")


async def test_a_repeat_is_accepted_and_a_conflict_is_not(ready: World) -> None:
    await ready.api.submit(body(), BASE)
    assert (await ready.api.submit(body(), BASE)).status == 202
    conflict = await ready.api.submit(body(dryRun=True), BASE)
    assert (conflict.status, conflict.headers["x-ms-error-code"]) == (409, "RequestIdInUse")
    assert ready.history("requests", "r1") == ["requested", "refused-repeat"]


async def test_a_refused_request_leaves_no_row(ready: World) -> None:
    reply = await ready.api.submit(body(unknown=1), BASE)
    assert (reply.status, reply.body["error"]["target"]) == (400, "unknown")
    assert ready.all_requests() == []


@pytest.mark.parametrize("request_id", ["nobody", "../secrets", "a" * 65, "body~x", "ä"])
async def test_an_unknown_request_is_404(ready: World, request_id: str) -> None:
    reply = await ready.api.status(request_id, BASE)
    assert (reply.status, reply.body["error"]["code"]) == (404, "RequestNotFound")


async def test_an_assessment_is_503_with_retry_after_if_graph_is_down(ready: World) -> None:
    def down(_request: httpx.Request) -> None:
        raise httpx.ConnectError("refused")

    ready.graph.before = down
    reply = await ready.api.assess(body())
    assert (reply.status, reply.body["error"]["code"], reply.headers["Retry-After"]) == (
        503,
        "ServiceUnavailable",
        "10",
    )


async def test_health_has_one_line_for_each_dependency(ready: World) -> None:
    reply = await ready.api.health()
    assert (reply.status, reply.body["status"]) == (200, "healthy")
    assert {check["name"]: check["status"] for check in reply.body["checks"]} == dict.fromkeys(
        ("mode", "profile", "queues", "tables", "identity", "graph", "inviting", "sweep", "graphRoles", "waiting"), "ok"
    )


async def test_health_names_missing_queues_tables_and_permissions(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)), roles=["Policy.Read.All"])
    with TableServiceClient.from_connection_string(running.storage) as tables:
        tables.delete_table("requests")
    with QueueServiceClient.from_connection_string(running.storage) as queues:
        queues.delete_queue("conversion-requests")
    reply = await running.api.health()
    lines = {check["name"]: check["detail"] for check in reply.body["checks"] if check["status"] == "failed"}
    assert reply.status == 503
    assert "conversion-requests" in lines["queues"]
    assert "requests" in lines["tables"]
    assert "User.Read.All" in lines["graph"]


def throttled(world: World, seconds: int) -> None:
    """Let the tenant answer the next batch with 429."""
    world.tenant.control.set_faults([{"kind": "429-integer", "seconds": seconds, "nth": 1, "path": "batch"}])


async def test_an_assessment_makes_no_call_while_graph_has_asked_to_wait(ready: World) -> None:
    throttled(ready, 120)
    await ready.deliver(user=USER)
    ready.pass_time(5)
    calls = len(ready.tenant.control.journal())
    reply = await ready.api.assess(body())
    assert (reply.status, reply.body["error"]["code"]) == (503, "ServiceUnavailable")
    assert 110 <= int(reply.headers["Retry-After"]) <= 120
    assert len(ready.tenant.control.journal()) == calls


async def test_a_throttled_assessment_pauses_all_other_calls(ready: World) -> None:
    throttled(ready, 120)
    reply = await ready.api.assess(body())
    assert reply.headers["Retry-After"] == "120"
    ready.pass_time(61)
    await ready.deliver(user=USER)
    assert (await ready.status())["waiting"]["reason"] == "throttled"
    assert ready.tenant.control.violations() == []
