"""Every switch changes what a client sees, because a position without an effect would be untested."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from rehearsal.tenant.switches import SWITCHES, TABLE
from tests.rehearsal.tenant_support import (
    ANNA,
    BEN,
    EXCHANGE_PLAN_2,
    FABRIKAM,
    GRAPH,
    GUEST,
    PARTNERS,
    SEED,
    USER_ADMINISTRATOR,
    Client,
    changed,
    contoso,
)

Scenario = Callable[[Client], Awaitable[Any]]
INVITERS = ["User.Invite.All", "User.ReadWrite.All"]
ADMINS_ONLY = {"authorizationPolicy": {"allowInvitesFrom": "adminsAndGuestInviters"}}
OTHER_MAIL = "anna.fischer@fabrikam.com"


def inviting(user_id: str | None = ANNA, address: str = "anna@fabrikam.com", **more: Any) -> Scenario:
    async def scenario(tenant: Client) -> Any:
        response = await tenant.invite(user_id, address, **more)
        return response.status_code, response.json().get("error", {}).get("message")

    return scenario


def reading(path: str, *names: str) -> Scenario:
    async def scenario(tenant: Client) -> Any:
        response = await tenant.http.get(path)
        body = response.json()
        return response.status_code, body.get("value", [body.get(name) for name in names])

    return scenario


async def state_after_inviting(tenant: Client) -> Any:
    await tenant.invite(ANNA)
    return (await tenant.sim(f"users/{ANNA}"))["externalUserState"]


async def identities_after_redeeming(tenant: Client) -> Any:
    await tenant.invite(ANNA)
    return (await tenant.sim("redeem", {"userId": ANNA}))["identities"]


async def id_of_the_issuer_after_redeeming(tenant: Client) -> Any:
    await tenant.invite(ANNA)
    user = await tenant.sim("redeem", {"userId": ANNA, "identityProvider": "mail"})
    return user["identities"][-1]["issuerAssignedId"]


async def redeemer_in_the_audit_log(tenant: Client) -> Any:
    await tenant.invite(ANNA)
    await tenant.sim("redeem", {"userId": ANNA, "signedIn": "eve@adatum.com"})
    await tenant.sim("clock", {"advance": 300})
    (record,) = (await tenant.http.get("auditLogs/directoryAudits")).json()["value"]
    return record["initiatedBy"]["user"]["userPrincipalName"]


async def redeeming_the_first_of_two_links(tenant: Client) -> Any:
    await tenant.invite(ANNA)
    await tenant.invite(ANNA)
    body = {"userId": ANNA, "ticket": (await tenant.sim("mails"))[0]["ticket"]}
    return (await tenant.http.post(f"{GRAPH}/_sim/redeem", json=body)).status_code


async def inviting_who_has_redeemed(tenant: Client) -> Any:
    await tenant.invite(ANNA)
    await tenant.sim("redeem", {"userId": ANNA})
    response = await tenant.invite(ANNA)
    return response.status_code, response.json().get("status")


async def inviting_another_address(tenant: Client) -> Any:
    await tenant.invite(ANNA)
    response = await tenant.invite(ANNA, OTHER_MAIL)
    return response.status_code, [mail["address"] for mail in await tenant.sim("mails")]


async def deleting(tenant: Client) -> Any:
    await tenant.http.delete(f"users/{ANNA}")
    return (await tenant.sim(f"users/{ANNA}"))["userPrincipalName"]


async def order_of_a_batch(tenant: Client) -> Any:
    parts = [{"id": name, "method": "GET", "url": "/domains"} for name in "ab"]
    response = await tenant.http.post("$batch", json={"requests": parts})
    return [part["id"] for part in response.json()["responses"]]


async def setting_mail(tenant: Client) -> Any:
    response = await tenant.http.patch(f"users/{ANNA}", json={"mail": "anna@proseware.com"})
    return response.status_code


async def names_shown(tenant: Client) -> Any:
    return sorted((await tenant.http.get(f"users/{ANNA}?$select=id,mail,companyName")).json())


async def two_copies(tenant: Client) -> Any:
    copies = [{"emailAddress": {"address": f"{name}@contoso.com"}} for name in ("one", "two")]
    response = await tenant.invite(ANNA, invitedUserMessageInfo={"ccRecipients": copies})
    return response.status_code, [mail["cc"] for mail in await tenant.sim("mails")]


async def inviting_while_restricted_and_not(tenant: Client) -> Any:
    restricted = (await tenant.invite(ANNA)).status_code
    await tenant.sim("reset", {"seed": SEED})
    return restricted, (await tenant.invite(ANNA)).status_code


PARTIAL = {"usersAndGroups": {"accessType": "allowed", "targets": [{"target": BEN, "targetType": "user"}]}}
NOBODY = {"usersAndGroups": {"accessType": "blocked", "targets": [{"target": "AllUsers", "targetType": "user"}]}}
MANY_GROUPS = [
    {"id": f"0b000000-0000-4000-8000-{number:012d}", "displayName": f"Team {number}", "members": [ANNA]}
    for number in range(25)
]


def inbound(setting: Mapping[str, Any]) -> dict[str, Any]:
    return SEED | {
        "crossTenantAccessPolicy": {"partners": [{"tenantId": FABRIKAM, "b2bCollaborationInbound": setting}]}
    }


SCENARIOS: dict[str, tuple[Mapping[str, Any], list[str] | None, Scenario]] = {
    "tenant-version": (changed(onPremisesUserPrincipalName="a@corp.local"), None, inviting(address=OTHER_MAIL)),
    "address-match": (SEED, None, inviting(address=OTHER_MAIL)),
    "address-case": (SEED, None, inviting(address="Anna@fabrikam.com")),
    "pending-state": (SEED, None, state_after_inviting),
    "internal-identity": (SEED, None, identities_after_redeeming),
    "issuer-assigned-id": (SEED, None, id_of_the_issuer_after_redeeming),
    "audit-redeemer": (SEED, [*INVITERS, "AuditLog.Read.All"], redeemer_in_the_audit_log),
    "old-redeem-link": (SEED, None, redeeming_the_first_of_two_links),
    "invite-redeemed-account": (SEED, None, inviting_who_has_redeemed),
    "corrected-invitation": (SEED, None, inviting_another_address),
    "admins-only-invitations": (SEED | ADMINS_ONLY, None, inviting()),
    "invite-without-permission": (SEED, ["User.Read.All"], inviting()),
    "readwrite-invites": (SEED | ADMINS_ONLY, ["User.ReadWrite.All"], inviting_while_restricted_and_not),
    "conversion-needs-readwrite": (SEED, ["User.Invite.All"], inviting()),
    "reset-without-readwrite": (SEED, ["User.Invite.All"], inviting(resetRedemption=True)),
    "mailbox-account": (changed(assignedPlans=[EXCHANGE_PLAN_2]), None, inviting()),
    "unlicensed-mailbox": (changed(proxyAddresses=["SMTP:desk@contoso.com"]), None, setting_mail),
    "disabled-account": (changed(accountEnabled=False), None, inviting()),
    "unknown-sponsor": (SEED, None, inviting(invitedUserSponsors=[{"id": "0a000000-0000-4000-8000-00000000dead"}])),
    "role-holder": (changed(BEN, mail="ben@fabrikam.com"), None, inviting(BEN, "ben@fabrikam.com")),
    "restricted-account": (changed(isManagementRestricted=True), None, inviting()),
    "held-address": (changed(GUEST, otherMails=["anna@fabrikam.com"]), None, inviting()),
    "deleted-holder": (changed(mail="dora@fabrikam.com"), None, inviting(address="dora@fabrikam.com")),
    "verified-subdomain": (changed(mail="a@mail.contoso.com"), None, inviting(address="a@mail.contoso.com")),
    "domain-list-refusal": (changed(mail="a@wingtiptoys.com"), None, inviting(address="a@wingtiptoys.com")),
    "cross-tenant-refusal": (inbound(NOBODY), None, inviting()),
    "cross-tenant-partial": (inbound(PARTIAL), None, inviting()),
    "refusal-text": (changed(mail="a+b@fabrikam.com"), None, inviting(address="a+b@fabrikam.com")),
    "unknown-account": (SEED, None, inviting(PARTNERS)),
    "several-cc-recipients": (SEED, None, two_copies),
    "selected-properties": (SEED, None, names_shown),
    "filter-case": (SEED, None, reading("users?$filter=mail eq 'ANNA@fabrikam.com'")),
    "proxy-address-case": (SEED, None, reading("users?$filter=proxyAddresses/any(p:p eq 'smtp:anna@fabrikam.com')")),
    "eligibility-licence": (SEED, None, reading("roleManagement/directory/roleEligibilitySchedules")),
    "role-details": (SEED, ["User.Read.All"], reading(f"users/{BEN}/transitiveMemberOf")),
    "federated-domains": (SEED, None, reading("directory/federationConfigurations")),
    "expanded-members": (SEED | {"groups": MANY_GROUPS}, None, reading(f"users/{ANNA}?$expand=memberOf", "memberOf")),
    "relations-for-applications": (SEED | {"managers": {ANNA: BEN}}, None, reading(f"users/{ANNA}/manager", "id")),
    "deleted-upn": (SEED, None, deleting),
    "batch-order": (SEED, None, order_of_a_batch),
    "page-shape": (SEED, None, reading("users?$select=id")),
}
"""By switch: the seed, the application permissions, and what a client does. Each position must give another result."""


def test_every_switch_has_a_scenario() -> None:
    assert SCENARIOS.keys() == TABLE.keys()


def test_every_switch_has_a_unique_name_positions_a_meaning_and_a_source() -> None:
    assert len(TABLE) == len(SWITCHES)
    for switch in SWITCHES:
        assert len(set(switch.positions)) == len(switch.positions) >= 2
        assert switch.meaning
        assert switch.source


@pytest.mark.parametrize("name", SCENARIOS)
async def test_each_position_of_a_switch_gives_another_result(name: str) -> None:
    seed, roles, scenario = SCENARIOS[name]
    seen = []
    for position in TABLE[name].positions:
        async with contoso(seed, switches={name: position}, roles=roles) as tenant:
            seen.append(await scenario(tenant))
            assert await tenant.violations() == []
    assert all(first != second for index, first in enumerate(seen) for second in seen[index + 1 :]), seen


async def test_the_role_of_a_group_is_a_transitive_membership_of_its_members() -> None:
    async with contoso() as tenant:
        assert (await tenant.sim("users/" + BEN))["directoryRoles"] == []
        (role,) = await tenant.ids(f"users/{BEN}/transitiveMemberOf/graph.directoryRole")
    assert role == SEED["directoryRoles"][0]["id"]
    assert SEED["directoryRoles"][0]["roleTemplateId"] == USER_ADMINISTRATOR
