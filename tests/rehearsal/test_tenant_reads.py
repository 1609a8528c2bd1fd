"""Reads: answers with and without query options, and refused reads."""

from typing import Any

import httpx
import pytest

from tests.rehearsal.tenant_support import (
    ANNA,
    BEN,
    EVERYBODY,
    GONE,
    GUEST,
    OPERATORS,
    PARTNERS,
    ROLE,
    SEED,
    contoso,
    error,
)

PLAIN = {
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
}


def crowd(size: int) -> dict[str, Any]:
    users = [
        {"id": f"0a000000-0000-4000-8000-{number:012d}", "userPrincipalName": f"user{number:03}@contoso.com"}
        for number in range(size)
    ]
    return {"tenantId": SEED["tenantId"], "domains": SEED["domains"], "users": users}


async def test_a_user_without_select_has_11_properties_and_no_external_state() -> None:
    async with contoso() as tenant:
        body = (await tenant.get(f"users/{ANNA}")).json()
    assert body.keys() - {"@odata.context"} == PLAIN
    assert body["@odata.context"].endswith("$metadata#users/$entity")


async def test_select_returns_exactly_the_named_properties_and_does_not_add_the_id() -> None:
    async with contoso() as tenant:
        body = (await tenant.get(f"users/{ANNA}", select="mail,externalUserState")).json()
    assert body == {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users(mail,externalUserState)/$entity",
        "mail": "anna@fabrikam.com",
        "externalUserState": None,
    }


@pytest.mark.parametrize("identifier", [ANNA, ANNA.upper(), "anna@contoso.com", "ANNA@contoso.com"])
async def test_a_user_is_found_by_id_or_name_in_any_case(identifier: str) -> None:
    async with contoso() as tenant:
        assert (await tenant.get(f"users/{identifier}", select="id")).json()["id"] == ANNA


async def test_a_guest_is_found_by_its_encoded_name() -> None:
    async with contoso() as tenant:
        response = await tenant.http.get("users/carla_litware.com%23EXT%23%40contoso.onmicrosoft.com?$select=id")
    assert response.json()["id"] == GUEST


@pytest.mark.parametrize("identifier", [GONE, "0a000000-0000-4000-8000-00000000ffff", PARTNERS, "nobody@contoso.com"])
async def test_absent_and_deleted_users_and_other_objects_get_the_same_404(identifier: str) -> None:
    async with contoso() as tenant:
        status, code, message = error(await tenant.get(f"users/{identifier}"))
        assert await tenant.violations() == []
    assert (status, code) == (404, "Request_ResourceNotFound")
    assert message == (
        f"Resource '{identifier}' does not exist or one of its queried reference-property objects are not present."
    )


@pytest.mark.parametrize(
    ("path", "code", "message", "kind"),
    [
        (
            "users?$select=externalUserStatus",
            "Request_BadRequest",
            "Could not find a property named",
            "unknown-property",
        ),
        (f"users/{ANNA}?$select=nonsense", "Request_BadRequest", "Could not find a property named", "unknown-property"),
        ("groups?$select=upn", "Request_BadRequest", "on type 'microsoft.graph.group'.", "unknown-property"),
        (f"users/{ANNA}/transitiveMemberOf?$select=foo", "Request_BadRequest", "directoryObject", "unknown-property"),
        ("users?$top=1000", "Request_UnsupportedQuery", "Must be between 1 and 999 inclusive.", "unsupported-query"),
        ("users?$top=0", "Request_UnsupportedQuery", "Invalid page size specified: '0'.", "unsupported-query"),
        ("users?$top=many", "BadRequest", "Invalid value 'many' for $top", "malformed-request"),
        ("users?$skip=5", "BadRequest", "$skip", "unknown-option"),
        ("users?select=id", "BadRequest", "select", "unknown-option"),
        (
            'users?$search="displayName:a"',
            "Request_UnsupportedQuery",
            "ConsistencyLevel: eventual",
            "unsupported-query",
        ),
        (
            "users?$filter=displayName eq 'a'&$orderby=displayName",
            "Request_UnsupportedQuery",
            "Sorting not",
            "unsupported-query",
        ),
        (f"users/{ANNA}?$filter=id eq 'x'", "BadRequest", "$filter", "unknown-option"),
        ("users/$count", "Request_BadRequest", "$count is not currently supported.", "unsupported-query"),
        ("people", "BadRequest", "Resource not found for the segment 'people'.", "unknown-route"),
        (f"users/{ANNA}/photo", "BadRequest", "Resource not found for the segment 'photo'.", "unknown-route"),
        ("policies/b2bManagementPolicies", "BadRequest", "'b2bManagementPolicies'", "unknown-route"),
    ],
)
async def test_an_unknown_route_or_query_gets_400_and_is_recorded_as_a_violation(
    path: str, code: str, message: str, kind: str
) -> None:
    async with contoso() as tenant:
        response = await tenant.http.get(path)
        assert error(response)[:2] == (400, code)
        assert message in error(response)[2]
        assert await tenant.violations() == [kind]


async def test_the_deny_list_can_be_read_under_beta() -> None:
    async with contoso() as tenant:
        body = (await tenant.http.get("https://graph.microsoft.com/beta/policies/b2bManagementPolicies")).json()
    assert [policy["isOrganizationDefault"] for policy in body["value"]] == [True]
    assert '"BlockedDomains": ["wingtiptoys.com"]' in body["value"][0]["definition"][0]


async def test_a_tenant_without_domain_lists_has_no_b2b_management_policy() -> None:
    async with contoso(SEED | {"b2bManagementPolicy": None}) as tenant:
        body = (await tenant.http.get("https://graph.microsoft.com/beta/policies/b2bManagementPolicies")).json()
    assert body["value"] == []


async def walk(http: httpx.AsyncClient, url: str, headers: dict[str, str]) -> list[list[str]]:
    pages: list[list[str]] = []
    next_url: str | None = url
    while next_url:
        body = (await http.get(next_url, headers=headers)).raise_for_status().json()
        pages.append([user["id"] for user in body["value"]])
        next_url = body.get("@odata.nextLink")
    return pages


async def test_a_list_has_pages_of_100() -> None:
    async with contoso(crowd(205)) as tenant:
        pages = await walk(tenant.http, "users?$select=id", {})
    assert [len(page) for page in pages] == [100, 100, 5]
    assert len({identifier for page in pages for identifier in page}) == 205


async def test_short_and_empty_pages_lead_to_all_users() -> None:
    async with contoso(crowd(5), switches={"page-shape": "short"}) as tenant:
        pages = await walk(tenant.http, "users?$select=id&$top=4", {})
    assert [len(page) for page in pages] == [0, 2, 2, 1]


async def test_a_next_page_without_the_first_pages_header_is_refused_as_expired() -> None:
    async with contoso(crowd(3)) as tenant:
        first = await tenant.get("users", eventual=True, top="2", count="true", filter="userType ne 'Guest'")
        assert first.json()["@odata.count"] == 3
        refused = await tenant.http.get(first.json()["@odata.nextLink"])
        served = await tenant.http.get(first.json()["@odata.nextLink"], headers={"ConsistencyLevel": "eventual"})
    assert error(refused)[:2] == (400, "Directory_ExpiredPageToken")
    assert len(served.json()["value"]) == 1


async def test_a_page_token_expires() -> None:
    async with contoso(crowd(3)) as tenant:
        link = (await tenant.get("users", top="2")).json()["@odata.nextLink"]
        await tenant.sim("clock", {"advance": 3600})
        assert error(await tenant.http.get(link))[1] == "Directory_ExpiredPageToken"


async def test_count_is_given_only_with_the_consistency_header() -> None:
    async with contoso() as tenant:
        assert "@odata.count" not in (await tenant.get("users", count="true")).json()
        assert (await tenant.get("users", count="true", eventual=True)).json()["@odata.count"] == 3
        counted = await tenant.get("users/$count", eventual=True)
    assert (counted.text, counted.headers["content-type"]) == ("3", "text/plain")


async def test_sorting_works_alone_or_in_an_advanced_query_with_a_filter() -> None:
    async with contoso() as tenant:
        assert await tenant.ids("users", orderby="displayName desc") == [GUEST, BEN, ANNA]
        found = await tenant.ids(
            "users", filter="startsWith(displayName,'a')", orderby="displayName", count="true", eventual=True
        )
    assert found == [ANNA]


async def test_member_of_has_direct_groups_and_transitive_member_of_nested_ones_and_roles() -> None:
    async with contoso() as tenant:
        direct = (await tenant.get(f"users/{ANNA}/memberOf")).json()["value"]
        nested = await tenant.ids(f"users/{ANNA}/transitiveMemberOf")
        operator = (await tenant.get(f"users/{BEN}/transitiveMemberOf", select="id,roleTemplateId")).json()["value"]
        cast = await tenant.ids(f"users/{BEN}/transitiveMemberOf/microsoft.graph.directoryRole")
    assert [(thing["@odata.type"], thing["id"]) for thing in direct] == [("#microsoft.graph.group", PARTNERS)]
    assert nested == [PARTNERS, EVERYBODY]
    assert [(thing["@odata.type"], thing["id"]) for thing in operator] == [
        ("#microsoft.graph.group", OPERATORS),
        ("#microsoft.graph.directoryRole", ROLE),
    ]
    assert cast == [ROLE]


async def test_a_groups_role_is_assigned_to_the_group_and_not_to_its_members() -> None:
    async with contoso() as tenant:
        path = "roleManagement/directory/roleAssignments"
        of_group = (await tenant.get(path, filter=f"principalId eq '{OPERATORS}'")).json()["value"]
        of_member = (await tenant.get(path, filter=f"principalId eq '{BEN}'")).json()["value"]
        eligible = await tenant.ids(
            "roleManagement/directory/roleEligibilitySchedules", filter=f"principalId eq '{ANNA}'"
        )
    assert [assignment["directoryScopeId"] for assignment in of_group] == ["/"]
    assert of_member == []
    assert len(eligible) == 1


async def test_domains_and_policies_are_served() -> None:
    async with contoso() as tenant:
        domains = (await tenant.get("domains", select="id,isVerified,authenticationType")).json()["value"]
        assert {"id": "corp.contoso.com", "isVerified": True, "authenticationType": "Federated"} in domains
        assert (await tenant.get("domains/contoso.com")).json()["isDefault"] is True
        assert (await tenant.get("domains/nowhere.example")).status_code == 404
        assert (await tenant.get("policies/authorizationPolicy")).json()["allowInvitesFrom"] == "everyone"
        default = (await tenant.get("policies/crossTenantAccessPolicy/default")).json()
        assert default["b2bCollaborationInbound"]["usersAndGroups"]["accessType"] == "allowed"
        partners = (await tenant.get("policies/crossTenantAccessPolicy/partners")).json()["value"]
        assert [partner["b2bCollaborationInbound"] for partner in partners] == [None]
        one = await tenant.get(f"policies/crossTenantAccessPolicy/partners/{partners[0]['tenantId']}")
        assert one.json()["tenantId"] == partners[0]["tenantId"]
        assert (await tenant.get("policies/crossTenantAccessPolicy/partners/none")).status_code == 404


@pytest.mark.parametrize("cast", ["graph", "microsoft.graph"])
async def test_federated_domains_are_listed_under_both_spellings_of_the_type(cast: str) -> None:
    async with contoso() as tenant:
        path = f"directory/federationConfigurations/{cast}.samlOrWsFedExternalDomainFederation"
        body = (await tenant.get(path, expand="domains")).json()
    assert [entry["domains"] for entry in body["value"]] == [[{"id": "adatum.com"}]]


async def test_the_home_tenant_of_a_domain_is_found_or_gives_404() -> None:
    path = "tenantRelationships/findTenantInformationByDomainName(domainName='{}')"
    async with contoso() as tenant:
        found = await tenant.get(path.format("Fabrikam.com"))
        missing = await tenant.get(path.format("litware.com"))
        assert await tenant.violations() == []
    assert found.json()["tenantId"] == SEED["homeTenants"]["fabrikam.com"]
    assert missing.status_code == 404


async def test_every_answer_has_graphs_headers_and_the_clients_request_id() -> None:
    async with contoso() as tenant:
        served = await tenant.http.get("domains", headers={"client-request-id": "1b4934de-5975-4deb-8632-e80f71ed7c7e"})
        refused = await tenant.http.get("people")
    assert served.headers["client-request-id"] == "1b4934de-5975-4deb-8632-e80f71ed7c7e"
    assert served.headers["content-type"].startswith("application/json;odata.metadata=minimal")
    assert refused.headers["request-id"] == refused.json()["error"]["innerError"]["request-id"]


@pytest.mark.parametrize(
    ("path", "units"),
    [("users", 2), ("users?$select=id", 1), (f"users/{ANNA}", 1), (f"users/{ANNA}/transitiveMemberOf?$top=5", 1)],
)
async def test_an_answer_states_the_cost_of_its_call_in_resource_units(path: str, units: int) -> None:
    async with contoso() as tenant:
        assert (await tenant.http.get(path)).headers["x-ms-resource-unit"] == str(units)
