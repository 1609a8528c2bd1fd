"""Lasting trouble: a request waits, is given up in the end, and reports the cause without confidential texts."""

import json
import traceback

import httpx
import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import HttpRequest

from b2b.domain.errors import Transient
from tests.support.world import MakeWorld, World, account, tenant_of

ANNA = account(1)
USER = ANNA["id"]
POSTS = "/v1.0/invitations"


@pytest.fixture
async def ready(world: MakeWorld) -> World:
    return await world(tenant_of(ANNA, account(2)))


async def test_a_request_is_given_up_after_a_day_of_trouble(ready: World) -> None:
    await ready.deliver_in_trouble(USER)
    for _ in range(28):
        assert ready.request("r1")["stage"] == "inviting"
        ready.clock.advance(3100)
        await ready.redeliver_in_trouble()
    row, state = ready.request("r1"), ready.conversion(USER)
    assert state is not None
    assert (row["stage"], state["stage"], row["errorCode"]) == ("failed", "failed", "given-up")
    assert "Given up after 86400 s" in row["lastError"]


async def test_a_request_without_a_claim_is_given_up_and_can_be_retried(ready: World) -> None:
    def down(_request: httpx.Request) -> None:
        raise httpx.ConnectError("refused")

    ready.graph.before = down
    await ready.deliver(user=USER)
    for _ in range(28):
        ready.clock.advance(3100)
        await ready.redeliver()
    row = ready.request("r1")
    assert (row["stage"], row["errorCode"], ready.conversion(USER)) == ("failed", "given-up", None)
    ready.graph.before = lambda _request: None
    assert (await ready.api.retry("r1", "")).status == 202
    await ready.redeliver()
    assert ready.request("r1")["stage"] == "invited"


async def test_a_request_that_was_not_tried_for_days_gets_a_new_day(ready: World) -> None:
    """If the app was stopped, the first trouble after its start must not end thousands of requests at once."""
    await ready.deliver_in_trouble(USER)
    ready.clock.advance(5 * 86_400)
    await ready.redeliver_in_trouble()
    assert ready.request("r1")["stage"] == "inviting"
    ready.clock.advance(60)
    await ready.redeliver()
    assert ready.request("r1")["stage"] == "invited"


async def test_a_request_is_invited_if_its_last_try_succeeds(ready: World) -> None:
    await ready.deliver_in_trouble(USER)
    for _ in range(27):
        ready.clock.advance(3100)
        await ready.redeliver_in_trouble()
    ready.clock.advance(3100)
    await ready.redeliver()
    assert ready.request("r1")["stage"] == "invited"


async def test_a_request_whose_row_cannot_be_written_is_queued_again(ready: World) -> None:
    ready.services = await ready.restart(
        B2BStorage=ready.storage.replace("TableEndpoint=http://127.0.0.1:", "TableEndpoint=http://127.0.0.1:1;X=")
    )
    await ready.deliver(None, USER, message="one")
    assert ready.waiting() == 1


async def test_a_refused_invitation_is_logged_with_its_cause(
    world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    running = await world(
        tenant_of({**ANNA, "isManagementRestricted": True}), B2B_RULE_OVERRIDES='{"restricted-management": "off"}'
    )
    await running.deliver(user=USER)
    assert running.request("r1")["stage"] == "failed"
    assert "request r1 failed: 403" in caplog.text


async def test_a_malformed_message_is_queued_again_while_tables_are_down(ready: World) -> None:
    """After five tries the host would move it to the poison queue, although only storage had failed."""

    async def down(request: HttpRequest) -> None:
        if "/requests" in request.url or "$batch" in request.url:
            raise ServiceRequestError("connection refused")

    ready.faulty_storage.before = down
    await ready.receive(b'{"invitedUser": 5}')
    assert ready.waiting() == 1


async def test_an_exception_that_the_host_logs_does_not_contain_graphs_text(ready: World) -> None:
    """The host logs an exception with all its causes, and Graph's text may contain an address."""

    def spoilt(request: httpx.Request, response: httpx.Response) -> None:
        if "batch" in request.url.path:
            response.status_code = 500
            text = {"error": {"code": "x", "message": "Resource 'anna@fabrikam.com' is locked"}}
            response._content = json.dumps(text).encode()

    async def down(request: HttpRequest) -> None:
        if "/messages" in request.url:
            raise ServiceRequestError("connection refused")

    ready.graph.after, ready.faulty_storage.before = spoilt, down
    with pytest.raises(Transient) as raised:
        await ready.deliver(user=USER)
    assert "anna@fabrikam.com" not in "".join(traceback.format_exception(raised.value))
