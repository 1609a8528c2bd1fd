"""What an administrator decides about a request, and what is refused meanwhile."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from b2b.api.answers import Reply
from b2b.domain.conversion.stages import Action, Stage, row_of
from tests.support.world import MakeWorld, World, account, tenant_of

ANNA = account(1)
USER = ANNA["id"]
BASE = "https://app.contoso.com"
APPROVAL = json.dumps({"approvedBy": "ops@contoso.com", "reason": "known supplier"}).encode()
REFUSAL = json.dumps({"refusedBy": "ops@contoso.com", "reason": "left the supplier"}).encode()
WINDOW = 361
GROUP = {
    "id": "33333333-0000-4000-8000-000000000000",
    "displayName": "Helpers",
    "isAssignableToRole": True,
    "members": [USER],
}
PRIVILEGED = tenant_of(ANNA, groups=[GROUP])
Ask = Callable[[World, str], Awaitable[Reply]]


async def retry(world: World, request_id: str = "r1") -> Reply:
    return await world.api.retry(request_id, BASE)


async def approve(world: World, request_id: str = "r1") -> Reply:
    return await world.api.approve(request_id, APPROVAL, BASE)


async def refuse(world: World, request_id: str = "r1") -> Reply:
    return await world.api.refuse(request_id, REFUSAL, BASE)


async def release(world: World, request_id: str = "r1") -> Reply:
    return await world.api.release(request_id, BASE)


async def cancel(world: World, request_id: str = "r1") -> Reply:
    return await world.api.cancel(request_id, BASE)


ASKS: dict[Action, Ask] = {
    Action.RETRY: retry,
    Action.APPROVE: approve,
    Action.REFUSE: refuse,
    Action.RELEASE: release,
    Action.CANCEL: cancel,
}


def code(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.body["error"]["code"]


def mailed(world: World) -> list[str]:
    return [mail["userId"] for mail in world.tenant.control.mails()]


def details(world: World, request_id: str = "r1") -> list[str]:
    return [row["detail"] for row in world.rows("requests", request_id) if row.get("detail")]


def weights(row: dict[str, Any]) -> dict[str, str]:
    return {finding["rule"]: finding["severity"] for finding in json.loads(row.get("findings", "[]"))}


@pytest.fixture
async def privileged(world: MakeWorld) -> World:
    """A request that a person must decide about."""
    running = await world(PRIVILEGED)
    await running.deliver(user=USER)
    assert running.request("r1")["stage"] == "needsReview"
    return running


@pytest.fixture
async def blocked(world: MakeWorld) -> World:
    """A request that a rule forbids, for a reason that is mended afterwards."""
    running = await world(tenant_of(account(1, mail=None)))
    await running.deliver(user=USER)
    assert running.request("r1")["stage"] == "blocked"
    running.tenant.control.reset(tenant_of(ANNA))
    return running


@pytest.fixture
async def judged(world: MakeWorld) -> World:
    """A dry run that found an account ready."""
    running = await world(tenant_of(ANNA))
    await running.deliver(user=USER, dryRun=True)
    assert running.request("r1")["stage"] == "assessed"
    return running


# What each stage allows


STORIES: dict[Stage, Callable[[World], Awaitable[None]]] = {}


def story(stage: Stage) -> Callable[[Callable[[World], Awaitable[None]]], Callable[[World], Awaitable[None]]]:
    """Say how a request comes to stand in a stage."""

    def keep(told: Callable[[World], Awaitable[None]]) -> Callable[[World], Awaitable[None]]:
        STORIES[stage] = told
        return told

    return keep


@story(Stage.REJECTED)
async def rejected(world: World) -> None:
    await world.receive(b'{"requestId": "r1", "invitedUser": 5}')


@story(Stage.INVITED)
async def invited(world: World) -> None:
    await world.deliver(user=USER)


@story(Stage.COMPLETED)
async def completed(world: World) -> None:
    await world.deliver(user=USER)
    world.tenant.control.redeem(USER, "mail")
    await world.services.sweep.run()


@story(Stage.NEEDS_REVIEW)
async def in_review(world: World) -> None:
    world.tenant.control.reset(PRIVILEGED)
    await world.deliver(user=USER)


@story(Stage.BLOCKED)
async def forbidden(world: World) -> None:
    world.tenant.control.reset(tenant_of(account(1, mail=None)))
    await world.deliver(user=USER)


@story(Stage.ASSESSED)
async def dry(world: World) -> None:
    await world.deliver(user=USER, dryRun=True)


@story(Stage.CANCELLED)
async def called_off(world: World) -> None:
    await in_review(world)
    await refuse(world)


@story(Stage.FAILED)
async def never_ran(world: World) -> None:
    world.send_to_poison(json.dumps({"requestId": "r1", "invitedUser": {"id": USER}}))
    await world.services.sweep.run()


@story(Stage.REQUESTED)
async def taken_in(world: World) -> None:
    world.graph.before = down
    await world.deliver(user=USER)


def down(_request: httpx.Request) -> None:
    raise httpx.ConnectError("refused")


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("stage", list(STORIES))
async def test_what_the_stage_does_not_allow_is_refused_by_name(world: MakeWorld, stage: Stage, action: Action) -> None:
    if action in row_of(stage).actions:
        return
    running = await world(tenant_of(ANNA))
    await STORIES[stage](running)
    before = running.request("r1")
    assert before["stage"] == stage
    reply = await ASKS[action](running, "r1")
    expected = {
        Action.RETRY: "NotRetryable",
        Action.APPROVE: "NotAwaitingApproval",
        Action.REFUSE: "NotAwaitingApproval",
        Action.RELEASE: "NotReleasable",
        Action.CANCEL: "NotCancellable",
    }
    assert code(reply) == (409, expected[action])
    assert running.request("r1") == before


@pytest.mark.parametrize("action", list(Action))
async def test_an_unknown_request_is_404(world: MakeWorld, action: Action) -> None:
    assert code(await ASKS[action](await world(tenant_of()), "r1")) == (404, "RequestNotFound")


@pytest.mark.parametrize("action", [Action.RETRY, Action.APPROVE, Action.RELEASE])
async def test_in_assess_nothing_is_let_go_on(world: MakeWorld, action: Action) -> None:
    running = await world(tenant_of(ANNA))
    await STORIES[{Action.RETRY: Stage.BLOCKED, Action.APPROVE: Stage.NEEDS_REVIEW}.get(action, Stage.ASSESSED)](
        running
    )
    running.services = await running.restart(B2B_MODE="assess")
    assert code(await ASKS[action](running, "r1")) == (409, "ModeIsAssess")


async def test_in_assess_what_lets_nothing_go_on_is_taken(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA))
    await in_review(running)
    running.services = await running.restart(B2B_MODE="assess")
    assert (await refuse(running)).status == 202


# Retry


async def test_a_blocked_request_is_retried_from_its_own_body(blocked: World) -> None:
    reply = await retry(blocked)
    assert (reply.status, reply.body["stage"]) == (202, "requested")
    assert blocked.waiting() == 1
    await blocked.redeliver()
    assert blocked.request("r1")["stage"] == "invited"
    assert blocked.history("requests", "r1") == ["requested", "blocked", "retried", "invited"]
    assert blocked.history("conversions", USER) == ["blocked", "inviting", "invited"]


async def test_a_retry_does_not_make_a_dry_run_real(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA))
    running.send_to_poison(json.dumps({"requestId": "r1", "invitedUser": {"id": USER}, "dryRun": True}))
    await running.services.sweep.run()
    assert (running.request("r1")["stage"], running.request("r1")["dryRun"]) == ("failed", True)
    await retry(running)
    await running.redeliver()
    assert (running.request("r1")["stage"], mailed(running)) == ("assessed", [])


async def test_a_request_that_was_opened_again_is_not_shown_its_old_end(world: MakeWorld) -> None:
    """The sweep completes what a killed process left undone, but not over a person's word."""
    restricted = tenant_of({**ANNA, "isManagementRestricted": True})
    running = await world(restricted, B2B_RULE_OVERRIDES='{"restricted-management": "warn"}')
    await running.deliver(user=USER)
    assert running.request("r1")["stage"] == "failed"
    running.tenant.control.reset(tenant_of(ANNA))
    await retry(running)
    running.pass_time(60)
    await running.services.sweep.run()
    assert (await running.status())["stage"] == "requested"
    await running.redeliver()
    assert running.request("r1")["stage"] == "invited"


# Approve


async def test_an_approved_request_goes_on_and_its_history_says_who_why_and_what_was_waived(privileged: World) -> None:
    reply = await approve(privileged)
    assert (reply.status, reply.body["stage"]) == (202, "requested")
    await privileged.redeliver()
    row = privileged.request("r1")
    assert (row["stage"], weights(row)) == ("invited", {"directory-role": "warn"})
    assert "by ops@contoso.com: known supplier; waived: directory-role" in details(privileged)


async def test_only_what_was_shown_is_waived(privileged: World) -> None:
    await approve(privileged)
    other = {**GROUP, "id": "55555555-0000-4000-8000-000000000000", "displayName": "More"}
    privileged.tenant.control.reset(tenant_of(ANNA, groups=[GROUP, other]))
    await privileged.redeliver()
    assert (privileged.request("r1")["stage"], mailed(privileged)) == ("needsReview", [])


async def test_an_approval_does_not_lift_a_block(privileged: World) -> None:
    await approve(privileged)
    privileged.tenant.control.reset(tenant_of(account(1, isManagementRestricted=True), groups=[GROUP]))
    await privileged.redeliver()
    assert privileged.request("r1")["stage"] == "blocked"


@pytest.mark.parametrize(("body", "why", "target"), [(b"", "EmptyBody", None), (b"{}", "MissingField", "approvedBy")])
async def test_an_approval_without_name_and_reason_is_refused_as_a_request_would_be(
    privileged: World, body: bytes, why: str, target: str | None
) -> None:
    reply = await privileged.api.approve("r1", body, BASE)
    assert (reply.status, reply.headers["x-ms-error-code"], reply.body["error"]["target"]) == (400, why, target)
    assert privileged.request("r1")["stage"] == "needsReview"


async def test_an_approval_is_for_the_address_that_this_very_request_was_shown_with(privileged: World) -> None:
    """A later request was judged with another address: approving the first says nothing about that one."""
    privileged.tenant.control.reset(tenant_of(account(1, mail="other@fabrikam.com"), groups=[GROUP]))
    await privileged.deliver("r2", USER)
    assert privileged.request("r2")["stage"] == "needsReview"
    assert code(await approve(privileged)) == (409, "DecisionSuperseded")
    assert privileged.request("r1")["stage"] == "needsReview"
    assert (await approve(privileged, "r2")).status == 202
    await privileged.redeliver("r2")
    assert mailed(privileged) == [USER]


@pytest.fixture
async def doubtful(world: MakeWorld) -> World:
    """An invitation of which nothing was heard, in a tenant of which nothing is known until the time is over."""
    running = await world(tenant_of(ANNA), switches={"pending-state": "unset"}, B2B_GIVE_UP_SECONDS="400")
    running.graph.on_invitation(after=httpx.ReadTimeout("slow"))
    await running.deliver(user=USER)
    running.pass_time(800)
    await running.redeliver()
    assert weights(running.request("r1")) == {"outcome-unknown": "review"}
    return running


async def test_approving_a_doubt_sends_again(doubtful: World) -> None:
    assert mailed(doubtful) == [USER]
    await approve(doubtful)
    await doubtful.redeliver()
    assert (doubtful.request("r1")["stage"], mailed(doubtful)) == ("invited", [USER, USER])


async def test_a_member_of_a_doubt_is_not_approved_beside_its_leader(doubtful: World) -> None:
    """Two approvals of one doubt would be two more mails."""
    await doubtful.deliver("r2", USER)
    assert doubtful.request("r2")["stage"] == "needsReview"
    assert code(await approve(doubtful, "r2")) == (409, "DecisionSuperseded")
    await approve(doubtful)
    await doubtful.redeliver()
    assert {doubtful.request(each)["stage"] for each in ("r1", "r2")} == {"invited"}
    assert mailed(doubtful) == [USER, USER]


async def test_a_verdict_against_a_second_invitation_leaves_the_first_one_alone(world: MakeWorld) -> None:
    """The tenant shows invitations, this account shows none, and it lost its address before a person asked again."""
    running = await world(tenant_of(ANNA), B2B_CLOUD_ACCOUNTS_SHOW_PENDING="shows")
    await running.deliver(user=USER)
    running.tenant.control.reset(tenant_of(ANNA))
    running.pass_time(WINDOW)
    await running.deliver("r2", USER)
    assert weights(running.request("r2")) == {"not-visible": "review"}
    running.tenant.control.reset(tenant_of(account(1, mail=None)))
    assert (await approve(running, "r2")).status == 202
    await running.redeliver("r2")
    state = running.conversion(USER)
    assert state is not None
    assert [running.request(each)["stage"] for each in ("r1", "r2")] == ["invited", "needsReview"]
    assert "changed-since-judged" in weights(running.request("r2"))
    assert (state["stage"], state["generation"]) == ("invited", 1), "it is followed on"


# Refuse


async def test_a_refused_request_ends_with_its_conversion_and_says_who_and_why(privileged: World) -> None:
    reply = await refuse(privileged)
    assert (reply.status, reply.body["stage"]) == (202, "cancelled")
    status = await privileged.status()
    assert (status["stage"], status["lastError"]) == ("cancelled", "Refused by ops@contoso.com: left the supplier.")
    state = privileged.conversion(USER)
    assert state is not None
    assert (state["stage"], status["completedAt"] is not None) == ("cancelled", True)
    operation = await privileged.api.operation("r1", BASE)
    assert operation.body["status"] == "Canceled"


async def test_a_member_of_a_doubt_is_not_refused_in_place_of_its_leader(doubtful: World) -> None:
    await doubtful.deliver("r2", USER)
    reply = await refuse(doubtful, "r2")
    assert code(reply) == (409, "DecisionSuperseded")
    assert "joined r1; refuse that one" in reply.body["error"]["message"]
    assert (await refuse(doubtful, "r1")).status == 202
    assert {doubtful.request(each)["stage"] for each in ("r1", "r2")} == {"cancelled"}


async def test_after_a_doubt_was_refused_a_new_request_sends_nothing_before_a_person_says_so(doubtful: World) -> None:
    await refuse(doubtful)
    await doubtful.deliver("r2", USER)
    row = doubtful.request("r2")
    assert (row["stage"], weights(row), mailed(doubtful)) == ("needsReview", {"outcome-unknown": "review"}, [USER])
    assert (await approve(doubtful, "r2")).status == 202
    await doubtful.redeliver("r2")
    assert (doubtful.request("r2")["stage"], mailed(doubtful)) == ("invited", [USER, USER])
    assert doubtful.request("r1")["stage"] == "cancelled", "what has ended stays ended"


async def test_after_a_doubt_was_refused_the_next_request_finds_the_invitation_that_was_out(doubtful: World) -> None:
    await refuse(doubtful)
    doubtful.tenant.control.redeem(USER, "mail")
    await doubtful.deliver("r2", USER)
    assert (doubtful.request("r2")["stage"], mailed(doubtful)) == ("completed", [USER])


async def test_a_new_request_starts_over_after_a_refusal(privileged: World) -> None:
    await refuse(privileged)
    privileged.tenant.control.reset(tenant_of(ANNA))
    await privileged.deliver("r2", USER)
    assert (privileged.request("r1")["stage"], privileged.request("r2")["stage"]) == ("cancelled", "invited")


# Release


async def test_a_released_dry_run_invites_what_was_judged(judged: World) -> None:
    reply = await release(judged)
    assert (reply.status, reply.body["stage"]) == (202, "requested")
    await judged.redeliver()
    assert (judged.request("r1")["stage"], mailed(judged)) == ("invited", [USER])
    assert judged.history("requests", "r1") == ["requested", "assessed", "released", "invited"]


async def test_a_release_overrides_the_mode_at_intake(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA), B2B_MODE="assess")
    await running.deliver(user=USER)
    running.services = await running.restart(B2B_MODE="convert")
    await release(running)
    await running.redeliver()
    assert running.request("r1")["stage"] == "invited"


@pytest.mark.parametrize(
    "changed",
    [tenant_of(account(1, mail="other@fabrikam.com")), tenant_of(account(1, onPremisesSyncEnabled=True))],
    ids=["another address", "a new warning"],
)
async def test_what_has_changed_since_it_was_judged_is_a_review_and_an_approval_lets_it_go_on(
    judged: World, changed: dict[str, Any]
) -> None:
    judged.tenant.control.reset(changed)
    await release(judged)
    await judged.redeliver()
    row = judged.request("r1")
    assert (row["stage"], weights(row)["changed-since-judged"], mailed(judged)) == ("needsReview", "review", [])
    await approve(judged)
    await judged.redeliver()
    assert (judged.request("r1")["stage"], mailed(judged)) == ("invited", [USER])


async def test_a_dry_run_that_found_no_account_is_not_released(world: MakeWorld) -> None:
    running = await world(tenant_of())
    await running.deliver(user=USER, dryRun=True)
    assert code(await release(running)) == (409, "NotReleasable")


async def test_a_name_that_moved_since_it_was_judged_invites_nobody_else(world: MakeWorld) -> None:
    ben = account(2)
    running = await world(tenant_of(ANNA, ben))
    by_name = {"requestId": "r1", "invitedUser": {"userPrincipalName": ANNA["userPrincipalName"]}, "dryRun": True}
    await running.receive(json.dumps(by_name).encode())
    swapped = [
        {**ANNA, "userPrincipalName": "former@contoso.com"},
        {**ben, "userPrincipalName": ANNA["userPrincipalName"]},
    ]
    running.tenant.control.reset(tenant_of(*swapped))
    await release(running)
    await running.redeliver()
    assert set(mailed(running)) <= {USER}
    assert running.conversion(ben["id"]) is None


# Cancel


async def test_a_request_that_was_not_invited_yet_is_cancelled_and_its_message_does_nothing(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA), B2B_PAUSED="true")
    await running.deliver(user=USER)
    reply = await cancel(running)
    assert (reply.status, reply.body["stage"]) == (202, "cancelled")
    running.services = await running.restart(B2B_PAUSED="false")
    await running.redeliver()
    status = await running.status()
    assert (status["stage"], status["lastError"], mailed(running)) == ("cancelled", "Cancelled by key.", [])


async def test_a_claim_that_is_known_not_to_have_left_is_cancelled_with_its_conversion(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA))
    await running.deliver_in_trouble(USER)
    assert (await cancel(running)).status == 202
    state = running.conversion(USER)
    assert state is not None
    assert (state["stage"], running.request("r1")["stage"]) == ("cancelled", "cancelled")


async def test_a_cancelled_leader_hands_over_to_the_oldest_that_joined(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA))
    await running.deliver_in_trouble(USER)
    for request_id in ("r2", "r3"):
        await running.deliver(request_id, USER)
        running.clock.advance(1)
    assert (await cancel(running)).status == 202
    state = running.conversion(USER)
    assert state is not None
    assert (state["stage"], state["requestId"]) == ("inviting", "r2")
    assert running.history("conversions", USER)[-1] == "handed-over"
    await running.redeliver("r2")
    assert [running.request(each)["stage"] for each in ("r1", "r2", "r3")] == ["cancelled", "invited", "invited"]
    assert mailed(running) == [USER]


async def test_a_member_that_is_cancelled_leaves_its_leader_alone(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA))
    await running.deliver_in_trouble(USER)
    await running.deliver("r2", USER)
    assert (await cancel(running, "r2")).status == 202
    await running.redeliver()
    assert [running.request(each)["stage"] for each in ("r1", "r2")] == ["invited", "cancelled"]


async def test_while_a_call_may_be_under_way_nothing_is_cancelled(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA))
    running.graph.on_invitation(before=asyncio.CancelledError())  # type: ignore[arg-type]  # passes every handler, as a kill
    with pytest.raises(asyncio.CancelledError):
        await running.deliver(user=USER)
    assert code(await cancel(running)) == (409, "NotCancellable")


async def test_while_an_invitation_may_be_out_nothing_is_cancelled(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA))
    running.graph.on_invitation(after=httpx.ReadTimeout("slow"))
    await running.deliver(user=USER)
    running.clock.advance(WINDOW)
    assert code(await cancel(running)) == (409, "NotCancellable")
    await running.redeliver()
    assert running.request("r1")["stage"] == "invited"


# Beside others


@pytest.mark.parametrize(
    ("stage", "ask"), [(Stage.NEEDS_REVIEW, approve), (Stage.BLOCKED, retry), (Stage.ASSESSED, release)]
)
async def test_of_two_decisions_at_once_one_is_told_that_the_request_changed(
    world: MakeWorld, stage: Stage, ask: Ask
) -> None:
    running = await world(tenant_of(ANNA))
    await STORIES[stage](running)
    replies = await asyncio.gather(ask(running, "r1"), ask(running, "r1"))
    (lost,) = (reply for reply in replies if reply.status != 202)
    assert lost.status == 409
    assert lost.body["error"]["code"] in {"RequestChanged", *(["NotRetryable"] if ask is retry else [])}
