"""Each fact read from the Graph double: with its value, without its permission, and if the tenant has no value."""

from typing import Any

import pytest

from b2b.adapters.directory import Directory
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.fact import Fact
from b2b.domain.eligibility.tenant import CrossTenantAccess, DomainList, Domains
from b2b.domain.errors import Transient
from b2b.domain.lifecycle import snapshot
from b2b.domain.readings import Memberships, NotReadable, NotThere
from b2b.domain.request import InvitedUser
from tests.adapters.directory_support import NOT_A_USER, TENANT, ask, found, without
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
from tests.rehearsal.test_tenant_links import LAPTOP, PORTAL

APPLICATION = "8e881353-1735-45af-af21-ee1344582a4d"
CONTACT = "0e000000-0000-4000-8000-000000000001"
ANNAS_GROUPS = Memberships(groups=frozenset({PARTNERS, EVERYBODY}))
BENS_GROUPS = Memberships(groups=frozenset({OPERATORS}), roles=("User Administrator",))
VALUES: list[tuple[Fact[Any], Any, Any]] = [
    (facts.DELETED_ACCOUNT, GONE, True),
    (facts.DELETED_ACCOUNT, ANNA, NotThere()),
    (facts.MEMBERSHIPS, ANNA, ANNAS_GROUPS),
    (facts.MEMBERSHIPS, BEN, BENS_GROUPS),
    (facts.MEMBERSHIPS, GUEST, Memberships()),
    (facts.MEMBERSHIPS, NOT_A_USER, NotThere()),
    (facts.ROLE_ASSIGNMENTS, BEN, (USER_ADMINISTRATOR,)),
    (facts.ROLE_ASSIGNMENTS, ANNA, ()),
    (facts.ROLE_ELIGIBILITIES, ANNA, (USER_ADMINISTRATOR,)),
    (facts.ROLE_ELIGIBILITIES, BEN, ()),
    (facts.USERS_WITH_ADDRESS, "anna.fischer@fabrikam.com", (ANNA,)),
    (facts.USERS_WITH_ADDRESS, "ANNA@fabrikam.com", (ANNA,)),
    (facts.USERS_WITH_ADDRESS, "anna@contoso.com", (ANNA,)),
    (facts.USERS_WITH_ADDRESS, "nobody@fabrikam.com", ()),
    (facts.USERS_WITH_ADDRESS, "o'hara@fabrikam.com", ()),
    (facts.DELETED_WITH_ADDRESS, "dora@fabrikam.com", (GONE,)),
    (facts.DELETED_WITH_ADDRESS, "anna@fabrikam.com", ()),
    (facts.GROUPS_WITH_ADDRESS, "partners@fabrikam.com", (PARTNERS,)),
    (facts.GROUPS_WITH_ADDRESS, "anna@fabrikam.com", ()),
    (facts.CONTACTS_WITH_ADDRESS, "eve@fabrikam.com", (CONTACT,)),
    (facts.CONTACTS_WITH_ADDRESS, "anna@fabrikam.com", ()),
    (facts.COLLEAGUES, "Fabrikam, O'Hara & Co", {"fabrikam.com": 1}),
    (facts.COLLEAGUES, "Nobody", {}),
    (facts.SPONSORING_USERS, (ANNA.upper(), PARTNERS, NOT_A_USER), {ANNA: True}),
    (facts.SPONSORING_USERS, (GONE,), {}),
    (facts.SPONSORING_GROUPS, (ANNA, PARTNERS, NOT_A_USER), (PARTNERS,)),
    (facts.DIRECT_GROUPS, ANNA, {PARTNERS: "Partners"}),
    (facts.DIRECT_GROUPS, BEN, {OPERATORS: "Operators"}),
    (facts.APP_ROLES, ANNA, {f"{APPLICATION}/00000000-0000-0000-0000-000000000000": "Order portal"}),
    (facts.APP_ROLES, BEN, {}),
    (facts.MANAGER, ANNA, {BEN: "Ben O'Hara"}),
    (facts.MANAGER, BEN, NotThere()),
    (facts.SPONSORS, ANNA, {BEN: "Ben O'Hara", PARTNERS: "Partners"}),
    (facts.OWNED_OBJECTS, ANNA, {PARTNERS: "Partners", PORTAL: "Order portal"}),
    (facts.REGISTERED_DEVICES, ANNA, {LAPTOP: "ANNA-LAPTOP"}),
    (facts.REGISTERED_DEVICES, NOT_A_USER, NotThere()),
    (facts.HOME_TENANT, "fabrikam.com", FABRIKAM),
    (facts.HOME_TENANT, "litware.com", NotThere()),
    (
        facts.DOMAINS,
        None,
        Domains(
            verified=frozenset({"contoso.com", "contoso.onmicrosoft.com", "corp.contoso.com"}),
            federated=frozenset({"corp.contoso.com"}),
        ),
    ),
    (facts.FEDERATIONS, None, frozenset({"adatum.com"})),
    (facts.INVITATION_POLICY, None, "adminsAndGuestInviters"),
    (facts.DOMAIN_LIST, None, DomainList(blocked=frozenset({"wingtiptoys.com"}))),
]
BELONGINGS = tuple(fact for fact in facts.FACTS if fact in snapshot.FACTS - {facts.ROLE_ASSIGNMENTS})
SUBJECTS: dict[Fact[Any], Any] = {
    **{fact: subject for fact, subject, _ in VALUES},
    facts.ACCOUNT: InvitedUser(id=ANNA),
    **dict.fromkeys((facts.MEMBERSHIPS, *BELONGINGS), ANNA),
    facts.CROSS_TENANT_ACCESS: None,
    facts.REDEMPTIONS: "2026-01-01T00:00:00Z",
}
"""A subject for every fact that is a question to Graph."""


@pytest.mark.parametrize(("fact", "subject", "value"), VALUES)
async def test_each_fact_is_read_with_the_value_in_the_tenant(fact: Fact[Any], subject: Any, value: Any) -> None:
    assert await ask(fact, subject) == value


async def test_cross_tenant_access_has_the_default_and_the_settings_of_partners() -> None:
    access = await ask(facts.CROSS_TENANT_ACCESS, None)
    assert isinstance(access, CrossTenantAccess)
    assert access.restricts(FABRIKAM)
    assert not access.restricts(NOT_A_USER)


async def test_a_partner_without_inbound_settings_has_the_default_settings() -> None:
    access = await ask(facts.CROSS_TENANT_ACCESS, None, SEED)
    assert access.partners == {}


def test_graph_is_asked_for_every_fact_except_two() -> None:
    """One is read together with the memberships, and the other is read from the ledger."""
    assert set(facts.FACTS) - SUBJECTS.keys() == {facts.GROUP_DETAILS, facts.RESERVATION}


@pytest.mark.parametrize("fact", [fact for fact in SUBJECTS if fact is not facts.ACCOUNT], ids=repr)
async def test_without_its_permission_a_fact_is_not_readable(fact: Fact[Any]) -> None:
    assert await ask(fact, SUBJECTS[fact], roles=without(fact.permission)) == NotReadable()


@pytest.mark.parametrize("fact", SUBJECTS, ids=repr)
async def test_the_permission_named_for_a_fact_is_enough_to_read_it(fact: Fact[Any]) -> None:
    answer = await ask(fact, SUBJECTS[fact], roles=[fact.permission])
    assert not isinstance(answer, NotReadable)


async def test_a_read_of_memberships_also_returns_the_role_assignable_groups() -> None:
    known = await found(facts.MEMBERSHIPS, BEN)
    assert known[facts.GROUP_DETAILS] == (OPERATORS,)
    assert facts.GROUP_DETAILS not in known.unreadable


async def test_without_the_permission_for_groups_group_details_are_not_readable() -> None:
    known = await found(facts.MEMBERSHIPS, BEN, roles=without(facts.GROUP_DETAILS.permission))
    assert known[facts.MEMBERSHIPS].groups == {OPERATORS}
    assert known.unreadable.keys() == {facts.GROUP_DETAILS}


async def test_a_role_whose_name_is_withheld_still_counts_as_a_role() -> None:
    known = await found(facts.MEMBERSHIPS, BEN, roles=without("RoleManagement.Read.Directory"))
    assert known[facts.MEMBERSHIPS].roles == (ROLE,)
    assert known.unreadable == {}


async def test_apostrophes_in_filters_are_doubled() -> None:
    async with graph_of(TENANT) as (graph, tenant):
        await Directory(graph).read(
            {
                facts.ACCOUNT: InvitedUser(mail="o'hara@fabrikam.com"),
                facts.USERS_WITH_ADDRESS: "o'hara@fabrikam.com",
                facts.GROUPS_WITH_ADDRESS: "o'hara@fabrikam.com",
            }
        )
    filters = [entry.query["$filter"] for entry in tenant.journal.entries if entry.batch is not None]
    assert len(filters) == 3
    assert all("o''hara@fabrikam.com'" in text and "o'hara" not in text for text in filters)


async def test_the_search_in_the_recycle_bin_is_an_advanced_query() -> None:
    async with graph_of(TENANT) as (graph, tenant):
        await Directory(graph).read({facts.DELETED_WITH_ADDRESS: "dora@fabrikam.com"})
    (entry,) = [entry for entry in tenant.journal.entries if entry.batch is not None]
    assert entry.headers["consistencylevel"] == "eventual"
    assert entry.query["$count"] == "true"


async def test_all_v1_facts_of_the_rules_are_read_in_one_batch() -> None:
    async with graph_of(TENANT) as (graph, tenant):
        asked = {fact: subject for fact, subject in SUBJECTS.items() if fact not in BELONGINGS}
        answers = await Directory(graph).read(asked)
    assert answers._read.keys() == asked.keys() | {facts.GROUP_DETAILS}
    envelopes = [entry.path for entry in tenant.journal.entries if entry.path.endswith("$batch")]
    assert envelopes == ["/v1.0/$batch", "/beta/$batch"]


@pytest.mark.parametrize(
    ("fact", "body"),
    [
        (facts.DOMAINS, {}),
        (facts.DOMAINS, {"value": [{"id": "contoso.com"}]}),
        (facts.USERS_WITH_ADDRESS, {"value": [{}]}),
        (facts.MEMBERSHIPS, {"value": [{"id": PARTNERS}]}),
        (facts.HOME_TENANT, {"tenantId": None}),
        (facts.INVITATION_POLICY, {}),
        (facts.DOMAIN_LIST, {"value": [{"isOrganizationDefault": True, "definition": ["not JSON"]}]}),
        (facts.DOMAIN_LIST, {"value": [{"isOrganizationDefault": True, "definition": ["[]"]}]}),
        (
            facts.DOMAIN_LIST,
            {"value": [{"isOrganizationDefault": True, "definition": ['{"B2BManagementPolicy": null}']}]},
        ),
        (facts.ACCOUNT, {"userPrincipalName": "anna@contoso.com"}),
        (facts.ACCOUNT, {"id": ANNA, "userPrincipalName": 5}),
    ],
)
async def test_an_answer_of_unexpected_form_raises_transient(fact: Fact[Any], body: Any) -> None:
    async with graph_over(Wire(batch(lambda _: {"status": 200, "body": body}))) as graph:
        with pytest.raises(Transient, match="cannot be read"):
            await Directory(graph).read({fact: SUBJECTS[fact]})


@pytest.mark.parametrize("status", [400, 405, 410, 414])
@pytest.mark.parametrize("fact", [facts.ACCOUNT, facts.USERS_WITH_ADDRESS, facts.DOMAINS, facts.MEMBERSHIPS], ids=repr)
async def test_a_permanent_refusal_makes_a_fact_unreadable(fact: Fact[Any], status: int) -> None:
    body = {"error": {"code": "Request_BadRequest", "message": "The request URI is not valid."}}
    async with graph_over(Wire(batch(lambda _: {"status": status, "body": body}))) as graph:
        known = await Directory(graph).read({fact: SUBJECTS[fact]})
    assert known.unreadable[fact] == NotReadable(f"Graph answers {status} Request_BadRequest")


@pytest.mark.parametrize("status", [401, 408, 409, 423, 425, 429, 500, 503])
async def test_a_temporary_refusal_raises_transient(status: int) -> None:
    async with graph_over(Wire(batch(lambda _: {"status": status, "body": {}}))) as graph:
        with pytest.raises(Transient):
            await Directory(graph).read({facts.ACCOUNT: InvitedUser(id=ANNA)})


async def test_without_a_default_b2b_policy_every_domain_is_allowed() -> None:
    body = {"value": [{"isOrganizationDefault": False, "definition": ["{}"]}]}
    async with graph_over(Wire(batch(lambda _: {"status": 200, "body": body}))) as graph:
        assert (await Directory(graph).read({facts.DOMAIN_LIST: None}))[facts.DOMAIN_LIST] == DomainList()
