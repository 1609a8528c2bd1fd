"""How long the assessment of a waiting request stays valid: B2B_ASSESSMENT_SECONDS."""

import httpx
import pytest

from tests.support.world import MakeWorld, World, account, tenant_of

ANNA = account(1)
USER = ANNA["id"]


async def parked(world: MakeWorld, **settings: str) -> World:
    """Return a world in which request r1 was assessed and claimed, but whose call did not reach Graph."""
    running = await world(tenant_of(ANNA), **settings)
    running.graph.on_invitation(before=httpx.ConnectError("refused"))
    await running.deliver(user=USER)
    assert running.history("conversions", USER) == ["inviting", "not-sent"]
    return running


def asked(world: World, since: int) -> set[str]:
    """Return the paths of the calls to Graph since entry `since` of the journal."""
    return {call["path"] for call in world.tenant.control.journal()[since:]}


async def test_a_recent_assessment_is_used_and_only_the_account_is_read_again(world: MakeWorld) -> None:
    running = await parked(world)
    calls = len(running.tenant.control.journal())
    running.clock.advance(590)
    await running.redeliver()
    assert running.request("r1")["stage"] == "invited"
    assert asked(running, calls) - {"/v1.0/$batch"} == {f"/v1.0/users/{USER}", "/v1.0/invitations"}


async def test_an_old_assessment_is_repeated_before_an_invitation(world: MakeWorld) -> None:
    running = await parked(world)
    running.tenant.control.reset(tenant_of({**ANNA, "accountEnabled": False}))
    running.clock.advance(901)
    await running.redeliver()
    assert running.request("r1")["stage"] == "needsReview"
    assert running.tenant.control.mails() == []


async def test_with_zero_seconds_every_delivery_assesses_again(world: MakeWorld) -> None:
    running = await parked(world, B2B_ASSESSMENT_SECONDS="0")
    running.tenant.control.reset(tenant_of({**ANNA, "accountEnabled": False}))
    await running.redeliver()
    assert running.request("r1")["stage"] == "needsReview"


async def test_a_second_wait_does_not_extend_an_assessment(world: MakeWorld) -> None:
    running = await parked(world)
    running.clock.advance(600)
    running.graph.on_invitation(before=httpx.ConnectError("refused"))
    await running.redeliver()
    running.tenant.control.reset(tenant_of({**ANNA, "accountEnabled": False}))
    running.clock.advance(600)
    await running.redeliver()
    assert running.request("r1")["stage"] == "needsReview"


@pytest.mark.parametrize("state", ["PendingAcceptance", "Accepted"])
async def test_an_invitation_by_somebody_else_ends_the_request(world: MakeWorld, state: str) -> None:
    running = await parked(world)
    running.tenant.control.reset(tenant_of({**ANNA, "externalUserState": state}))
    await running.redeliver()
    assert running.request("r1")["stage"] == "blocked"
    assert running.tenant.control.mails() == []


async def test_a_deleted_account_ends_the_request(world: MakeWorld) -> None:
    running = await parked(world)
    running.tenant.control.reset(tenant_of())
    await running.redeliver()
    assert running.request("r1")["stage"] == "blocked"


async def test_a_restart_with_new_settings_assesses_again(world: MakeWorld) -> None:
    running = await world(
        tenant_of({**ANNA, "accountEnabled": False}), B2B_RULE_OVERRIDES='{"account-disabled": "warn"}'
    )
    running.graph.on_invitation(before=httpx.ConnectError("refused"))
    await running.deliver(user=USER)
    running.services = await running.restart(B2B_RULE_OVERRIDES="{}")
    await running.redeliver()
    assert running.request("r1")["stage"] == "needsReview"


async def test_a_changed_account_is_assessed_again(world: MakeWorld) -> None:
    running = await parked(world)
    running.tenant.control.reset(tenant_of({**ANNA, "onPremisesUserPrincipalName": "anna@contoso.example"}))
    await running.redeliver()
    assert running.request("r1")["stage"] == "blocked"
