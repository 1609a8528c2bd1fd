"""Requests that ended long ago are purged if an administrator sets that; nothing else is deleted."""

import json

import pytest

from b2b.domain.pacing import Pace
from b2b.domain.sweep import Part, PartReport
from tests.adapters.ledger_support import change
from tests.support.world import MakeWorld, World, account, tenant_of

USER = account(1)["id"]
DAY = 86_400
WITHOUT_ID = "11111111-2222-4333-8444-555555555555"


async def sweep(world: World) -> PartReport:
    return (await world.services.sweep.run()).of(Part.PURGE)


async def redeemed(world: World) -> None:
    """Redeem, and let the sweep complete the request and take it off the list of open requests."""
    world.clock.advance(31 * 60)
    await world.services.sweep.run()
    world.tenant.control.redeem(USER, "mail")
    world.clock.advance(31 * 60)
    await world.services.sweep.run()


@pytest.fixture
async def keeping(world: MakeWorld) -> World:
    return await world(tenant_of(account(1), account(2)), B2B_PURGE_AFTER_DAYS="30")


async def test_without_the_setting_nothing_is_purged(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1)))
    await running.deliver(user=USER)
    await redeemed(running)
    running.clock.advance(3000 * DAY)
    assert (await sweep(running)).done == 0
    assert running.request("r1")["stage"] == "completed"


async def test_a_request_is_purged_the_set_number_of_days_after_its_end(keeping: World) -> None:
    await keeping.receive(json.dumps({"invitedUser": {"id": USER}}).encode(), WITHOUT_ID)
    (row,) = keeping.all_requests()
    await redeemed(keeping)
    keeping.clock.advance(29 * DAY)
    assert (await sweep(keeping)).changed == 0
    keeping.clock.advance(2 * DAY)
    assert (await sweep(keeping)).changed == 1
    assert keeping.rows("requests", row["PartitionKey"]) == []
    assert keeping.rows("requests", f"body~{row['bodyHash']}") == []
    assert keeping.rows("requests", "rested~") == []


async def test_an_account_whose_request_was_purged_is_not_invited_again(keeping: World) -> None:
    await keeping.deliver(user=USER)
    await redeemed(keeping)
    keeping.clock.advance(31 * DAY)
    await sweep(keeping)
    await keeping.deliver("r2", USER)
    assert keeping.request("r2")["stage"] == "completed"
    assert len(keeping.posts()) == 1


async def test_an_invited_request_is_kept_until_it_has_ended(keeping: World) -> None:
    await keeping.deliver(user=USER)
    keeping.clock.advance(31 * 60)
    await keeping.services.sweep.run()
    for _ in range(3):
        keeping.clock.advance(40 * DAY)
        assert (await sweep(keeping)).changed == 0
    assert keeping.request("r1")["stage"] == "invited"
    assert len(keeping.rows("requests", "rested~")) == 1
    await redeemed(keeping)
    keeping.clock.advance(29 * DAY)
    assert (await sweep(keeping)).changed == 0
    keeping.clock.advance(2 * DAY)
    await sweep(keeping)
    assert keeping.rows("requests", "r1") == []


async def test_a_retried_request_is_not_purged(keeping: World) -> None:
    await keeping.deliver(user=account(9)["id"])
    assert keeping.request("r1")["stage"] == "blocked"
    keeping.clock.advance(31 * 60)
    await keeping.services.sweep.run()
    keeping.clock.advance(29 * DAY)
    assert (await keeping.api.retry("r1", "")).status == 202
    keeping.clock.advance(2 * DAY)
    assert (await sweep(keeping)).changed == 0
    assert keeping.request("r1")["stage"] == "requested"


@pytest.mark.parametrize("body", ["not json", json.dumps({"requestId": "r1", "invitedUser": {"id": USER}})])
async def test_rejected_and_never_processed_requests_are_purged_too(keeping: World, body: str) -> None:
    keeping.send_to_poison(body)
    await keeping.services.sweep.run()
    (row,) = keeping.all_requests()
    assert row["stage"] in {"rejected", "failed"}
    keeping.clock.advance(31 * DAY)
    assert (await sweep(keeping)).changed == 1
    assert keeping.all_requests() == []


async def test_the_history_of_the_breaker_is_purged(keeping: World) -> None:
    pace = await keeping.services.ledger.pace.write(change(Pace(), "opened", "closed"))
    keeping.clock.advance(3650 * DAY)
    await sweep(keeping)
    assert keeping.history("conversions", "pace") == []
    assert await keeping.services.ledger.pace.get("pace") == pace
