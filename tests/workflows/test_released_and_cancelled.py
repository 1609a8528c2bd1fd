"""Releasing a dry run, and cancelling a request before its invitation."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.support.world import MakeWorld, World, account, tenant_of
from tests.workflows.deciding import (
    ANNA,
    USER,
    WINDOW,
    approve,
    cancel,
    code,
    mailed,
    release,
    weights,
)

# Release


async def test_a_released_dry_run_is_invited(judged: World) -> None:
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
async def test_a_change_since_the_dry_run_requires_an_approval(judged: World, changed: dict[str, Any]) -> None:
    judged.tenant.control.reset(changed)
    await release(judged)
    await judged.redeliver()
    row = judged.request("r1")
    assert (row["stage"], weights(row)["changed-since-judged"], mailed(judged)) == ("needsReview", "review", [])
    await approve(judged)
    await judged.redeliver()
    assert (judged.request("r1")["stage"], mailed(judged)) == ("invited", [USER])


async def test_a_dry_run_without_an_account_cannot_be_released(world: MakeWorld) -> None:
    running = await world(tenant_of())
    await running.deliver(user=USER, dryRun=True)
    assert code(await release(running)) == (409, "NotReleasable")


async def test_a_release_invites_nobody_else_if_the_name_has_moved(world: MakeWorld) -> None:
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


async def test_a_cancelled_request_is_not_invited_by_its_message(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA), B2B_PAUSED="true")
    await running.deliver(user=USER)
    reply = await cancel(running)
    assert (reply.status, reply.body["stage"]) == (202, "cancelled")
    running.services = await running.restart(B2B_PAUSED="false")
    await running.redeliver()
    status = await running.status()
    assert (status["stage"], status["lastError"], mailed(running)) == ("cancelled", "Cancelled by key.", [])


async def test_cancelling_a_try_that_was_not_sent_cancels_the_conversion(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA))
    await running.deliver_in_trouble(USER)
    assert (await cancel(running)).status == 202
    state = running.conversion(USER)
    assert state is not None
    assert (state["stage"], running.request("r1")["stage"]) == ("cancelled", "cancelled")


async def test_a_cancelled_leader_hands_over_to_its_oldest_member(world: MakeWorld) -> None:
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


async def test_cancelling_a_member_does_not_affect_its_leader(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA))
    await running.deliver_in_trouble(USER)
    await running.deliver("r2", USER)
    assert (await cancel(running, "r2")).status == 202
    await running.redeliver()
    assert [running.request(each)["stage"] for each in ("r1", "r2")] == ["invited", "cancelled"]


async def test_a_request_cannot_be_cancelled_while_its_call_may_be_in_progress(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA))
    running.graph.on_invitation(before=asyncio.CancelledError())  # type: ignore[arg-type]  # passes every handler, as a kill
    with pytest.raises(asyncio.CancelledError):
        await running.deliver(user=USER)
    assert code(await cancel(running)) == (409, "NotCancellable")


async def test_a_request_cannot_be_cancelled_while_its_invitation_may_have_been_sent(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA))
    running.graph.on_invitation(after=httpx.ReadTimeout("slow"))
    await running.deliver(user=USER)
    running.clock.advance(WINDOW)
    assert code(await cancel(running)) == (409, "NotCancellable")
    await running.redeliver()
    assert running.request("r1")["stage"] == "invited"
