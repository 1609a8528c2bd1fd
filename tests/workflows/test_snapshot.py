"""What the directory grants an account is kept with the claim, from the reads that the judgement makes anyway."""

import json
from collections import Counter
from typing import Any

import pytest

from b2b.domain.lifecycle.snapshot import Kind, Moment, Snapshot
from rehearsal.tenant.protocol.permissions import DEFAULT_ROLES
from tests.support.world import MakeWorld, World, account, tenant_of
from tests.workflows.deciding import ANNA, USER

GROUP, BOSS = "99999999-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000099"
LINKS: dict[str, Any] = {
    "groups": [{"id": GROUP, "displayName": "Partners", "members": [USER]}],
    "appRoleAssignments": {USER: [{"id": "a", "appRoleId": "b", "resourceId": "c", "resourceDisplayName": "Portal"}]},
    "managers": {USER: BOSS},
}
LINKED = tenant_of(ANNA, {**account(99), "id": BOSS}, **LINKS)


ON = {"B2B_COMPARE_ACCESS": "true"}


async def before(world: World, generation: int = 1) -> Snapshot | None:
    return await world.services.ledger.snapshot(USER, generation, Moment.BEFORE)


def items(snapshot: Snapshot | None) -> dict[Kind, Any]:
    assert snapshot is not None
    return {kind: reading.items for kind, reading in snapshot.kinds.items()}


async def test_a_claim_stores_a_snapshot_of_everything_the_account_has(world: MakeWorld) -> None:
    running = await world(LINKED, **ON)
    await running.deliver(user=USER)
    snapshot = await before(running)
    assert items(snapshot) == {
        Kind.NAME: {"partner1@contoso.com": ""},
        Kind.TYPE: {"Member": ""},
        Kind.MAIL: {"partner1@fabrikam.com": ""},
        Kind.GROUPS: {GROUP: "Partners"},
        Kind.APP_ROLES: {"c/b": "Portal"},
        Kind.DIRECTORY_ROLES: {},
        Kind.LICENCES: {},
        Kind.MANAGER: {BOSS: "Partner 99"},
        Kind.SPONSORS: {},
        Kind.OWNED_OBJECTS: {},
        Kind.REGISTERED_DEVICES: {},
    }
    row = running.conversion(USER)
    assert row is not None
    assert row["baseline"] == 1


@pytest.mark.parametrize("name", ["id", "userPrincipalName", "mail"])
async def test_a_snapshot_costs_no_additional_call(world: MakeWorld, name: str) -> None:
    calls: dict[bool, Counter[str]] = {}
    for number, compare in enumerate((True, False), start=1):
        running = await world(tenant_of(account(number)), B2B_COMPARE_ACCESS=str(compare).lower())
        counted: Counter[str] = Counter()
        calls[compare] = counted
        running.graph.before = lambda request, counted=counted: counted.update([request.url.path])  # type: ignore[misc]
        body = {"requestId": f"r{number}", "invitedUser": {name: account(number)[name]}}
        await running.receive(json.dumps(body).encode())
        assert len([post for post in running.posts() if post["path"].endswith("/invitations")]) == 1
    assert calls[True] == calls[False]


@pytest.mark.parametrize("name", ["id", "userPrincipalName", "mail"])
async def test_an_account_in_the_scope_group_has_a_snapshot_however_it_is_named(world: MakeWorld, name: str) -> None:
    running = await world(LINKED, **ON, B2B_SCOPE_GROUP_ID=GROUP)
    body = {"requestId": "r1", "invitedUser": {name: ANNA[name]}}
    await running.receive(json.dumps(body).encode())
    assert running.request("r1")["stage"] == "invited"
    assert items(await before(running))[Kind.GROUPS] == {GROUP: "Partners"}


async def test_with_the_setting_off_no_snapshot_is_read_or_stored(world: MakeWorld) -> None:
    running = await world(LINKED, B2B_COMPARE_ACCESS="false")
    await running.deliver(user=USER)
    assert await before(running) is None
    assert not any("appRoleAssignments" in call["path"] for call in running.tenant.control.journal())


async def test_a_dry_run_or_blocked_account_has_no_snapshot_read(world: MakeWorld) -> None:
    running = await world(tenant_of(account(1, mail="partner1@contoso.com")), **ON)
    await running.deliver(user=USER, dryRun=True)
    await running.deliver("r2", user=USER)
    assert running.request("r2")["stage"] == "blocked"
    assert not any("ownedObjects" in call["path"] for call in running.tenant.control.journal())


@pytest.mark.parametrize(
    ("refused", "switches", "unread"),
    [
        ("Directory.Read.All", {}, {Kind.APP_ROLES: "the permission Directory.Read.All is missing"}),
        (
            "",
            {"relations-for-applications": "refused"},
            dict.fromkeys(
                (Kind.MANAGER, Kind.OWNED_OBJECTS, Kind.REGISTERED_DEVICES), "the permission User.Read.All is missing"
            ),
        ),
    ],
    ids=["a permission", "a relation"],
)
async def test_unreadable_kinds_are_stored_as_unread_and_do_not_stop_inviting(
    world: MakeWorld, refused: str, switches: dict[str, str], unread: dict[Kind, str]
) -> None:
    running = await world(LINKED, [role for role in DEFAULT_ROLES if role != refused], switches, **ON)
    await running.deliver(user=USER)
    assert running.request("r1")["stage"] == "invited"
    snapshot = await before(running)
    assert snapshot is not None
    assert snapshot.unread == unread


async def test_a_second_try_of_a_claim_keeps_the_snapshot(world: MakeWorld) -> None:
    running = await world(LINKED, **ON)
    await running.deliver_in_trouble(USER)
    first = await before(running)
    running.pass_time(30)
    await running.redeliver()
    assert running.request("r1")["stage"] == "invited"
    assert items(await before(running)) == items(first)


async def test_2000_groups_and_500_app_roles_do_not_prevent_an_invitation(world: MakeWorld) -> None:
    groups = [
        {"id": f"99999999-0000-4000-9000-{n:012d}", "displayName": f"Group {n}", "members": [USER]} for n in range(2000)
    ]
    roles = [{"id": f"a{n}", "appRoleId": f"{n:036}", "resourceId": "c" * 36} for n in range(500)]
    running = await world(tenant_of(ANNA, groups=groups, appRoleAssignments={USER: roles}), **ON)
    await running.deliver(user=USER)
    assert running.request("r1")["stage"] == "invited"
    found = items(await before(running))
    assert (len(found[Kind.GROUPS]), len(found[Kind.APP_ROLES])) == (2000, 500)


async def test_a_temporary_failure_of_one_relation_delays_the_invitation(world: MakeWorld) -> None:
    running = await world(LINKED, **ON)
    running.tenant.control.set_faults([{"kind": "503-json", "path": "ownedObjects", "where": "part", "nth": 1}])
    await running.deliver(user=USER)
    assert running.request("r1")["stage"] == "requested"
    assert await before(running) is None
    running.pass_time(60)
    await running.redeliver()
    assert (await before(running)) is not None
