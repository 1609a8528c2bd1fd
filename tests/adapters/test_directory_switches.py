"""What nobody has measured of Graph: the facts are the same in every position of the double's switches."""

from typing import Any

import pytest

from b2b.adapters.directory import Directory
from b2b.domain.facts import Fact
from b2b.domain.request import InvitedUser
from rehearsal.tenant.switches import TABLE
from tests.adapters.graph_support import graph_of
from tests.rehearsal.tenant_support import ANNA, BEN, GONE, SEED, USER_ADMINISTRATOR

FOUND: list[dict[Fact, Any]] = [
    {Fact.ACCOUNT: InvitedUser(id=ANNA), Fact.MEMBERSHIPS: ANNA, Fact.ROLE_ASSIGNMENTS: ANNA},
    {Fact.ACCOUNT: InvitedUser(mail="anna.fischer@fabrikam.com"), Fact.MEMBERSHIPS: BEN, Fact.ROLE_ELIGIBILITIES: ANNA},
    {Fact.USERS_WITH_ADDRESS: "anna@fabrikam.com", Fact.DELETED_WITH_ADDRESS: "dora@fabrikam.com"},
    {Fact.USERS_WITH_ADDRESS: "old@fabrikam.com", Fact.DELETED_ACCOUNT: GONE, Fact.HOME_TENANT: "fabrikam.com"},
    {Fact.GROUPS_WITH_ADDRESS: "partners@fabrikam.com", Fact.CONTACTS_WITH_ADDRESS: "eve@fabrikam.com"},
    {Fact.DOMAINS: None, Fact.FEDERATIONS: None, Fact.INVITATION_POLICY: None, Fact.DOMAIN_LIST: None},
    {Fact.CROSS_TENANT_ACCESS: None},
]
READS = (
    "page-shape",
    "batch-order",
    "proxy-address-case",
    "filter-case",
    "federated-domains",
    "expanded-members",
    "role-details",
    "deleted-upn",
    "pending-state",
)
"""Switches that change what a read answers. `eligibility-licence` changes the fact itself and has a test of its own."""
MANY_GROUPS = [
    {"id": f"0b000000-0000-4000-8000-{number:012d}", "displayName": f"Team {number}", "members": [ANNA]}
    for number in range(100, 130)
]
RICH = SEED | {
    "users": [
        user | {"proxyAddresses": ["SMTP:anna@fabrikam.com", "smtp:old@fabrikam.com"]} if user["id"] == ANNA else user
        for user in SEED["users"]
    ],
    "groups": [*SEED["groups"], *MANY_GROUPS],
    "roleAssignments": [
        {
            "id": "0f000000-0000-4000-8000-000000000001",
            "principalId": ANNA,
            "roleDefinitionId": USER_ADMINISTRATOR,
            "directoryScopeId": "/",
        }
    ],
}


async def facts(**switches: str) -> list[dict[Fact, Any]]:
    async with graph_of(RICH, switches=switches) as (graph, tenant):
        found = [await Directory(graph).read(questions) for questions in FOUND]
        assert tenant.journal.violations == []
    return found


@pytest.mark.parametrize(("name", "position"), [(name, at) for name in READS for at in TABLE[name].positions[1:]])
async def test_a_switch_of_the_double_changes_no_fact(name: str, position: str) -> None:
    assert await facts(**{name: position}) == await facts()


async def test_all_switches_together_change_no_fact() -> None:
    assert await facts(**{name: TABLE[name].positions[-1] for name in READS}) == await facts()


async def test_none_of_the_facts_compared_is_empty() -> None:
    assert [fact for found in await facts() for fact, value in found.items() if not value] == []


@pytest.mark.parametrize("address", ["ANNA@FABRIKAM.COM", "anna@Fabrikam.com"])
async def test_an_address_in_another_case_is_found_where_filters_ignore_case(address: str) -> None:
    async with graph_of(RICH) as (graph, _):
        found = await Directory(graph).read({Fact.USERS_WITH_ADDRESS: address})
    assert found == {Fact.USERS_WITH_ADDRESS: (ANNA,)}


async def test_without_the_licence_nobody_is_eligible_for_a_role() -> None:
    async with graph_of(RICH, switches={"eligibility-licence": "absent"}) as (graph, _):
        found = await Directory(graph).read({Fact.ROLE_ELIGIBILITIES: ANNA, Fact.ROLE_ASSIGNMENTS: ANNA})
    assert found == {Fact.ROLE_ELIGIBILITIES: (), Fact.ROLE_ASSIGNMENTS: (USER_ADMINISTRATOR,)}
