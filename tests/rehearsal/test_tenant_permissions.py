"""Tokens and application permissions: which calls are allowed, and how the others are answered."""

import base64
import json
from typing import Any

import httpx
import pytest

from rehearsal.tenant.gateway.routing import Route
from rehearsal.tenant.protocol.permissions import DEFAULT_ROLES
from rehearsal.tenant.serving.app import ROUTES, create_app
from tests.rehearsal.tenant_support import ANNA, BEN, GRAPH, SEED, TENANT_ID, contoso, error, token

GUARDED = [route for route in ROUTES if route.permissions]


def address(route: Route) -> str:
    path = (
        route.template.replace("{id}", ANNA)
        .replace("{member}", ANNA)
        .replace("{assignment}", "a")
        .replace("{domain}", "fabrikam.com")
    )
    return f"{GRAPH}/{route.versions[-1]}{path}"


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: f"{route.method} {route.template}")
async def test_a_route_accepts_each_of_its_permissions_and_no_other(route: Route) -> None:
    async with contoso(roles=["User.Invite.All"]) as tenant:
        refused = await tenant.http.request(route.method, address(route))
    assert error(refused) == (
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    )
    for permission in route.permissions:
        async with contoso(roles=[permission]) as tenant:
            served = await tenant.http.request(route.method, address(route))
            assert served.status_code != 403, (permission, served.text)


def test_every_route_except_batch_and_invitations_names_permissions() -> None:
    assert {(route.method, route.template) for route in ROUTES if not route.permissions} == {
        ("POST", "/$batch"),
        ("POST", "/invitations"),
    }


async def test_the_default_permissions_allow_everything_that_a_converter_reads() -> None:
    closed = {route.template for route in GUARDED if not route.permissions & set(DEFAULT_ROLES)}
    assert closed == {
        "/auditLogs/directoryAudits",
        "/groups/{id}/members/$ref",
        "/groups/{id}/members/{member}/$ref",
        "/users/{id}/appRoleAssignments/{assignment}",
    }


async def test_without_a_permission_for_groups_a_membership_shows_only_type_and_id() -> None:
    select = "id,displayName,isAssignableToRole,roleTemplateId"
    async with contoso(roles=["User.Read.All"]) as tenant:
        shown = (await tenant.get(f"users/{BEN}/transitiveMemberOf", select=select)).json()["value"]
    assert shown == [
        {
            "@odata.type": "#microsoft.graph.group",
            "id": SEED["groups"][2]["id"],
            "displayName": None,
            "isAssignableToRole": None,
        },
        {
            "@odata.type": "#microsoft.graph.directoryRole",
            "id": SEED["directoryRoles"][0]["id"],
            "displayName": None,
            "roleTemplateId": None,
        },
    ]


def claims(issued: dict[str, str]) -> dict[str, Any]:
    payload = issued["access_token"].split(".")[1]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return decoded


async def test_the_identity_endpoint_issues_tokens_in_azures_format() -> None:
    app = create_app(SEED, roles=["User.Read.All"])
    graph = await token(app, client_id="11111111-aaaa-4bbb-8ccc-000000000001")
    storage = await token(app, "https://storage.azure.com")
    assert graph["token_type"] == "Bearer"
    assert int(graph["expires_on"]) == claims(graph)["exp"]
    assert claims(graph)["roles"] == ["User.Read.All"]
    assert claims(graph)["appid"] == "11111111-aaaa-4bbb-8ccc-000000000001"
    assert claims(storage)["iss"] == f"https://sts.windows.net/{TENANT_ID}/"
    assert claims(storage)["aud"] == "https://storage.azure.com"
    assert "roles" not in claims(storage)


@pytest.mark.parametrize(
    ("headers", "params", "status"),
    [
        ({}, {"api-version": "2019-08-01", "resource": GRAPH}, 401),
        ({"X-IDENTITY-HEADER": "wrong"}, {"api-version": "2019-08-01", "resource": GRAPH}, 401),
        ({"X-IDENTITY-HEADER": "right"}, {"api-version": "2019-08-01"}, 400),
        ({"X-IDENTITY-HEADER": "right"}, {"resource": GRAPH}, 400),
        ({"X-IDENTITY-HEADER": "right"}, {"api-version": "2019-08-01", "resource": GRAPH}, 200),
    ],
)
async def test_the_identity_endpoint_requires_its_header_and_parameters(
    headers: dict[str, str], params: dict[str, str], status: int
) -> None:
    app = create_app(SEED, identity_header="right")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=GRAPH) as http:
        assert (await http.get("/msi/token", params=params, headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        (None, "Access token is empty."),
        ("Basic YTpi", "Access token is empty."),
        ("Bearer nonsense", "IDX14100: JWT is not well formed, there are no dots (.)."),
    ],
)
async def test_a_missing_or_broken_token_is_401(authorization: str | None, message: str) -> None:
    async with contoso() as tenant:
        headers = {"Authorization": authorization or ""}
        response = await tenant.http.get("users", headers=headers)
    assert error(response) == (401, "InvalidAuthenticationToken", message)
    assert response.headers["www-authenticate"].startswith("Bearer ")


async def test_graph_refuses_a_token_for_storage() -> None:
    async with contoso() as tenant:
        foreign = (await token(tenant.app, "https://storage.azure.com"))["access_token"]
        response = await tenant.http.get("users", headers={"Authorization": f"Bearer {foreign}"})
    assert error(response)[2] == "Access token validation failure. Invalid audience."


async def test_a_token_expires_by_the_tenants_clock() -> None:
    async with contoso() as tenant:
        assert (await tenant.get("users")).status_code == 200
        await tenant.sim("clock", {"advance": 25 * 3600})
        assert error(await tenant.get("users")) == (
            401,
            "InvalidAuthenticationToken",
            "Lifetime validation failed, the token is expired.",
        )


async def test_new_permissions_apply_only_to_new_tokens() -> None:
    async with contoso(roles=["User.Read.All"]) as tenant:
        await tenant.sim("roles", {"roles": ["Domain.Read.All"]})
        assert (await tenant.get("domains")).status_code == 403
        fresh = (await token(tenant.app))["access_token"]
        response = await tenant.http.get("domains", headers={"Authorization": f"Bearer {fresh}"})
    assert response.status_code == 200
