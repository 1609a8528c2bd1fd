"""Pauses: because Graph asks for one, because an administrator sets one, and because invitations keep failing."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import HttpRequest

from b2b.domain.errors import MustWait
from rehearsal.tenant.protocol.permissions import DEFAULT_ROLES
from tests.support.world import MakeWorld, World, account, tenant_of

USERS = [account(number)["id"] for number in range(1, 10)]


def invitations(world: World) -> int:
    return len([call for call in world.posts() if call["path"].endswith("/invitations")])


async def failing(world: World, count: int) -> None:
    """Let some invitations fail without an answer, 6 s apart, because an instance reports at most every few seconds."""
    for number in range(count):
        world.graph.on_invitation(before=httpx.ReadTimeout("slow"))
        await world.deliver(f"r{number}", USERS[number])
        world.clock.advance(6)


@pytest.fixture
async def crowd(world: MakeWorld) -> World:
    return await world(tenant_of(*(account(number) for number in range(1, 10))))


def throttle(world: World, retry_after: str | None, status: int = 429, on: str = "") -> None:
    """Let the next call to Graph be throttled; later calls succeed."""

    def once(request: httpx.Request, response: httpx.Response) -> None:
        if not request.url.path.endswith(on):
            return
        world.graph.after = lambda _request, _response: None
        response.status_code = status
        if retry_after is not None:
            response.headers["Retry-After"] = retry_after

    world.graph.after = once


async def test_a_throttled_request_pauses_all_others(crowd: World) -> None:
    throttle(crowd, "120")
    await crowd.deliver("r1", USERS[0])
    calls = len(crowd.tenant.control.journal())
    await crowd.deliver("r2", USERS[1])
    assert len(crowd.tenant.control.journal()) == calls
    assert crowd.history("conversions", "pace") == ["paused"]
    assert (await crowd.status("r2"))["waiting"]["reason"] == "throttled"
    crowd.clock.advance(121)
    await crowd.redeliver("r1")
    await crowd.redeliver("r2")
    assert {crowd.request(each)["stage"] for each in ("r1", "r2")} == {"invited"}


@pytest.mark.parametrize("retry_after", ["0.249", "1", None])
async def test_a_short_or_missing_retry_after_delays_only_its_own_request(
    crowd: World, retry_after: str | None
) -> None:
    throttle(crowd, retry_after)
    await crowd.deliver("r1", USERS[0])
    await crowd.deliver("r2", USERS[1])
    assert (crowd.request("r1")["stage"], crowd.request("r2")["stage"]) == ("requested", "invited")


async def test_time_spent_waiting_for_graph_does_not_end_a_request(crowd: World) -> None:
    throttle(crowd, "3000")
    await crowd.deliver("r1", USERS[0])
    await crowd.deliver("r2", USERS[1])
    crowd.clock.advance(2 * 86_400)
    await crowd.redeliver("r2")
    assert crowd.request("r2")["stage"] == "invited"


async def test_a_paused_app_sends_nothing_and_loses_nothing(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)), B2B_PAUSED="true")
    await running.deliver("r1", USERS[0])
    assert (invitations(running), running.waiting()) == (0, 1)
    assert (await running.status())["waiting"]["reason"] == "paused"
    running.clock.advance(5 * 86_400)
    running.services = await running.restart(B2B_PAUSED="false")
    await running.redeliver("r1")
    assert running.request("r1")["stage"] == "invited"


async def test_the_breaker_opens_probes_and_closes(crowd: World) -> None:
    """After five invitations without an answer the sixth waits; later one request probes, and then all go on."""
    await failing(crowd, 5)
    assert crowd.history("conversions", "pace") == ["breaker-open"]
    await crowd.deliver("r5", USERS[5])
    assert (await crowd.status("r5"))["waiting"]["reason"] == "breaker-open"
    assert crowd.conversion(USERS[5]) is None
    crowd.clock.advance(302)
    await crowd.redeliver("r5")
    assert crowd.request("r5")["stage"] == "invited"
    assert crowd.history("conversions", "pace") == ["breaker-open", "breaker-probe", "breaker-closed"]
    await crowd.deliver("r6", USERS[6])
    assert crowd.request("r6")["stage"] == "invited"


async def test_a_failed_probe_keeps_the_breaker_open(crowd: World) -> None:
    await failing(crowd, 5)
    crowd.clock.advance(302)
    crowd.graph.on_invitation(before=httpx.ReadTimeout("slow"))
    await crowd.deliver("r5", USERS[5])
    await crowd.deliver("r6", USERS[6])
    assert crowd.history("conversions", "pace") == ["breaker-open", "breaker-probe", "breaker-open"]
    assert (await crowd.status("r6"))["waiting"]["reason"] == "breaker-open"


async def test_only_one_request_probes_at_a_time(crowd: World) -> None:
    await failing(crowd, 5)
    crowd.clock.advance(302)
    seen: list[str] = []

    def beside(request: httpx.Request) -> None:
        if request.url.path.endswith("/invitations"):
            seen.append("probe")

    crowd.graph.before = beside
    await asyncio.gather(*(crowd.deliver(f"p{number}", USERS[number]) for number in range(5, 9)))
    assert seen[0] == "probe"
    assert crowd.history("conversions", "pace").count("breaker-probe") == 1


async def test_a_few_failures_among_many_do_not_open_the_breaker(crowd: World) -> None:
    for number in range(8):
        if number % 4 == 0:
            crowd.graph.on_invitation(before=httpx.ReadTimeout("slow"))
        await crowd.deliver(f"r{number}", USERS[number])
    assert crowd.history("conversions", "pace") == []


async def test_throttling_with_retry_after_does_not_count_for_the_breaker(crowd: World) -> None:
    """Graph throttles whole tenants for minutes. All requests pause already, and an open breaker would double the
    pause.
    """
    for number in range(6):
        throttle(crowd, "10", on="/invitations")
        await crowd.deliver(f"r{number}", USERS[number])
        assert "429" in crowd.request(f"r{number}")["lastError"]
        crowd.clock.advance(11)
    assert set(crowd.history("conversions", "pace")) == {"paused"}


async def test_throttling_without_retry_after_counts_for_the_breaker(crowd: World) -> None:
    for number in range(5):
        throttle(crowd, None, on="/invitations")
        await crowd.deliver(f"r{number}", USERS[number])
        crowd.clock.advance(6)
    assert crowd.history("conversions", "pace") == ["breaker-open"]


async def test_a_request_during_a_probe_waits_less_than_the_probes_lease(crowd: World) -> None:
    await failing(crowd, 5)
    crowd.clock.advance(302)
    pacer = crowd.services.receiver._converter._pacer
    assert await pacer.permit(timedelta(seconds=60))
    with pytest.raises(MustWait) as second:
        await pacer.permit(timedelta(seconds=60))
    assert (second.value.seconds or 0) < 10
    crowd.clock.advance(61)
    assert await pacer.permit(timedelta(seconds=60))


async def test_a_probe_that_makes_no_claim_is_left_to_the_next_request(crowd: World) -> None:
    """Storage fails between the probe and the call, so this request says nothing about Graph."""
    await failing(crowd, 5)
    crowd.clock.advance(302)

    async def refused(_request: HttpRequest) -> None:
        raise ServiceRequestError("connection refused")

    crowd.faulty_storage.once(reserves, refused)
    await crowd.deliver("r5", USERS[5])
    assert (await crowd.status("r5"))["waiting"]["reason"] == "service-unavailable"
    await crowd.deliver("r6", USERS[6])
    assert crowd.request("r6")["stage"] == "invited"
    assert crowd.history("conversions", "pace")[1:] == [
        "breaker-probe",
        "breaker-probe-unused",
        "breaker-probe",
        "breaker-closed",
    ]


async def test_a_probe_that_graph_refuses_closes_the_breaker(world: MakeWorld) -> None:
    users = [*(account(number) for number in range(1, 7)), account(7, accountEnabled=False)]
    running = await world(tenant_of(*users), B2B_RULE_OVERRIDES='{"account-disabled": "off"}')
    await failing(running, 5)
    running.clock.advance(302)
    await running.deliver("r7", USERS[6])
    assert running.history("conversions", USERS[6]) == ["inviting", "refused", "blocked"]
    assert running.history("conversions", "pace")[-1] == "breaker-closed"


async def test_another_instance_learns_of_a_pause_within_seconds(crowd: World) -> None:
    """The shared row is cached for a few seconds, so that not every invitation has to read it."""
    await crowd.deliver("r1", USERS[0])
    other = await crowd.restart()
    await other.receiver._converter._pacer.throttled(120, "Graph: answered 429")
    crowd.clock.advance(6)
    await crowd.deliver("r2", USERS[1])
    assert invitations(crowd) == 1
    assert (await crowd.status("r2"))["waiting"]["reason"] == "throttled"


async def test_a_missing_permission_to_invite_opens_the_breaker(world: MakeWorld) -> None:
    """Otherwise every invitation would fail, each after claiming its account."""
    running = await world(tenant_of(*(account(number) for number in range(1, 10))))
    running.tenant.control.set_roles(sorted(set(DEFAULT_ROLES) - {"User.Invite.All", "User.ReadWrite.All"}))
    running.services = await running.restart()
    await running.deliver("r1", USERS[0])
    assert (await running.status("r1"))["waiting"]["reason"] == "permission-missing"
    assert running.history("conversions", "pace") == ["breaker-open"]
    await running.deliver("r2", USERS[1])
    assert (await running.status("r2"))["waiting"]["reason"] == "breaker-open"
    assert running.conversion(USERS[1]) is None
    running.tenant.control.set_roles(sorted(DEFAULT_ROLES))
    running.services = await running.restart()
    running.clock.advance(302)
    await running.redeliver("r2")
    assert running.history("conversions", "pace") == ["breaker-open", "breaker-probe", "breaker-closed"]
    await running.redeliver("r1")
    assert {running.request(each)["stage"] for each in ("r1", "r2")} == {"invited"}


def body_of(request: HttpRequest) -> bytes:
    return request.body if isinstance(request.body, bytes) else str(request.body or "").encode()


def reserves(request: HttpRequest) -> bool:
    """Tell whether a call writes the reservation of an address."""
    return request.method != "GET" and b"address~" in body_of(request)


def shared(request: HttpRequest) -> bool:
    """Tell whether a call writes the row that all instances share."""
    body = body_of(request)
    return request.method != "GET" and (b"PartitionKey='pace'" in body or b'"pace"' in body)


async def writes_of_the_shared_row(world: World, people: int, apart: float, failing_ones: frozenset[int]) -> int:
    """Invite some accounts, `failing_ones` without an answer; return the number of writes to the shared row."""
    written: list[str] = []

    async def watch(request: HttpRequest) -> None:
        if shared(request):
            written.append(request.url)

    world.faulty_storage.before = watch
    for number in range(people):
        if number in failing_ones:
            world.graph.on_invitation(before=httpx.ReadTimeout("slow"))
        await world.deliver(f"r{number}", USERS[number])
        world.clock.advance(apart)
    return len(written)


async def test_successful_invitations_do_not_write_the_shared_row(crowd: World) -> None:
    assert await writes_of_the_shared_row(crowd, 9, 0, frozenset()) == 0
    assert crowd.rows("conversions", "pace") == []


async def test_failed_invitations_share_their_writes_of_the_shared_row(crowd: World) -> None:
    """The first failure is written at once. Those of the next seconds are written together with a later failure."""
    assert await writes_of_the_shared_row(crowd, 9, 0, frozenset({0, 2, 4})) in {1, 2}


async def test_a_request_waits_as_long_as_graph_asks_in_any_answer(crowd: World) -> None:
    """This includes the answer to an invitation, which also leaves a doubt."""
    for request_id, path in (("r1", "/$batch"), ("r2", "/invitations")):
        throttle(crowd, "700", on=path)
        began = crowd.clock()
        await crowd.deliver(request_id, USERS[int(request_id[1])])
        assert (crowd.request(request_id)["dueAt"] - began).total_seconds() >= 700
        crowd.clock.advance(701)


async def test_all_requests_are_given_up_if_graph_throttles_for_two_days(world: MakeWorld) -> None:
    """One request at a time is throttled and the others wait for it, but the time counts for all of them."""
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
