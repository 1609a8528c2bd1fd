"""A person's word: retry and approve."""

import json
from typing import Any

import pytest

from b2b.domain.answers import Reply
from tests.support.world import MakeWorld, World, account, tenant_of

USER = account(1)["id"]
WORD = json.dumps({"approvedBy": "ops@contoso.example", "reason": "known supplier"}).encode()
GROUP = {
    "id": "33333333-0000-4000-8000-000000000000",
    "displayName": "Helpers",
    "isAssignableToRole": True,
    "members": [USER],
}


@pytest.fixture
async def privileged(world: MakeWorld) -> World:
    running = await world(tenant_of(account(1), groups=[GROUP]))
    await running.deliver(user=USER)
    assert running.request("r1")["stage"] == "needsReview"
    return running


async def test_an_approved_request_goes_on_and_says_who_and_why(privileged: World) -> None:
    reply = await privileged.services.api.approve("r1", WORD, "")
    assert (reply.status, reply.body["stage"]) == (202, "requested")
    assert privileged.waiting() == 1
    await privileged.redeliver()
    row = privileged.request("r1")
    assert row["stage"] == "invited"
    assert [(item["rule"], item["severity"]) for item in json.loads(row["findings"])] == [("directory-role", "warn")]
    assert "by ops@contoso.example: known supplier" in [
        item.get("detail") for item in privileged.rows("requests", "r1")
    ]


async def test_only_what_was_shown_is_waived(privileged: World) -> None:
    """Between review and approval the account got a second reason to be looked at."""
    await privileged.services.api.approve("r1", WORD, "")
    other = {**GROUP, "id": "55555555-0000-4000-8000-000000000000", "displayName": "More"}
    privileged.tenant.control.reset(tenant_of(account(1), groups=[GROUP, other]))
    await privileged.redeliver()
    assert privileged.request("r1")["stage"] == "needsReview"
    assert privileged.posts() == []


async def test_an_approval_does_not_lift_a_block(privileged: World) -> None:
    await privileged.services.api.approve("r1", WORD, "")
    privileged.tenant.control.reset(tenant_of(account(1, isManagementRestricted=True), groups=[GROUP]))
    await privileged.redeliver()
    assert privileged.request("r1")["stage"] == "blocked"


async def test_an_approval_without_name_and_reason_is_refused_as_a_request_would_be(privileged: World) -> None:
    for body, code, target in ((b"", "EmptyBody", None), (b'{"approvedBy": "x"}', "MissingField", "reason")):
        reply = await privileged.services.api.approve("r1", body, "")
        error = reply.body["error"]
        assert (reply.status, reply.headers["x-ms-error-code"], error["target"]) == (400, code, target)
    assert privileged.request("r1")["stage"] == "needsReview"


async def test_a_blocked_request_is_retried_from_its_own_body(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1, mail=None)))
    await running.deliver(user=USER)
    assert running.request("r1")["stage"] == "blocked"
    running.tenant.control.reset(tenant_of(account(1)))
    assert (await running.services.api.retry("r1", "")).status == 202
    await running.redeliver()
    assert running.request("r1")["stage"] == "invited"
    assert running.history("requests", "r1") == ["requested", "blocked", "retried", "inviting", "invited"]


async def _retry(world: World, **_: Any) -> Reply:
    return await world.services.api.retry("r1", "")


async def _approve(world: World) -> Reply:
    return await world.services.api.approve("r1", WORD, "")


@pytest.mark.parametrize(("ask", "code"), [(_retry, "NotRetryable"), (_approve, "NotAwaitingApproval")])
async def test_a_request_at_work_is_neither_retried_nor_approved(world: MakeWorld, ask: Any, code: str) -> None:
    running = await world(tenant_of(account(1)))
    await running.deliver(user=USER)
    reply = await ask(running)
    assert (reply.status, reply.body["error"]["code"]) == (409, code)
    assert running.request("r1")["stage"] == "invited"


@pytest.mark.parametrize("ask", [_retry, _approve])
async def test_an_unknown_request_is_404(world: MakeWorld, ask: Any) -> None:
    running = await world(tenant_of())
    assert (await ask(running)).status == 404


async def test_an_approval_is_for_the_address_that_this_very_request_was_shown_with(privileged: World) -> None:
    """Another request was judged later, with another address: approving the first says nothing about that one."""
    privileged.tenant.control.reset(tenant_of(account(1, mail="someone.else@fabrikam.com"), groups=[GROUP]))
    await privileged.deliver("r2", USER)
    assert privileged.request("r2")["stage"] == "needsReview"
    reply = await privileged.services.api.approve("r1", WORD, "")
    assert (reply.status, reply.body["error"]["code"]) == (409, "ApprovalSuperseded")
    assert privileged.request("r1")["stage"] == "needsReview"
    assert (await privileged.services.api.approve("r2", WORD, "")).status == 202
    await privileged.redeliver("r2")
    assert [mail["userId"] for mail in privileged.tenant.control.mails()] == [USER]
