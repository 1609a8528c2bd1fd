"""Rules about the tenant itself: the sample's tenant with other policies, or with fewer permissions for the app."""

import json

import pytest

from rehearsal.sample import Account, Expectation, Profile, Variant, load
from rehearsal.tenant.protocol.permissions import DEFAULT_ROLES
from tests.support.world import MakeWorld, World

SAMPLE = load()


@pytest.mark.parametrize("profile", ["current", "2020"])
@pytest.mark.parametrize("variant", SAMPLE.variants, ids=lambda variant: variant.name)
async def test_the_accounts_of_a_variant_end_as_expected(world: MakeWorld, variant: Variant, profile: Profile) -> None:
    roles = [role for role in DEFAULT_ROLES if role not in variant.missing_roles]
    running = await world(SAMPLE.seed(variant.name), roles, B2B_ELIGIBILITY_PROFILE=profile, **SAMPLE.settings)
    expected = SAMPLE.expected(profile, variant.name)
    accounts = [SAMPLE.account(name) for name in expected]
    for account in accounts:
        await running.receive(account.request.message.encode(), f"message-{account.name}")
        if expected[account.name].stage == "completed":
            running.tenant.control.redeem(account.user_id or "", account.redeem or "")
    await running.services.sweep.run()
    assert {account.name: ending(running, account) for account in accounts} == expected
    assert not running.tenant.control.violations()


def test_each_variant_lacks_only_permissions_that_exist() -> None:
    known = {*DEFAULT_ROLES, "Group.ReadBasic.All", "GroupMember.Read.All"}
    for variant in SAMPLE.variants:
        assert set(variant.missing_roles) <= known
        assert not variant.missing_roles or set(variant.missing_roles) & set(DEFAULT_ROLES), variant.name


def ending(world: World, account: Account) -> Expectation:
    """Return how a request ended, from its row."""
    row = world.request(account.request.request_id or "")
    rules = {finding["rule"] for finding in json.loads(row.get("findings", "[]"))}
    return Expectation(row["stage"], row["verdict"], tuple(sorted(rules)))
