"""Guards for moments that hardly ever come: each would be missed only once, and then for good."""

import asyncio

import httpx
import pytest
from azure.core.pipeline.transport import HttpRequest

from tests.support.world import MakeWorld, World, account, tenant_of

ANNA = account(1)
USER = ANNA["id"]


def showing(request: HttpRequest) -> bool:
    """The write that shows the claim on the request's own row."""
    body = request.body or b""
    return request.method == "POST" and b"/requests(" in body and b'"inviting"' in body


def invitations(world: World) -> int:
    return len([call for call in world.posts() if call["path"].endswith("/invitations")])


async def test_a_claim_that_is_too_old_sends_nothing(world: MakeWorld) -> None:
    """A process that was frozen between its claim and its call: others may have settled and sent meanwhile."""
    running = await world(tenant_of(ANNA))

    async def frozen(_request: HttpRequest) -> None:
        running.clock.advance(11)

    running.room.once(showing, frozen)
    await running.deliver(user=USER)
    assert invitations(running) == 0
    assert running.history("conversions", USER) == ["inviting", "not-sent"]
    await running.redeliver()
    assert invitations(running) == 1


async def test_who_joins_waits_for_its_leader(world: MakeWorld) -> None:
    """The leader's message is about to come back: would the other invite, its own wishes would be sent instead."""
    running = await world(tenant_of(ANNA))
    running.graph.on_invitation(before=httpx.ConnectError("refused"))
    await running.deliver("r1", USER)
    await running.deliver("r2", USER, sendInvitationMessage=False)
    assert invitations(running) == 0
    assert "leads" in running.request("r2")["lastError"]
    await running.redeliver("r1")
    assert len(running.tenant.control.mails()) == 1
    assert {running.request(each)["stage"] for each in ("r1", "r2")} == {"invited"}


async def test_giving_up_settles_first(world: MakeWorld) -> None:
    """The invitation is out, its answer was lost, no replica shows it yet, and then the time is over."""
    running = await world(tenant_of(ANNA), B2B_GIVE_UP_SECONDS="400")
    running.tenant.control.set_lag(100_000)
    running.graph.on_invitation(before=httpx.ConnectError("refused"))
    await running.deliver(user=USER)
    running.pass_time(390)
    running.graph.on_invitation(after=httpx.ReadTimeout("slow"))
    await running.redeliver()
    running.pass_time(30)
    await running.redeliver()
    assert running.request("r1")["stage"] == "inviting"
    running.tenant.control.set_lag(0)
    await running.redeliver()
    assert running.request("r1")["stage"] == "invited"


async def test_a_request_whose_invitation_is_recorded_is_not_given_up(world: MakeWorld) -> None:
    """Its last try invited, and the process died before the request's own row said so."""
    running = await world(tenant_of(ANNA), B2B_GIVE_UP_SECONDS="400")
    running.graph.on_invitation(before=httpx.ConnectError("refused"))
    await running.deliver(user=USER)
    running.clock.advance(390)
    running.room.kill_before(lambda request: "/conversions()" in request.url)
    with pytest.raises(asyncio.CancelledError):
        await running.redeliver()
    running.services = await running.restart()
    running.clock.advance(600)
    await running.redeliver()
    assert running.request("r1")["stage"] == "invited"


@pytest.mark.parametrize("path", ["/$batch", "/invitations"])
async def test_a_request_waits_as_long_as_graph_asked(world: MakeWorld, path: str) -> None:
    """Also where the pause of all others could not be written down, or was too short to be."""
    running = await world(tenant_of(ANNA))

    def throttled(request: httpx.Request, response: httpx.Response) -> None:
        if request.url.path.endswith(path):
            response.status_code = 429
            response.headers["Retry-After"] = "700"

    running.graph.after = throttled
    before = running.clock()
    await running.deliver(user=USER)
    assert (running.request("r1")["dueAt"] - before).total_seconds() >= 700


async def test_the_window_begins_when_the_call_ends(world: MakeWorld) -> None:
    """Graph works for 28 seconds before the effect, the answer is lost, and replicas lag by just under the window."""
    count = 30
    running = await world(tenant_of(*(account(number) for number in range(count))), B2B_BREAKER_SHARE="1")
    running.tenant.control.set_lag(295)

    def slow(request: httpx.Request) -> None:
        if request.url.path.endswith("/invitations"):
            running.graph.before = lambda _request: None
            running.pass_time(28)

    def lost(request: httpx.Request, _response: httpx.Response) -> None:
        if request.url.path.endswith("/invitations"):
            running.graph.after = lambda _request, _response: None
            raise httpx.ReadTimeout("slow")

    for number in range(count):
        running.graph.before, running.graph.after = slow, lost
        await running.deliver(f"r{number}", account(number)["id"])
        running.pass_time(302 - 28)
        await running.redeliver(f"r{number}")
    sent = [mail["userId"] for mail in running.tenant.control.mails()]
    assert len(sent) == len(set(sent)) == count


async def test_the_sweep_does_not_take_another_invitation_for_ours(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA))
    running.graph.on_invitation(before=httpx.ConnectError("refused"))
    await running.deliver(user=USER)
    running.tenant.control.reset(tenant_of({**ANNA, "externalUserState": "PendingAcceptance"}))
    await running.services.sweep.run()
    await running.redeliver()
    assert running.request("r1")["stage"] == "blocked"
    assert invitations(running) == 0


async def test_a_claim_whose_request_has_ended_is_ended_by_the_sweep(world: MakeWorld) -> None:
    """Killed between claim and call, and delivered again in `assess`: nobody would ever look at the claim."""
    running = await world(tenant_of(ANNA))
    running.room.kill_before(showing)
    with pytest.raises(asyncio.CancelledError):
        await running.deliver("r1", USER)
    running.services = await running.restart(B2B_MODE="assess")
    running.pass_time(120)
    await running.redeliver("r1")
    assert running.request("r1")["stage"] == "assessed"
    await running.services.sweep.run()
    state = running.conversion(USER)
    assert state is not None
    assert state["stage"] == "inviting", "the window is still open"
    running.pass_time(300)
    await running.services.sweep.run()
    state = running.conversion(USER)
    assert state is not None
    assert (state["stage"], "ended" in state["lastError"]) == ("failed", True)
    running.services = await running.restart()
    await running.deliver("r2", USER)
    assert running.request("r2")["stage"] == "invited"


async def test_a_claim_that_a_request_still_sees_to_is_left_to_it(world: MakeWorld) -> None:
    running = await world(tenant_of(ANNA))
    running.graph.on_invitation(before=httpx.ReadTimeout("slow"))
    await running.deliver("r1", USER)
    running.pass_time(400)
    await running.services.sweep.run()
    assert running.history("conversions", USER) == ["inviting", "outcome-unknown"]
    await running.redeliver("r1")
    assert running.request("r1")["stage"] == "invited"


async def test_the_end_of_one_conversion_does_not_take_the_next_off_the_list(world: MakeWorld) -> None:
    """The first ends, and while the sweep is about to forget it, another instance invites the same account."""
    running = await world(tenant_of(ANNA))
    await running.deliver("r1", USER, invitedUserEmailAddress="other@fabrikam.com")
    assert running.request("r1")["stage"] == "blocked"
    running.pass_time(7200)
    other = await running.restart()

    async def meanwhile(_request: HttpRequest) -> None:
        first, running.services = running.services, other
        await running.deliver("r2", USER)
        running.services = first

    running.room.once(lambda request: request.method == "DELETE", meanwhile)
    await running.services.sweep.run()
    assert running.request("r2")["stage"] == "invited"
    running.tenant.control.redeem(USER)
    running.pass_time(7200)
    await running.services.sweep.run()
    assert running.request("r2")["stage"] == "completed"


async def test_a_request_that_was_opened_again_is_not_shown_its_old_end(world: MakeWorld) -> None:
    """The sweep completes what a killed process left undone, but not over a person's word."""
    restricted = tenant_of({**ANNA, "isManagementRestricted": True})
    running = await world(restricted, B2B_RULE_OVERRIDES='{"restricted-management": "warn"}')
    await running.deliver("r1", USER)
    assert running.request("r1")["stage"] == "failed"
    running.tenant.control.reset(tenant_of(ANNA))
    assert (await running.services.api.retry("r1", "")).status == 202
    running.pass_time(60)
    await running.services.sweep.run()
    await running.redeliver("r1")
    assert running.request("r1")["stage"] == "invited"
    assert "failed" not in running.history("requests", "r1")[-3:]
