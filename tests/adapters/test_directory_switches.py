"""Open questions about Graph: the facts are the same in every position of the double's switches."""

from typing import Any

import pytest

from b2b.adapters.directory import Directory
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.fact import Fact, Facts
from b2b.domain.request import InvitedUser
from rehearsal.tenant.switches import TABLE
from tests.adapters.graph_support import graph_of
from tests.rehearsal.tenant_support import ANNA, BEN, GONE, PARTNERS, SEED, USER_ADMINISTRATOR

FOUND: list[dict[Fact[Any], Any]] = [
    {facts.ACCOUNT: InvitedUser(id=ANNA), facts.MEMBERSHIPS: ANNA, facts.ROLE_ASSIGNMENTS: ANNA},
    {
        facts.ACCOUNT: InvitedUser(mail="anna.fischer@fabrikam.com"),
        facts.MEMBERSHIPS: BEN,
        facts.ROLE_ELIGIBILITIES: ANNA,
    },
    {facts.USERS_WITH_ADDRESS: "anna@fabrikam.com", facts.DELETED_WITH_ADDRESS: "dora@fabrikam.com"},
    {facts.USERS_WITH_ADDRESS: "old@fabrikam.com", facts.DELETED_ACCOUNT: GONE, facts.HOME_TENANT: "fabrikam.com"},
    {facts.GROUPS_WITH_ADDRESS: "partners@fabrikam.com", facts.CONTACTS_WITH_ADDRESS: "eve@fabrikam.com"},
    {facts.SPONSORING_USERS: (ANNA, BEN), facts.SPONSORING_GROUPS: (PARTNERS,)},
    {facts.DOMAINS: None, facts.FEDERATIONS: None, facts.INVITATION_POLICY: None, facts.DOMAIN_LIST: None},
    {facts.CROSS_TENANT_ACCESS: None},
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
"""Switches that change the answer to a read. `eligibility-licence` changes the fact itself, so it has its own test."""
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


async def read(**switches: str) -> list[Facts]:
    async with graph_of(RICH, switches=switches) as (graph, tenant):
        found = [await Directory(graph).read(questions) for questions in FOUND]
        assert tenant.journal.violations == []
    return found


@pytest.mark.parametrize(("name", "position"), [(name, at) for name in READS for at in TABLE[name].positions[1:]])
async def test_a_switch_of_the_double_changes_no_fact(name: str, position: str) -> None:
    assert await read(**{name: position}) == await read()


async def test_all_switches_together_change_no_fact() -> None:
    assert await read(**{name: TABLE[name].positions[-1] for name in READS}) == await read()


async def test_no_compared_fact_is_empty() -> None:
    none = {facts.GROUP_DETAILS}  # these groups are not role-assignable
    assert [fact for found in await read() for fact in found._read if not found[fact] and fact not in none] == []


@pytest.mark.parametrize("address", ["ANNA@FABRIKAM.COM", "anna@Fabrikam.com"])
async def test_an_address_in_another_case_is_found_if_filters_ignore_case(address: str) -> None:
    async with graph_of(RICH) as (graph, _):
        found = await Directory(graph).read({facts.USERS_WITH_ADDRESS: address})
    assert found[facts.USERS_WITH_ADDRESS] == (ANNA,)


async def test_without_the_licence_no_account_is_eligible_for_a_role() -> None:
    async with graph_of(RICH, switches={"eligibility-licence": "absent"}) as (graph, _):
        found = await Directory(graph).read({facts.ROLE_ELIGIBILITIES: ANNA, facts.ROLE_ASSIGNMENTS: ANNA})
    assert found[facts.ROLE_ELIGIBILITIES] == ()
    assert found[facts.ROLE_ASSIGNMENTS] == (USER_ADMINISTRATOR,)
    assert found.unreadable == {}
