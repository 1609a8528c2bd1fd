"""Writes other than invitations: mail changes, the recycle bin, and the delta that reports them."""

from typing import Any

import pytest

from tests.rehearsal.tenant_support import ANNA, BEN, EXCHANGE_PLAN_2, GONE, GUEST, changed, contoso, error, token

BIN = "directory/deletedItems"


async def test_a_new_mail_address_becomes_the_primary_proxy_address() -> None:
    async with contoso() as tenant:
        response = await tenant.http.patch(f"users/{ANNA}", json={"mail": "anna@proseware.com"})
        user = await tenant.sim(f"users/{ANNA}")
    assert (response.status_code, response.content) == (204, b"")
    assert (user["mail"], user["proxyAddresses"]) == ("anna@proseware.com", ["SMTP:anna@proseware.com"])


@pytest.mark.parametrize(
    ("properties", "changes", "code", "message"),
    [
        ({}, {"mail": "dora@fabrikam.com"}, "Request_BadRequest", "Another object with the same value for property"),
        ({}, {"mail": "carla@litware.com"}, "Request_BadRequest", "Another object with the same value for property"),
        ({"onPremisesSyncEnabled": True}, {"mail": "a@b.example"}, "Request_BadRequest", "on-premises mastered"),
        ({"assignedPlans": [EXCHANGE_PLAN_2]}, {"mail": "a@b.example"}, "Request_BadRequest", "an external service."),
        ({}, {"proxyAddresses": ["SMTP:a@b.example"]}, "Request_BadRequest", "'proxyAddresses' is read-only"),
        ({}, {"externalUserState": None}, "Request_BadRequest", "'externalUserState' is read-only"),
        ({}, {"telephone": "1"}, "Request_BadRequest", "Could not find a property named 'telephone'"),
        ({}, {"otherMails": "a@b.example"}, "BadRequest", "wrong type"),
        ({}, {}, "BadRequest", "at least one property"),
    ],
)
async def test_a_change_that_the_directory_refuses_changes_nothing(
    properties: dict[str, Any], changes: dict[str, Any], code: str, message: str
) -> None:
    async with contoso(changed(**properties)) as tenant:
        before = await tenant.sim(f"users/{ANNA}")
        response = await tenant.http.patch(f"users/{ANNA}", json=changes)
        assert error(response)[:2] == (400, code)
        assert message in error(response)[2]
        assert await tenant.sim(f"users/{ANNA}") == before


async def test_setting_mail_to_a_contacts_address_adds_no_proxy_address() -> None:
    async with contoso() as tenant:
        assert (await tenant.http.patch(f"users/{BEN}", json={"mail": "eve@fabrikam.com"})).status_code == 204
        assert (await tenant.sim(f"users/{BEN}"))["proxyAddresses"] == []


async def test_a_deleted_user_is_not_found_and_is_restored_complete() -> None:
    async with contoso() as tenant:
        assert (await tenant.http.delete(f"users/{ANNA}")).status_code == 204
        assert (await tenant.get(f"users/{ANNA}")).status_code == 404
        deleted = (await tenant.get(f"{BIN}/{ANNA}", select="id,userPrincipalName,mail")).json()
        assert deleted["@odata.type"] == "#microsoft.graph.user"
        assert deleted["userPrincipalName"] == ANNA.replace("-", "") + "anna@contoso.com"
        restored = (await tenant.http.post(f"{BIN}/{ANNA}/restore")).json()
        assert restored["userPrincipalName"] == "anna@contoso.com"
        assert (await tenant.sim(f"users/{ANNA}"))["groups"]


async def test_the_recycle_bin_keeps_a_user_for_thirty_days() -> None:
    async with contoso() as tenant:
        directory = tenant.app.state.tenant.directory
        await tenant.sim("clock", {"advance": 29 * 86400})
        directory.empty_recycle_bin()
        assert GONE in directory.deleted_users
        await tenant.sim("clock", {"advance": 2 * 86400})
        directory.empty_recycle_bin()
        assert GONE not in directory.deleted_users


async def test_a_purged_user_cannot_be_restored() -> None:
    async with contoso() as tenant:
        assert (await tenant.http.delete(f"{BIN}/{GONE}")).status_code == 204
        assert (await tenant.get(f"{BIN}/{GONE}")).status_code == 404
        assert (await tenant.http.post(f"{BIN}/{GONE}/restore")).status_code == 404


async def test_delta_reports_changes_since_its_link_with_the_selected_properties() -> None:
    async with contoso() as tenant:
        first = (await tenant.get("users/delta", select="externalUserState")).json()
        assert {user["id"] for user in first["value"]} == {ANNA, BEN, GUEST}
        await tenant.invite(ANNA)
        await tenant.http.delete(f"users/{BEN}")
        await tenant.http.delete(f"{BIN}/{GONE}")
        second = (await tenant.http.get(first["@odata.deltaLink"])).json()
        third = (await tenant.http.get(second["@odata.deltaLink"])).json()
    assert second["value"] == [
        {"id": ANNA, "externalUserState": "PendingAcceptance"},
        {"id": BEN, "@removed": {"reason": "changed"}},
        {"id": GONE, "@removed": {"reason": "deleted"}},
    ]
    assert third["value"] == []


async def test_a_latest_delta_link_starts_from_now_and_expires_after_7_days() -> None:
    async with contoso() as tenant:
        link = (await tenant.get("users/delta", deltatoken="latest")).json()["@odata.deltaLink"]
        assert (await tenant.http.get(link)).json()["value"] == []
        assert (await tenant.get("users/delta", deltatoken="made-up")).status_code == 400
        tenant.app.state.tenant.clock.advance(8 * 86400)
        tenant.http.headers["Authorization"] = f"Bearer {(await token(tenant.app))['access_token']}"
        expired = await tenant.http.get(link)
    assert expired.status_code == 410
    assert expired.headers["location"].endswith("/users/delta?$deltatoken=")
