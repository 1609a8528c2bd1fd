"""Redemption: what it changes, and when it is refused."""

from typing import Any

import httpx
import pytest

from tests.rehearsal.tenant_support import ANNA, BEN, GRAPH, GUEST, Client, contoso

KEPT = ("id", "userPrincipalName", "userType", "creationType", "groups", "directoryRoles", "appRoleAssignments", "mail")


async def attempt(tenant: Client, **body: Any) -> httpx.Response:
    return await tenant.http.post(f"{GRAPH}/_sim/redeem", json=body)


@pytest.mark.parametrize(
    ("provider", "assigned"),
    [
        ("ExternalAzureAD", None),
        ("MicrosoftAccount", None),
        ("google.com", "anna@fabrikam.com"),
        ("mail", "anna@fabrikam.com"),
        ("https://adatum.com/adfs/services/trust", "anna@fabrikam.com"),
    ],
)
async def test_redeeming_sets_accepted_adds_the_issuer_and_changes_nothing_else(
    provider: str, assigned: str | None
) -> None:
    async with contoso() as tenant:
        await tenant.invite(ANNA)
        before = await tenant.sim(f"users/{ANNA}")
        await tenant.sim("clock", {"advance": 60})
        await tenant.sim("redeem", {"userId": ANNA, "identityProvider": provider})
        after = await tenant.sim(f"users/{ANNA}")
    assert after["externalUserState"] == "Accepted"
    assert after["externalUserStateChangeDateTime"] > before["externalUserStateChangeDateTime"]
    assert after["identities"] == [
        *before["identities"],
        {"signInType": "federated", "issuer": provider, "issuerAssignedId": assigned},
    ]
    assert {name: after[name] for name in KEPT} == {name: before[name] for name in KEPT}
    assert after["groups"]
    assert after["appRoleAssignments"]


async def test_redeeming_without_an_invitation_or_twice_is_refused() -> None:
    async with contoso() as tenant:
        assert (await attempt(tenant, userId=ANNA)).status_code == 409
        await tenant.invite(ANNA)
        assert (await attempt(tenant, userId=ANNA)).status_code == 200
        assert (await attempt(tenant, userId=ANNA)).status_code == 409
        assert (await attempt(tenant, userId="nobody")).status_code == 404
        assert (await attempt(tenant)).status_code == 400


async def test_a_guest_that_is_pending_in_the_seed_can_redeem() -> None:
    async with contoso() as tenant:
        assert (await attempt(tenant, userId=GUEST)).json()["externalUserState"] == "Accepted"


async def test_a_ticket_redeems_only_its_own_user() -> None:
    async with contoso() as tenant:
        await tenant.invite(ANNA)
        ticket = (await tenant.sim("mails"))[0]["ticket"]
        assert (await attempt(tenant, userId=BEN, ticket=ticket)).status_code == 409
        assert (await attempt(tenant, userId=ANNA, ticket="made-up")).status_code == 409
        assert (await attempt(tenant, userId=ANNA, ticket=ticket)).status_code == 200


async def test_a_deny_list_or_a_blocked_sign_in_prevents_redemption() -> None:
    async with contoso() as tenant:
        await tenant.invite(ANNA)
        tenant.app.state.tenant.policies.lists["blockedDomains"].append("fabrikam.com")
        assert "does not admit" in (await attempt(tenant, userId=ANNA)).json()["error"]
        tenant.app.state.tenant.policies.lists["blockedDomains"].clear()
        assert (await tenant.http.patch(f"users/{ANNA}", json={"accountEnabled": False})).status_code == 204
        assert "blocked from signing in" in (await attempt(tenant, userId=ANNA)).json()["error"]
