"""The sweep: it sees redemptions, reports invitations that do not show, and goes on despite failures."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from b2b.domain.lifecycle.difference import BATCH
from b2b.domain.sweep import Part
from b2b.workflows.sweep.publish import POINTER_AGE
from b2b.workflows.sweep.turn import MOST_TROUBLE
from tests.support.world import MakeWorld, World, account, tenant_of

USER = account(1)["id"]


PAST_THE_WINDOW = 361


async def follow(world: World) -> tuple[int, int, int]:
    """Run the sweep; return how many accounts its part `follow` looked at, how many it changed, and how many failed."""
    report = (await world.services.sweep.run()).of(Part.FOLLOW)
    return report.done, report.changed, report.problems


@pytest.fixture
async def invited(world: MakeWorld) -> World:
    running = await world(tenant_of(*(account(number) for number in range(1, 6))))
    await running.deliver(user=USER)
    return running


async def test_a_redeemed_invitation_is_completed_and_no_longer_followed(invited: World) -> None:
    invited.tenant.control.redeem(USER, "ExternalAzureAD")
    invited.clock.advance(PAST_THE_WINDOW)
    assert await follow(invited) == (1, 1, 0)
    state = invited.conversion(USER)
    assert state is not None
    assert state["stage"] == "completed"
    assert state["acceptedAt"] <= state["completedAt"]
    assert invited.history("conversions", USER) == ["inviting", "invited", "accepted", "completed"]
    assert invited.request("r1")["stage"] == "completed"
    assert await follow(invited) == (0, 0, 0)


async def test_the_time_of_acceptance_is_the_one_that_graph_reports(invited: World) -> None:
    invited.tenant.control.redeem(USER, "mail")
    invited.clock.advance(7200)
    await invited.services.sweep.run()
    state = invited.conversion(USER)
    assert state is not None
    assert abs((state["acceptedAt"] - datetime.now(UTC)).total_seconds()) < 60


async def test_an_immediate_redemption_is_seen_by_the_next_sweep(
    invited: World,
) -> None:
    await follow(invited)  # from the first account, the app learns that this tenant shows pending invitations
    await invited.deliver("r2", account(2)["id"])
    invited.tenant.control.redeem(account(2)["id"], "mail")
    await follow(invited)
    assert invited.request("r2")["stage"] == "completed"


async def test_a_sweep_reads_at_most_one_batch_of_young_accounts(invited: World) -> None:
    await follow(invited)
    people = [account(number) for number in range(10, 10 + BATCH + 5)]
    invited.tenant.control.reset(tenant_of(account(1), *people))
    for person in people:
        await invited.deliver(f"r{person['displayName'].split()[1]}", person["id"])
    looked_at, _, _ = await follow(invited)
    assert looked_at <= BATCH


async def test_a_person_who_has_not_redeemed_stays_invited(invited: World) -> None:
    assert await follow(invited) == (1, 1, 0), "it was seen for the first time"
    invited.clock.advance(30 * 86_400)
    assert await follow(invited) == (1, 0, 0)
    assert invited.request("r1")["stage"] == "invited"


async def test_an_invitation_that_never_shows_is_recorded_once_and_still_followed(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)))
    await running.deliver(user=USER)
    running.tenant.control.reset()
    assert await follow(running) == (1, 0, 0)
    running.clock.advance(PAST_THE_WINDOW + 60)
    assert await follow(running) == (1, 1, 0)
    assert (await running.status())["waiting"]["reason"] == "not-visible"
    running.clock.advance(3600)
    assert await follow(running) == (1, 0, 0)
    assert running.history("conversions", USER) == ["inviting", "invited", "not-visible"]
    assert running.request("r1")["stage"] == "invited"


async def test_a_followed_entry_without_a_conversion_is_removed_when_it_is_old(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)))
    await running.services.ledger.followed.follow(USER, running.clock(), synced=False)
    await running.services.sweep.run()
    assert len(running.rows("conversions", "followed~")) == 1
    running.clock.advance(POINTER_AGE.total_seconds() + 61)
    await running.services.sweep.run()
    assert running.rows("conversions", "followed~") == []


async def test_the_sweep_reports_that_graph_is_down_and_still_drains(invited: World) -> None:
    def down(_request: httpx.Request) -> None:
        raise httpx.ConnectError("refused")

    invited.graph.before = down
    invited.send_to_poison("not json")
    report = await invited.services.sweep.run()
    assert report.of(Part.DRAIN).changed == 1
    assert (report.of(Part.FOLLOW).done, report.of(Part.FOLLOW).problems) == (1, 1)


async def test_two_simultaneous_sweeps_complete_a_request_once(invited: World) -> None:
    invited.tenant.control.redeem(USER, "mail")
    other = await invited.restart()
    await asyncio.gather(invited.services.sweep.run(), other.sweep.run())
    assert invited.history("conversions", USER) == ["inviting", "invited", "accepted", "completed"]
    assert invited.history("requests", "r1") == ["requested", "invited", "completed"]


async def many(world: MakeWorld, count: int) -> World:
    """Return a world whose accounts are all invited and redeemed; the ledger does not know of the redemptions yet."""
    running = await world(tenant_of(*(account(number) for number in range(1, count + 1))))
    for number in range(1, count + 1):
        await running.deliver(f"r{number}", account(number)["id"])
        running.tenant.control.redeem(account(number)["id"], "mail")
    running.clock.advance(PAST_THE_WINDOW)
    return running


def failing(world: World, times: int, retry_after: str | None = None) -> None:
    """Let the next `times` calls to Graph be answered with 503."""
    left = [times]

    def once(_request: httpx.Request, response: httpx.Response) -> None:
        if left[0]:
            left[0] -= 1
            response.status_code = 503
            if retry_after:
                response.headers["Retry-After"] = retry_after

    world.graph.after = once


async def test_accounts_after_a_failed_batch_are_still_read(world: MakeWorld) -> None:
    """The list breaks off and the first batch fails, but the accounts after it are read."""
    running = await many(world, BATCH + 5)
    failing(running, 2)
    assert await follow(running) == (BATCH + 5, 5, BATCH)
    assert await follow(running) == (BATCH, BATCH, 0)


async def test_the_next_run_continues_after_the_accounts_that_failed(invited: World) -> None:
    """If the cursor did not move, an account that always fails would block all accounts after it."""
    for number in range(2, 6):
        await invited.deliver(f"r{number}", account(number)["id"])
        invited.tenant.control.redeem(account(number)["id"], "mail")
    for _ in range(MOST_TROUBLE):
        failing(invited, 1)
        await invited.services.sweep.run()
    await invited.services.sweep.run()
    assert {invited.request(f"r{number}")["stage"] for number in range(2, 6)} == {"completed"}


async def test_the_sweep_respects_retry_after_and_pauses_all_others(world: MakeWorld) -> None:
    running = await many(world, BATCH + 5)
    calls = len(running.tenant.control.journal())
    failing(running, 1, "120")
    await running.services.sweep.run()
    batches = [call for call in running.tenant.control.journal()[calls:] if "$batch" in call["path"]]
    assert len(batches) == 1
    assert running.history("conversions", "pace") == ["paused"]
    await running.deliver("r99", account(99)["id"])
    assert (await running.status("r99"))["waiting"]["reason"] == "throttled"
    running.clock.advance(121)
    assert await follow(running) == (BATCH + 5, BATCH + 5, 0)
