"""Fixtures: worlds in which the workflows run, some with a first request."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.world import MakeWorld, World, account, tenant_of, worlds
from tests.workflows.campaign_caller import PEOPLE, SPRING, Caller, Made
from tests.workflows.deciding import (
    ANNA,
    PRIVILEGED,
    USER,
    weights,
)


@pytest.fixture
async def world(storage: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MakeWorld]:
    """Yield a function that makes worlds: `await world(seed, roles=…, B2B_MODE="convert", …)`."""
    async with worlds(storage, monkeypatch) as make:
        yield make


@pytest.fixture
async def privileged(world: MakeWorld) -> World:
    """A world in which request r1 waits for a person's decision."""
    running = await world(PRIVILEGED)
    await running.deliver(user=USER)
    assert running.request("r1")["stage"] == "needsReview"
    return running


@pytest.fixture
async def blocked(world: MakeWorld) -> World:
    """A world in which request r1 is blocked, and the cause was then removed."""
    running = await world(tenant_of(account(1, mail=None)))
    await running.deliver(user=USER)
    assert running.request("r1")["stage"] == "blocked"
    running.tenant.control.reset(tenant_of(ANNA))
    return running


@pytest.fixture
async def judged(world: MakeWorld) -> World:
    """A world in which r1 is a dry run that found the account ready."""
    running = await world(tenant_of(ANNA))
    await running.deliver(user=USER, dryRun=True)
    assert running.request("r1")["stage"] == "assessed"
    return running


@pytest.fixture
async def doubtful(world: MakeWorld) -> World:
    """A world in which nobody knows whether r1's invitation was sent, and the request is in review for that.

    The tenant does not show invitations, and the give-up time has passed.
    """
    running = await world(tenant_of(ANNA), switches={"pending-state": "unset"}, B2B_GIVE_UP_SECONDS="400")
    running.graph.on_invitation(after=httpx.ReadTimeout("slow"))
    await running.deliver(user=USER)
    running.pass_time(800)
    await running.redeliver()
    assert weights(running.request("r1")) == {"outcome-unknown": "review"}
    return running


@pytest.fixture
async def spring(world: MakeWorld) -> Made:
    """A world with a campaign that has no members, and a caller who owns it."""
    override = '{"home-account-not-entra": "off", "looks-like-employee": "review"}'
    place = await world(tenant_of(*PEOPLE), B2B_RULE_OVERRIDES=override)
    caller = Caller(place)
    made = await caller.call("create_campaign", {"campaignId": SPRING, "name": "Suppliers"})
    assert made.status == 201, made.body
    return place, caller
