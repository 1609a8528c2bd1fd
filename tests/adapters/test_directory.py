"""Each fact, asked of the Graph double: its value, what it is without its permission, and where nothing is there."""

from typing import Any

import pytest

from b2b.adapters.directory import Directory
from b2b.domain.errors import Transient
from b2b.domain.facts import PERMISSIONS, Fact
from b2b.domain.readings import Memberships, NotReadable, NotThere
from b2b.domain.request import InvitedUser
from b2b.domain.tenant import CrossTenantAccess, DomainList, Domains
from tests.adapters.directory_support import NOT_A_USER, TENANT, ask, without
from tests.adapters.graph_support import Wire, batch, graph_of, graph_over
from tests.rehearsal.tenant_support import (
    ANNA,
    BEN,
    EVERYBODY,
    FABRIKAM,
    GONE,
    GUEST,
    OPERATORS,
    PARTNERS,
    ROLE,
    SEED,
    USER_ADMINISTRATOR,
)

CONTACT = "0e000000-0000-4000-8000-000000000001"
ANNAS_GROUPS = Memberships(groups=frozenset({PARTNERS, EVERYBODY}))
BENS_GROUPS = Memberships(
    groups=frozenset({OPERATORS}), roles=("User Administrator",), role_assignable_groups=(OPERATORS,)
)
VALUES: list[tuple[Fact, Any, Any]] = [
    (Fact.DELETED_ACCOUNT, GONE, True),
    (Fact.DELETED_ACCOUNT, ANNA, NotThere()),
    (Fact.MEMBERSHIPS, ANNA, ANNAS_GROUPS),
    (Fact.MEMBERSHIPS, BEN, BENS_GROUPS),
    (Fact.MEMBERSHIPS, GUEST, Memberships()),
    (Fact.MEMBERSHIPS, NOT_A_USER, NotThere()),
    (Fact.ROLE_ASSIGNMENTS, BEN, (USER_ADMINISTRATOR,)),
    (Fact.ROLE_ASSIGNMENTS, ANNA, ()),
    (Fact.ROLE_ELIGIBILITIES, ANNA, (USER_ADMINISTRATOR,)),
    (Fact.ROLE_ELIGIBILITIES, BEN, ()),
    (Fact.USERS_WITH_ADDRESS, "anna.fischer@fabrikam.com", (ANNA,)),
    (Fact.USERS_WITH_ADDRESS, "ANNA@fabrikam.com", (ANNA,)),
    (Fact.USERS_WITH_ADDRESS, "anna@contoso.com", (ANNA,)),
    (Fact.USERS_WITH_ADDRESS, "nobody@fabrikam.com", ()),
    (Fact.USERS_WITH_ADDRESS, "o'hara@fabrikam.com", ()),
    (Fact.DELETED_WITH_ADDRESS, "dora@fabrikam.com", (GONE,)),
    (Fact.DELETED_WITH_ADDRESS, "anna@fabrikam.com", ()),
    (Fact.GROUPS_WITH_ADDRESS, "partners@fabrikam.com", (PARTNERS,)),
    (Fact.GROUPS_WITH_ADDRESS, "anna@fabrikam.com", ()),
    (Fact.CONTACTS_WITH_ADDRESS, "eve@fabrikam.com", (CONTACT,)),
    (Fact.CONTACTS_WITH_ADDRESS, "anna@fabrikam.com", ()),
    (Fact.HOME_TENANT, "fabrikam.com", FABRIKAM),
    (Fact.HOME_TENANT, "litware.com", NotThere()),
    (
        Fact.DOMAINS,
        None,
        Domains(
            verified=frozenset({"contoso.com", "contoso.onmicrosoft.com", "corp.contoso.com"}),
            federated=frozenset({"corp.contoso.com"}),
        ),
    ),
    (Fact.FEDERATIONS, None, frozenset({"adatum.com"})),
    (Fact.INVITATION_POLICY, None, "adminsAndGuestInviters"),
    (Fact.DOMAIN_LIST, None, DomainList(blocked=frozenset({"wingtiptoys.com"}))),
]
SUBJECTS: dict[Fact, Any] = {
    **{fact: subject for fact, subject, _ in VALUES},
    Fact.ACCOUNT: InvitedUser(id=ANNA),
    Fact.MEMBERSHIPS: ANNA,
    Fact.CROSS_TENANT_ACCESS: None,
}
"""A subject for every fact that is a question to Graph."""


@pytest.mark.parametrize(("fact", "subject", "value"), VALUES)
async def test_a_fact_is_what_the_tenant_holds(fact: Fact, subject: Any, value: Any) -> None:
    assert await ask(fact, subject) == value


async def test_cross_tenant_access_is_the_default_and_the_partners_own_settings() -> None:
    access = await ask(Fact.CROSS_TENANT_ACCESS, None)
    assert isinstance(access, CrossTenantAccess)
    assert access.restricts(FABRIKAM)
    assert not access.restricts(NOT_A_USER)


async def test_a_partner_without_inbound_settings_of_its_own_has_the_default_ones() -> None:
    access = await ask(Fact.CROSS_TENANT_ACCESS, None, SEED)
    assert access.partners == {}


def test_every_fact_but_two_is_asked_of_graph() -> None:
    """One comes along with the memberships, the other from the ledger."""
    assert set(Fact) - SUBJECTS.keys() == {Fact.GROUP_DETAILS, Fact.RESERVATION}


@pytest.mark.parametrize("fact", sorted(SUBJECTS.keys() - {Fact.ACCOUNT}))
async def test_without_its_permission_a_fact_is_not_readable(fact: Fact) -> None:
    assert await ask(fact, SUBJECTS[fact], roles=without(PERMISSIONS[fact])) == NotReadable()


@pytest.mark.parametrize("fact", sorted(SUBJECTS))
async def test_the_permission_named_for_a_fact_is_enough_to_read_it(fact: Fact) -> None:
    answer = await ask(fact, SUBJECTS[fact], roles=[PERMISSIONS[fact]])
    assert not isinstance(answer, NotReadable)


async def test_without_the_permission_for_groups_their_details_stay_open() -> None:
    members = await ask(Fact.MEMBERSHIPS, BEN, roles=without(PERMISSIONS[Fact.GROUP_DETAILS]))
    assert members.groups == {OPERATORS}
    assert members.role_assignable_groups == ()
    assert not members.details_readable


async def test_a_role_that_is_shown_without_its_name_is_still_a_role() -> None:
    members = await ask(Fact.MEMBERSHIPS, BEN, roles=without("RoleManagement.Read.Directory"))
    assert members.roles == (ROLE,)
    assert members.details_readable


async def test_apostrophes_in_filters_are_doubled() -> None:
    async with graph_of(TENANT) as (graph, tenant):
        await Directory(graph).read(
            {
                Fact.ACCOUNT: InvitedUser(mail="o'hara@fabrikam.com"),
                Fact.USERS_WITH_ADDRESS: "o'hara@fabrikam.com",
                Fact.GROUPS_WITH_ADDRESS: "o'hara@fabrikam.com",
            }
        )
    filters = [entry.query["$filter"] for entry in tenant.journal.entries if entry.batch is not None]
    assert len(filters) == 3
    assert all("o''hara@fabrikam.com'" in text and "o'hara" not in text for text in filters)


async def test_the_search_in_the_recycle_bin_is_an_advanced_query() -> None:
    async with graph_of(TENANT) as (graph, tenant):
        await Directory(graph).read({Fact.DELETED_WITH_ADDRESS: "dora@fabrikam.com"})
    (entry,) = [entry for entry in tenant.journal.entries if entry.batch is not None]
    assert entry.headers["consistencylevel"] == "eventual"
    assert entry.query["$count"] == "true"


async def test_all_facts_of_v1_travel_in_one_round_trip() -> None:
    async with graph_of(TENANT) as (graph, tenant):
        answers = await Directory(graph).read({fact: SUBJECTS[fact] for fact in SUBJECTS})
    assert answers.keys() == SUBJECTS.keys()
    envelopes = [entry.path for entry in tenant.journal.entries if entry.path.endswith("$batch")]
    assert envelopes == ["/v1.0/$batch", "/beta/$batch"]


@pytest.mark.parametrize(
    ("fact", "body"),
    [
        (Fact.DOMAINS, {}),
        (Fact.DOMAINS, {"value": [{"id": "contoso.com"}]}),
        (Fact.USERS_WITH_ADDRESS, {"value": [{}]}),
        (Fact.MEMBERSHIPS, {"value": [{"id": PARTNERS}]}),
        (Fact.HOME_TENANT, {"tenantId": None}),
        (Fact.INVITATION_POLICY, {}),
        (Fact.DOMAIN_LIST, {"value": [{"isOrganizationDefault": True, "definition": ["not JSON"]}]}),
        (Fact.DOMAIN_LIST, {"value": [{"isOrganizationDefault": True, "definition": ["[]"]}]}),
        (
            Fact.DOMAIN_LIST,
            {"value": [{"isOrganizationDefault": True, "definition": ['{"B2BManagementPolicy": null}']}]},
        ),
        (Fact.ACCOUNT, {"id": ANNA}),
        (Fact.ACCOUNT, {"id": ANNA, "userPrincipalName": 5}),
    ],
)
async def test_an_answer_that_makes_no_sense_is_transient_and_never_a_fact(fact: Fact, body: Any) -> None:
    async with graph_over(Wire(batch(lambda _: {"status": 200, "body": body}))) as graph:
        with pytest.raises(Transient, match="cannot be read"):
            await Directory(graph).read({fact: SUBJECTS[fact]})


async def test_without_an_organisations_default_policy_every_domain_is_welcome() -> None:
    body = {"value": [{"isOrganizationDefault": False, "definition": ["{}"]}]}
    async with graph_over(Wire(batch(lambda _: {"status": 200, "body": body}))) as graph:
        assert await Directory(graph).read({Fact.DOMAIN_LIST: None}) == {Fact.DOMAIN_LIST: DomainList()}
