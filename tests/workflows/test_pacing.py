"""Holding back: on Graph's word, on the administrator's, and when invitations keep failing."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from azure.core.pipeline.transport import HttpRequest

from b2b.workflows.pacing import Wait
from tests.support.world import MakeWorld, World, account, tenant_of

USERS = [account(number)["id"] for number in range(1, 10)]


def invitations(world: World) -> int:
    return len([call for call in world.posts() if call["path"].endswith("/invitations")])


@pytest.fixture
async def crowd(world: MakeWorld) -> World:
    return await world(tenant_of(*(account(number) for number in range(1, 10))))


def throttle(world: World, retry_after: str | None, status: int = 429, on: str = "") -> None:
    """The next call to Graph is throttled, the others get through."""

    def once(request: httpx.Request, response: httpx.Response) -> None:
        if on not in request.url.path:
            return
        world.graph.after = lambda _request, _response: None
        response.status_code = status
        if retry_after is not None:
            response.headers["Retry-After"] = retry_after

    world.graph.after = once


async def test_one_throttled_request_keeps_the_others_from_graph(crowd: World) -> None:
    throttle(crowd, "120")
    await crowd.deliver("r1", USERS[0])
    calls = len(crowd.tenant.control.journal())
    await crowd.deliver("r2", USERS[1])
    assert len(crowd.tenant.control.journal()) == calls
    assert crowd.history("conversions", "pace") == ["paused"]
    assert crowd.request("r2")["lastError"].startswith("everything waits")
    crowd.clock.advance(121)
    await crowd.redeliver("r1")
    await crowd.redeliver("r2")
    assert {crowd.request(each)["stage"] for each in ("r1", "r2")} == {"invited"}


@pytest.mark.parametrize("retry_after", ["0.249", "1", None])
async def test_a_short_or_unnamed_wait_holds_only_its_own_request(crowd: World, retry_after: str | None) -> None:
    throttle(crowd, retry_after)
    await crowd.deliver("r1", USERS[0])
    await crowd.deliver("r2", USERS[1])
    assert (crowd.request("r1")["stage"], crowd.request("r2")["stage"]) == ("requested", "invited")


async def test_waiting_for_the_tenant_is_no_reason_to_give_up(crowd: World) -> None:
    throttle(crowd, "3000")
    await crowd.deliver("r1", USERS[0])
    await crowd.deliver("r2", USERS[1])
    crowd.clock.advance(2 * 86_400)
    await crowd.redeliver("r2")
    assert crowd.request("r2")["stage"] == "invited"


async def test_the_stop_switch_lets_nothing_out_and_loses_nothing(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)), B2B_PAUSED="true")
    await running.deliver("r1", USERS[0])
    assert (invitations(running), running.waiting()) == (0, 1)
    assert "B2B_PAUSED" in running.request("r1")["lastError"]
    running.clock.advance(5 * 86_400)
    running.services = await running.restart(B2B_PAUSED="false")
    await running.redeliver("r1")
    assert running.request("r1")["stage"] == "invited"


async def test_the_breaker_opens_probes_and_closes(crowd: World) -> None:
    """Five invitations without an answer in a window: the sixth waits, one probes later, then all go on."""
    for number in range(5):
        crowd.graph.on_invitation(before=httpx.ReadTimeout("slow"))
        await crowd.deliver(f"r{number}", USERS[number])
    assert crowd.history("conversions", "pace") == ["breaker-open"]
    await crowd.deliver("r5", USERS[5])
    assert "breaker is open" in crowd.request("r5")["lastError"]
    assert crowd.conversion(USERS[5]) is None
    crowd.clock.advance(302)
    await crowd.redeliver("r5")
    assert crowd.request("r5")["stage"] == "invited"
    assert crowd.history("conversions", "pace") == ["breaker-open", "breaker-probe", "breaker-closed"]
    await crowd.deliver("r6", USERS[6])
    assert crowd.request("r6")["stage"] == "invited"


async def test_a_failing_probe_keeps_the_breaker_open(crowd: World) -> None:
    for number in range(5):
        crowd.graph.on_invitation(before=httpx.ReadTimeout("slow"))
        await crowd.deliver(f"r{number}", USERS[number])
    crowd.clock.advance(302)
    crowd.graph.on_invitation(before=httpx.ReadTimeout("slow"))
    await crowd.deliver("r5", USERS[5])
    await crowd.deliver("r6", USERS[6])
    assert crowd.history("conversions", "pace") == ["breaker-open", "breaker-probe", "breaker-open"]
    assert "breaker is open" in crowd.request("r6")["lastError"]


async def test_while_one_probes_the_others_wait(crowd: World) -> None:
    for number in range(5):
        crowd.graph.on_invitation(before=httpx.ReadTimeout("slow"))
        await crowd.deliver(f"r{number}", USERS[number])
    crowd.clock.advance(302)
    seen: list[str] = []

    def beside(request: httpx.Request) -> None:
        if request.url.path.endswith("/invitations"):
            seen.append("probe")

    crowd.graph.before = beside
    await asyncio.gather(*(crowd.deliver(f"p{number}", USERS[number]) for number in range(5, 9)))
    assert seen[0] == "probe"
    assert crowd.history("conversions", "pace").count("breaker-probe") == 1


async def test_a_few_failures_among_many_leave_the_breaker_closed(crowd: World) -> None:
    for number in range(8):
        if number % 4 == 0:
            crowd.graph.on_invitation(before=httpx.ReadTimeout("slow"))
        await crowd.deliver(f"r{number}", USERS[number])
    assert crowd.history("conversions", "pace") == []


async def test_what_makes_everybody_wait_is_no_failure_for_the_breaker(crowd: World) -> None:
    """Graph throttles whole tenants for minutes; the pause holds already, and the brake on top would double it."""
    for number in range(6):
        throttle(crowd, "10", on="/invitations")
        await crowd.deliver(f"r{number}", USERS[number])
        assert "429" in crowd.request(f"r{number}")["lastError"]
        crowd.clock.advance(11)
    assert set(crowd.history("conversions", "pace")) == {"paused"}


async def test_throttling_that_names_no_wait_counts_for_the_breaker(crowd: World) -> None:
    for number in range(5):
        throttle(crowd, None, on="/invitations")
        await crowd.deliver(f"r{number}", USERS[number])
    assert crowd.history("conversions", "pace") == ["breaker-open"]


async def test_who_meets_a_probe_waits_for_its_answer_and_not_for_its_whole_lease(crowd: World) -> None:
    for number in range(5):
        crowd.graph.on_invitation(before=httpx.ReadTimeout("slow"))
        await crowd.deliver(f"r{number}", USERS[number])
    crowd.clock.advance(302)
    pacer = crowd.services.converter._pacer
    assert await pacer.permit(timedelta(seconds=60))
    with pytest.raises(Wait) as second:
        await pacer.permit(timedelta(seconds=60))
    assert second.value.delay < 10
    crowd.clock.advance(61)
    assert await pacer.permit(timedelta(seconds=60))


async def test_a_probe_that_graph_refuses_for_its_own_values_shows_that_graph_answers(world: MakeWorld) -> None:
    users = [*(account(number) for number in range(1, 7)), account(7, accountEnabled=False)]
    running = await world(tenant_of(*users), B2B_RULE_OVERRIDES='{"account-disabled": "off"}')
    for number in range(5):
        running.graph.on_invitation(before=httpx.ReadTimeout("slow"))
        await running.deliver(f"r{number}", USERS[number])
    running.clock.advance(302)
    await running.deliver("r7", USERS[6])
    assert running.history("conversions", USERS[6]) == ["inviting", "refused", "blocked"]
    assert running.history("conversions", "pace")[-1] == "breaker-closed"


async def test_who_was_admitted_before_the_pause_does_not_send_in_it(crowd: World) -> None:
    """Between `admit` and the call lie several round trips, and another instance was throttled meanwhile."""
    other = await crowd.restart()

    async def meanwhile(_request: HttpRequest) -> None:
        await other.converter._pacer.throttled(120, "Graph: answered 429")

    crowd.room.once(lambda request: "'address~" in request.url, meanwhile)
    await crowd.deliver("r1", USERS[0])
    assert invitations(crowd) == 0
    assert crowd.request("r1")["lastError"].startswith("everything waits")


async def test_requests_end_though_only_one_at_a_time_meets_the_trouble_itself(world: MakeWorld) -> None:
    """Graph throttles for two days: whoever asks is refused, all others wait for it, and the time counts for all."""
    users = {f"r{number}": account(number)["id"] for number in range(3)}
    running = await world(tenant_of(*(account(number) for number in range(3))))
    running.tenant.control.set_faults([{"kind": "429-integer", "seconds": 600, "path": "batch"}])
    for request_id, user in users.items():
        await running.deliver(request_id, user)
    began, open_ones = running.clock(), set(users)
    while open_ones and running.clock() - began < timedelta(days=2):
        request_id = min(open_ones, key=lambda each: running.request(each)["dueAt"])
        running.pass_time(max((running.request(request_id)["dueAt"] - running.clock()).total_seconds(), 0) + 1)
        await running.redeliver(request_id)
        if running.request(request_id)["stage"] == "failed":
            open_ones.remove(request_id)
    assert not open_ones
