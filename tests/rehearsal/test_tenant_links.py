"""What an account is linked to: manager, sponsors, owned objects, devices, app roles; permissions, pages, lag."""

from typing import Any

import pytest

from rehearsal.tenant.clock import Clock
from rehearsal.tenant.directory import seed as seeds
from tests.rehearsal.tenant_support import ANNA, BEN, EVERYBODY, GRAPH, PARTNERS, SEED, contoso, error

LAPTOP = "0f000000-0000-4000-8000-000000000001"
PORTAL = "0f000000-0000-4000-8000-000000000002"
LINKED: dict[str, Any] = SEED | {
    "managers": {ANNA: BEN},
    "sponsors": {ANNA: [BEN, PARTNERS]},
    "ownedObjects": {ANNA: [{"id": PARTNERS}, {"type": "application", "id": PORTAL, "displayName": "Order portal"}]},
    "registeredDevices": {ANNA: [{"id": LAPTOP, "deviceId": LAPTOP, "displayName": "ANNA-LAPTOP"}]},
}
ASSIGNMENT = "41W1zT6z1U-kJxf62svfp1HFE8pMZhxDun-ThPczmJE"


async def test_the_manager_is_a_user_or_404_if_there_is_none() -> None:
    async with contoso(LINKED) as tenant:
        found = (await tenant.get(f"users/{ANNA}/manager", select="id,displayName")).json()
        assert found == {
            "@odata.context": f"{GRAPH}/v1.0/$metadata#directoryObjects(id,displayName)/$entity",
            "@odata.type": "#microsoft.graph.user",
            "id": BEN,
            "displayName": "Ben O'Hara",
        }
        none = await tenant.get(f"users/{BEN}/manager")
        assert error(none) == (
            404,
            "Request_ResourceNotFound",
            "Resource 'manager' does not exist or one of its queried reference-property objects are not present.",
        )


async def test_a_manager_in_the_recycle_bin_gives_404() -> None:
    async with contoso(LINKED) as tenant:
        await tenant.http.delete(f"users/{BEN}")
        assert (await tenant.get(f"users/{ANNA}/manager")).status_code == 404


@pytest.mark.parametrize(
    ("relation", "ids"),
    [("sponsors", [BEN, PARTNERS]), ("ownedObjects", [PARTNERS, PORTAL]), ("registeredDevices", [LAPTOP])],
)
async def test_a_collection_shows_each_object_with_its_type(relation: str, ids: list[str]) -> None:
    async with contoso(LINKED) as tenant:
        found = (await tenant.get(f"users/{ANNA}/{relation}", select="id")).json()["value"]
        assert [thing["id"] for thing in found] == ids
        assert all(thing.keys() == {"@odata.type", "id"} for thing in found)
        assert (await tenant.get(f"users/{BEN}/{relation}")).json()["value"] == []


async def test_objects_beyond_the_permissions_show_only_type_and_id() -> None:
    async with contoso(LINKED, roles=["User.Read.All"]) as tenant:
        owned = (await tenant.get(f"users/{ANNA}/ownedObjects", select="id,displayName")).json()["value"]
    assert owned == [
        {"@odata.type": "#microsoft.graph.group", "id": PARTNERS, "displayName": None},
        {"@odata.type": "#microsoft.graph.application", "id": PORTAL, "displayName": None},
    ]


async def test_app_roles_need_a_permission_of_their_own() -> None:
    for roles, status in ((["User.Read.All"], 403), (["Directory.Read.All"], 200)):
        async with contoso(LINKED, roles=roles) as tenant:
            assert (await tenant.get(f"users/{ANNA}/appRoleAssignments")).status_code == status


@pytest.mark.parametrize("relation", ["manager", "ownedObjects", "registeredDevices"])
async def test_a_tenant_may_refuse_these_relations_to_applications(relation: str) -> None:
    async with contoso(LINKED, switches={"relations-for-applications": "refused"}) as tenant:
        assert error(await tenant.get(f"users/{ANNA}/{relation}"))[:2] == (403, "Authorization_RequestDenied")
        assert (await tenant.get(f"users/{ANNA}/sponsors")).status_code == 200


@pytest.mark.parametrize("shape", ["full", "short"])
async def test_2000_groups_and_500_app_roles_are_read_in_pages(shape: str) -> None:
    groups = [
        {"id": f"0b000000-0000-4000-9000-{n:012d}", "displayName": f"Group {n}", "members": [BEN]} for n in range(2000)
    ]
    roles = [
        {"id": f"assignment{n}", "appRoleId": f"0a000000-0000-4000-9000-{n:012d}", "resourceId": PORTAL}
        for n in range(500)
    ]
    seed = LINKED | {"groups": [*SEED["groups"], *groups], "appRoleAssignments": {BEN: roles}}
    async with contoso(seed, switches={"page-shape": shape}) as tenant:
        members = await pages(tenant, f"users/{BEN}/memberOf?$select=id&$top=999")
        assigned = await pages(tenant, f"users/{BEN}/appRoleAssignments?$select=appRoleId,resourceId&$top=999")
    assert len(members) == len({each["id"] for each in members}) == 2001
    assert len({each["appRoleId"] for each in assigned}) == 500


async def pages(tenant: Any, address: str) -> list[Any]:
    found, link = [], f"{GRAPH}/v1.0/{address}"
    while link:
        body = (await tenant.http.get(link)).raise_for_status().json()
        found += body["value"]
        link = body.get("@odata.nextLink")
    return found


async def test_a_user_is_added_to_and_removed_from_a_group_by_reference() -> None:
    roles = ["GroupMember.ReadWrite.All", "User.Read.All"]
    async with contoso(LINKED, roles=roles) as tenant:
        path = f"{GRAPH}/v1.0/groups/{EVERYBODY}/members"
        reference = {"@odata.id": f"{GRAPH}/v1.0/directoryObjects/{ANNA}"}
        assert (await tenant.http.post(f"{path}/$ref", json=reference)).status_code == 204
        assert await tenant.ids(f"users/{ANNA}/memberOf") == [PARTNERS, EVERYBODY]
        assert error(await tenant.http.post(f"{path}/$ref", json=reference))[0] == 400
        assert (await tenant.http.delete(f"{path}/{ANNA}/$ref")).status_code == 204
        assert error(await tenant.http.delete(f"{path}/{ANNA}/$ref"))[0] == 404
        assert await tenant.ids(f"users/{ANNA}/memberOf") == [PARTNERS]


async def test_an_app_role_can_be_removed_only_once() -> None:
    async with contoso(LINKED, roles=["AppRoleAssignment.ReadWrite.All", "User.Read.All"]) as tenant:
        path = f"{GRAPH}/v1.0/users/{ANNA}/appRoleAssignments/{ASSIGNMENT}"
        assert (await tenant.http.delete(path)).status_code == 204
        assert await tenant.ids(f"users/{ANNA}/appRoleAssignments") == []
        assert (await tenant.http.delete(path)).status_code == 404


async def test_app_roles_of_direct_groups_are_listed_with_the_user() -> None:
    own, of_group = SEED["appRoleAssignments"][ANNA], {"id": "of the group", "appRoleId": PORTAL, "resourceId": PORTAL}
    async with contoso(LINKED | {"appRoleAssignments": {ANNA: own, PARTNERS: [of_group]}}) as tenant:
        found = (await tenant.get(f"users/{ANNA}/appRoleAssignments")).json()["value"]
        assert [(each["id"], each["principalType"]) for each in found] == [
            (ASSIGNMENT, "User"),
            ("of the group", "Group"),
        ]
        tenant.app.state.tenant.directory.relate(ANNA, "parents", [])
        assert await tenant.ids(f"users/{ANNA}/appRoleAssignments") == [ASSIGNMENT]


async def test_reads_of_relations_lag_like_reads_of_properties() -> None:
    async with contoso(LINKED) as tenant:
        await tenant.sim("clock", {"frozen": True})
        await tenant.sim("lag", {"byId": 30, "index": 90})
        tenant.app.state.tenant.directory.relate(ANNA, "parents", [])
        assert await groups(tenant) == {(PARTNERS,)}
        await tenant.sim("clock", {"advance": 15})
        assert await groups(tenant) == {(PARTNERS,), ()}
        await tenant.sim("clock", {"advance": 16})
        assert await groups(tenant) == {()}


async def groups(tenant: Any) -> set[tuple[str, ...]]:
    return {tuple(await tenant.ids(f"users/{ANNA}/memberOf")) for _ in range(20)}


async def test_a_change_of_a_relation_does_not_appear_in_a_delta() -> None:
    async with contoso(LINKED) as tenant:
        link = (await tenant.get("users/delta", deltatoken="latest")).json()["@odata.deltaLink"]
        tenant.app.state.tenant.directory.relate(ANNA, "managers", None)
        assert (await tenant.http.get(link)).json()["value"] == []


async def test_the_control_plane_shows_what_a_user_is_linked_to() -> None:
    async with contoso(LINKED) as tenant:
        state = await tenant.sim(f"users/{ANNA}")
    assert (state["manager"], state["sponsors"]) == (BEN, [BEN, PARTNERS])
    assert (state["ownedObjects"], state["registeredDevices"]) == ([PARTNERS, PORTAL], [LAPTOP])


def test_a_fork_does_not_share_relations() -> None:
    directory = seeds.directory(LINKED, Clock())
    twin = directory.fork()
    twin.relate(ANNA, "managers", None)
    twin.relate(ANNA, "parents", [])
    assert directory.managers == {ANNA: BEN}
    assert directory.parents[ANNA] == [PARTNERS]
