"""A small tenant Contoso, and clients that call it without a port."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette

from rehearsal.tenant import create_app

GRAPH = "https://graph.microsoft.com"
TENANT_ID = "8a1f6a7e-2d5b-4a53-9a6e-0f3c2b1d4e5f"
ANNA = "0a000000-0000-4000-8000-000000000001"
BEN = "0a000000-0000-4000-8000-000000000002"
GUEST = "0a000000-0000-4000-8000-000000000003"
GONE = "0a000000-0000-4000-8000-000000000004"
PARTNERS = "0b000000-0000-4000-8000-000000000001"
EVERYBODY = "0b000000-0000-4000-8000-000000000002"
OPERATORS = "0b000000-0000-4000-8000-000000000003"
ROLE = "0c000000-0000-4000-8000-000000000001"
USER_ADMINISTRATOR = "fe930be7-5e62-47db-91af-98c3a49a38b1"
FABRIKAM = "4f9f0f5e-9a5b-4d1f-8b0a-3c2d1e0f9a8b"
EXCHANGE_PLAN_2 = {
    "assignedDateTime": "2023-01-10T08:00:00Z",
    "capabilityStatus": "Enabled",
    "service": "exchange",
    "servicePlanId": "efb87545-963c-4e0d-99df-69c6916d9eb0",
}

SEED: dict[str, Any] = {
    "tenantId": TENANT_ID,
    "displayName": "Contoso",
    "domains": [
        {"id": "contoso.com", "isDefault": True},
        {"id": "contoso.onmicrosoft.com", "isInitial": True},
        {"id": "corp.contoso.com", "authenticationType": "Federated"},
        {"id": "unverified.example", "isVerified": False},
    ],
    "samlOrWsFedDomains": ["adatum.com"],
    "homeTenants": {"fabrikam.com": FABRIKAM},
    "b2bManagementPolicy": {"allowedDomains": [], "blockedDomains": ["wingtiptoys.com"]},
    "crossTenantAccessPolicy": {"partners": [{"tenantId": FABRIKAM}]},
    "users": [
        {
            "id": ANNA,
            "userPrincipalName": "anna@contoso.com",
            "displayName": "Anna Fischer",
            "mail": "anna@fabrikam.com",
            "otherMails": ["anna.fischer@fabrikam.com"],
            "proxyAddresses": ["SMTP:anna@fabrikam.com"],
            "preferredLanguage": "de-DE",
            "assignedPlans": [],
        },
        {"id": BEN, "userPrincipalName": "ben@contoso.com", "displayName": "Ben O'Hara", "mail": "ben@contoso.com"},
        {
            "id": GUEST,
            "userPrincipalName": "carla_litware.com#EXT#@contoso.onmicrosoft.com",
            "displayName": "Carla",
            "mail": "carla@litware.com",
            "otherMails": ["carla@litware.com"],
            "userType": "Guest",
            "creationType": "Invitation",
            "externalUserState": "PendingAcceptance",
            "externalUserStateChangeDateTime": "2024-05-01T10:00:00Z",
        },
    ],
    "deletedUsers": [{"id": GONE, "userPrincipalName": "dora@contoso.com", "mail": "dora@fabrikam.com"}],
    "groups": [
        {"id": PARTNERS, "displayName": "Partners", "mail": "partners@fabrikam.com", "members": [ANNA]},
        {"id": EVERYBODY, "displayName": "Everybody", "members": [PARTNERS]},
        {"id": OPERATORS, "displayName": "Operators", "isAssignableToRole": True, "members": [BEN]},
    ],
    "directoryRoles": [
        {"id": ROLE, "displayName": "User Administrator", "roleTemplateId": USER_ADMINISTRATOR, "members": [OPERATORS]}
    ],
    "roleEligibilitySchedules": [
        {
            "id": "0d000000-0000-4000-8000-000000000001",
            "principalId": ANNA,
            "roleDefinitionId": USER_ADMINISTRATOR,
            "directoryScopeId": "/",
        }
    ],
    "contacts": [
        {
            "id": "0e000000-0000-4000-8000-000000000001",
            "displayName": "Eve",
            "mail": "eve@fabrikam.com",
            "proxyAddresses": ["SMTP:eve@fabrikam.com"],
        }
    ],
    "appRoleAssignments": {
        ANNA: [
            {
                "id": "41W1zT6z1U-kJxf62svfp1HFE8pMZhxDun-ThPczmJE",
                "appRoleId": "00000000-0000-0000-0000-000000000000",
                "resourceId": "8e881353-1735-45af-af21-ee1344582a4d",
                "resourceDisplayName": "Order portal",
            }
        ]
    },
}


def changed(user_id: str = ANNA, **properties: Any) -> dict[str, Any]:
    """Return the seed with these properties changed on one user."""
    users = [user | properties if user["id"] == user_id else user for user in SEED["users"]]
    return SEED | {"users": users}


@dataclass(frozen=True)
class Client:
    """An authenticated client over ASGI for Graph and the tenant's control plane."""

    app: Starlette
    http: httpx.AsyncClient

    async def get(self, path: str, *, eventual: bool = False, **params: str) -> httpx.Response:
        headers = {"ConsistencyLevel": "eventual"} if eventual else {}
        return await self.http.get(path, params={f"${key}": value for key, value in params.items()}, headers=headers)

    async def ids(self, path: str, *, eventual: bool = False, **params: str) -> list[str]:
        response = await self.get(path, eventual=eventual, **params)
        assert response.status_code == 200, response.text
        return [thing["id"] for thing in response.json()["value"]]

    async def invite(self, user_id: str | None, address: str = "anna@fabrikam.com", **more: Any) -> httpx.Response:
        body: dict[str, Any] = {
            "invitedUserEmailAddress": address,
            "inviteRedirectUrl": f"https://myapps.microsoft.com?tenantId={TENANT_ID}",
            "sendInvitationMessage": True,
        }
        target = {} if user_id is None else {"invitedUser": {"id": user_id}}
        return await self.http.post("invitations", json={**body, **target, **more})

    async def sim(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        url = f"{GRAPH}/_sim/{path}"
        response = await (self.http.get(url) if body is None else self.http.post(url, json=dict(body)))
        assert response.status_code == 200, response.text
        return response.json()

    async def violations(self) -> list[str]:
        return [violation["kind"] for violation in await self.sim("violations")]


async def token(app: Starlette, resource: str = GRAPH, **params: str) -> dict[str, str]:
    """Fetch a token from the tenant's identity endpoint."""
    query = {"api-version": "2019-08-01", "resource": resource, **params}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=GRAPH) as http:
        response = await http.get("/msi/token", params=query, headers={"X-IDENTITY-HEADER": "any"})
    assert response.status_code == 200, response.text
    issued: dict[str, str] = response.json()
    return issued


def error(response: httpx.Response) -> tuple[int, str, str]:
    """Return status, code and message of an error answer."""
    body = response.json()["error"]
    return response.status_code, body["code"], body["message"]


@asynccontextmanager
async def contoso(
    seed: Mapping[str, Any] = SEED, *, switches: Mapping[str, str] | None = None, roles: Iterable[str] | None = None
) -> AsyncIterator[Client]:
    """Yield a client with a token for a new tenant."""
    app = create_app(seed, switches=switches, roles=roles)
    headers = {"Authorization": f"Bearer {(await token(app))['access_token']}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=f"{GRAPH}/v1.0/", headers=headers
    ) as http:
        yield Client(app, http)
