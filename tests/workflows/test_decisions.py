"""Which decisions each stage allows, retries, and two decisions at the same time."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from b2b.domain.conversion.stages import Action, Stage, row_of
from tests.support.world import MakeWorld, World, account, tenant_of
from tests.workflows.deciding import (
    ANNA,
    ASKS,
    PRIVILEGED,
    USER,
    Ask,
    approve,
    code,
    down,
    mailed,
    refuse,
    release,
    retry,
)

# What each stage allows


STORIES: dict[Stage, Callable[[World], Awaitable[None]]] = {}


def story(stage: Stage) -> Callable[[Callable[[World], Awaitable[None]]], Callable[[World], Awaitable[None]]]:
    """Register the decorated function as the way in which request r1 gets to a stage."""

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


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("stage", list(STORIES))
async def test_a_decision_that_the_stage_does_not_allow_is_refused_with_its_code(
    world: MakeWorld, stage: Stage, action: Action
) -> None:
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
        Action.ADOPT: "NotAdoptable",
    }
    assert code(reply) == (409, expected[action])
    assert running.request("r1") == before


@pytest.mark.parametrize("action", list(Action))
async def test_a_decision_about_an_unknown_request_is_404(world: MakeWorld, action: Action) -> None:
    assert code(await ASKS[action](await world(tenant_of()), "r1")) == (404, "RequestNotFound")


@pytest.mark.parametrize("action", [Action.RETRY, Action.APPROVE, Action.RELEASE])
async def test_in_mode_assess_no_request_can_be_retried_approved_or_released(world: MakeWorld, action: Action) -> None:
    running = await world(tenant_of(ANNA))
    await STORIES[{Action.RETRY: Stage.BLOCKED, Action.APPROVE: Stage.NEEDS_REVIEW}.get(action, Stage.ASSESSED)](
        running
    )
    running.services = await running.restart(B2B_MODE="assess")
    assert code(await ASKS[action](running, "r1")) == (409, "ModeIsAssess")


async def test_in_mode_assess_a_request_can_be_refused(world: MakeWorld) -> None:
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


async def test_a_reopened_request_does_not_show_its_old_end(world: MakeWorld) -> None:
    """The sweep completes what a killed process left undone, but must not undo a person's decision."""
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


# At the same time


@pytest.mark.parametrize(
    ("stage", "ask"), [(Stage.NEEDS_REVIEW, approve), (Stage.BLOCKED, retry), (Stage.ASSESSED, release)]
)
async def test_one_of_two_simultaneous_decisions_is_refused_as_the_request_has_changed(
    world: MakeWorld, stage: Stage, ask: Ask
) -> None:
    running = await world(tenant_of(ANNA))
    await STORIES[stage](running)
    replies = await asyncio.gather(ask(running, "r1"), ask(running, "r1"))
    (lost,) = (reply for reply in replies if reply.status != 202)
    assert lost.status == 409
    assert lost.body["error"]["code"] in {"RequestChanged", *(["NotRetryable"] if ask is retry else [])}
