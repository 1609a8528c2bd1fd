"""`$batch`: calls in one request, each of which succeeds or fails by itself."""

from typing import Any

import httpx
import pytest

from tests.rehearsal.tenant_support import ANNA, GRAPH, Client, contoso, error


async def batch(tenant: Client, *parts: dict[str, Any], version: str = "v1.0") -> httpx.Response:
    return await tenant.http.post(f"{GRAPH}/{version}/$batch", json={"requests": list(parts)})


def get(name: str, url: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "method": "GET", "url": url, **more}


async def test_the_batch_gets_200_even_if_parts_fail() -> None:
    async with contoso(roles=["User.Read.All"]) as tenant:
        response = await batch(
            tenant,
            get("a", f"/users/{ANNA}?$select=id"),
            get("b", "/users/nobody@contoso.com"),
            get("c", "/domains"),
            get("d", "/people"),
        )
        assert await tenant.violations() == ["unknown-route"]
    parts = {part["id"]: part for part in response.json()["responses"]}
    assert response.status_code == 200
    assert {name: part["status"] for name, part in parts.items()} == {"a": 200, "b": 404, "c": 403, "d": 400}
    assert parts["a"]["body"]["id"] == ANNA
    assert parts["a"]["headers"]["x-ms-resource-unit"] == "1"
    assert parts["c"]["body"]["error"]["code"] == "Authorization_RequestDenied"


async def test_the_totals_count_parts_as_calls_and_the_batch_as_one_round_trip() -> None:
    async with contoso() as tenant:
        await batch(tenant, get("1", "/domains"), get("2", "/users"))
        await tenant.invite(ANNA)
        await tenant.sim("faults", {"faults": [{"kind": "429-integer"}]})
        await tenant.get("domains")
        assert await tenant.sim("totals") == {"calls": 4, "roundTrips": 3, "invitations": 1, "throttled": 1}


async def test_answers_may_be_in_another_order_than_the_requests() -> None:
    async with contoso() as tenant:
        response = await batch(tenant, get("1", "/domains"), get("2", "/users"))
    assert [part["id"] for part in response.json()["responses"]] == ["2", "1"]


async def test_each_part_has_its_own_decoded_query_and_headers() -> None:
    query = "/users?$filter=userType%20ne%20'Guest'&$count=true&$select=id"
    async with contoso() as tenant:
        response = await batch(
            tenant, get("with", query, headers={"ConsistencyLevel": "eventual"}), get("without", query)
        )
    parts = {part["id"]: part for part in response.json()["responses"]}
    assert parts["with"]["body"]["@odata.count"] == 2
    assert parts["without"]["status"] == 400


async def test_a_batch_sent_to_beta_reaches_beta_routes() -> None:
    async with contoso() as tenant:
        beta = await batch(tenant, get("1", "/policies/b2bManagementPolicies"), version="beta")
        stable = await batch(tenant, get("1", "/policies/b2bManagementPolicies"))
    assert [part["status"] for part in beta.json()["responses"]] == [200]
    assert [part["status"] for part in stable.json()["responses"]] == [400]


async def test_a_part_that_depends_on_a_failed_part_gets_424() -> None:
    async with contoso() as tenant:
        response = await batch(
            tenant,
            get("1", "/users/nobody@contoso.com"),
            get("2", "/domains", dependsOn=["1"]),
            get("3", "/domains"),
        )
    assert {part["id"]: part["status"] for part in response.json()["responses"]} == {"1": 404, "2": 424, "3": 200}


async def test_an_invitation_inside_a_batch_is_made_and_recorded() -> None:
    body = {
        "invitedUserEmailAddress": "anna@fabrikam.com",
        "inviteRedirectUrl": "https://myapps.microsoft.com",
        "invitedUser": {"id": ANNA},
    }
    part = {
        "id": "1",
        "method": "POST",
        "url": "/invitations",
        "headers": {"Content-Type": "application/json"},
        "body": body,
    }
    async with contoso() as tenant:
        assert [p["status"] for p in (await batch(tenant, part)).json()["responses"]] == [201]
        journal = await tenant.sim("journal")
    assert [(entry["method"], entry["path"], entry["batch"]) for entry in journal] == [
        ("POST", "/v1.0/$batch", None),
        ("POST", "/v1.0/invitations", 1),
    ]
    assert journal[1]["body"] == body


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "Invalid batch payload format."),
        ([get(str(n), "/domains") for n in range(21)], "exceeds the maximum value of 20"),
        ([get("a", "/domains"), get("A", "/users")], "Request Id A has to be unique in a batch."),
        ([get("a", f"{GRAPH}/v1.0/domains")], "has an absolute url"),
        ([get("a", "/$batch")], "A batch cannot hold a batch."),
        ([{"id": "a", "url": "/domains"}], "needs an id, a method and a url"),
        ([get("a", "/invitations", body={})], "has a body but no Content-Type header"),
        ([get("a", "/domains", depends_on=["b"])], "has no property 'depends_on'"),
        ([get("a", "/domains", dependsOn=["b"])], "depends on a request that does not come before it"),
    ],
)
async def test_a_malformed_batch_is_refused_and_recorded(parts: list[dict[str, Any]], message: str) -> None:
    async with contoso() as tenant:
        response = await batch(tenant, *parts)
        assert error(response)[0] == 400
        assert message in error(response)[2]
        assert await tenant.violations() == ["malformed-request"]
