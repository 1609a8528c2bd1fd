"""New accounts, licences, applications with their own permissions, and redeem links."""

from typing import Any

import pytest

from tests.rehearsal.tenant_support import ANNA, SEED, contoso, error, token

PLAN, OTHER_PLAN = "efb87545-963c-4e0d-99df-69c6916d9eb0", "113feb6c-3fe4-4440-bddc-54d774bf0318"
SKU = {
    "skuId": "4b9405b0-7788-4568-add1-99614e613b69",
    "skuPartNumber": "EXCHANGESTANDARD",
    "prepaidUnits": {"enabled": 1},
    "servicePlans": [
        {"servicePlanId": PLAN, "servicePlanName": "EXCHANGE_S_ENTERPRISE"},
        {"servicePlanId": OTHER_PLAN, "servicePlanName": "EXCHANGE_S_FOUNDATION"},
    ],
}


def new(**properties: Any) -> dict[str, Any]:
    return {
        "accountEnabled": True,
        "displayName": "Nina",
        "mailNickname": "nina",
        "userPrincipalName": "nina@contoso.com",
        "passwordProfile": {"password": "not-a-secret-1"},
    } | properties


async def test_a_new_account_is_internal_and_its_mail_is_its_proxy_address() -> None:
    async with contoso() as tenant:
        made = await tenant.http.post("users", json=new(mail="nina@fabrikam.com", otherMails=["n@fabrikam.com"]))
        assert made.status_code == 201
        user = await tenant.sim(f"users/{made.json()['id']}")
    assert (user["externalUserState"], user["creationType"], user["userType"]) == (None, None, "Member")
    assert (user["mail"], user["proxyAddresses"]) == ("nina@fabrikam.com", ["SMTP:nina@fabrikam.com"])
    assert user["identities"][0]["issuerAssignedId"] == "nina@contoso.com"
    assert "passwordProfile" not in user


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"userPrincipalName": "anna@contoso.com"}, "property userPrincipalName already exists"),
        ({"userPrincipalName": "nina@elsewhere.example"}, "one of the verified domain names"),
        ({"userPrincipalName": "nina@unverified.example"}, "one of the verified domain names"),
        ({"mail": "dora@fabrikam.com"}, "property proxyAddresses already exists"),
        ({"passwordProfile": {}}, "password complexity"),
        ({"mailNickname": None}, "A value is required for property 'mailNickname'"),
        ({"externalUserState": "Accepted"}, "'externalUserState' is read-only"),
        ({"telephone": "1"}, "Could not find a property named 'telephone'"),
        ({"otherMails": "a@b.example"}, "wrong type"),
    ],
)
async def test_an_invalid_account_is_refused_and_not_created(properties: dict[str, Any], message: str) -> None:
    async with contoso() as tenant:
        before = await tenant.sim("users")
        response = await tenant.http.post("users", json=new(**properties))
        assert error(response)[0] == 400
        assert message in error(response)[2]
        assert await tenant.sim("users") == before


async def test_a_licence_adds_its_plans_to_the_account_while_units_are_left() -> None:
    body = {"addLicenses": [{"skuId": SKU["skuId"], "disabledPlans": [OTHER_PLAN]}], "removeLicenses": []}
    async with contoso(
        SEED | {"subscribedSkus": [SKU]}, roles=["User.ReadWrite.All", "Organization.Read.All"]
    ) as tenant:
        nowhere = await tenant.http.post(f"users/{ANNA}/assignLicense", json=body)
        assert "usage location" in error(nowhere)[2]
        await tenant.http.patch(f"users/{ANNA}", json={"usageLocation": "NL"})
        assert (await tenant.http.post(f"users/{ANNA}/assignLicense", json=body)).status_code == 200
        plans = (await tenant.sim(f"users/{ANNA}"))["assignedPlans"]
        assert [(plan["servicePlanId"], plan["capabilityStatus"]) for plan in plans] == [(PLAN, "Enabled")]
        used = (await tenant.get("subscribedSkus", select="skuId,consumedUnits")).json()["value"]
        assert used == [{"skuId": SKU["skuId"], "consumedUnits": 1}]
        again = await tenant.http.post(f"users/{ANNA}/assignLicense", json=body)
        assert "does not have any available licenses" in error(again)[2]
        await tenant.http.delete(f"users/{ANNA}")
        assert (await tenant.get("subscribedSkus")).json()["value"][0]["consumedUnits"] == 0


async def test_an_application_can_have_its_own_permissions() -> None:
    async with contoso() as tenant:
        await tenant.sim("roles", {"clientId": "one", "roles": ["User.Invite.All"]})
        for client, status in (("one", 403), ("another", 200)):
            bearer = (await token(tenant.app, client_id=client))["access_token"]
            response = await tenant.http.get("users", headers={"Authorization": f"Bearer {bearer}"})
            assert response.status_code == status


async def test_the_newest_redeem_link_works_and_older_ones_are_dead() -> None:
    async with contoso() as tenant:
        old, fresh = [(await tenant.invite(ANNA)).json()["inviteRedeemUrl"] for _ in range(2)]
        dead = await tenant.http.post("https://graph.microsoft.com/_sim/redeem", json={"link": old})
        assert dead.status_code == 409
        assert (await tenant.sim("redeem", {"link": fresh}))["externalUserState"] == "Accepted"
        other = await tenant.http.post("https://graph.microsoft.com/_sim/redeem", json={"link": "https://fabrikam.com"})
        assert (other.status_code, other.json()["error"]) == (400, "ValueError: this is no redeem link")
