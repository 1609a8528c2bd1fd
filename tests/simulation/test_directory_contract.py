"""Reads, and what people do to accounts: the directory in memory and the rehearsal's double give the same results."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from b2b.domain.account import Account
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.fact import Fact, Facts
from b2b.domain.lifecycle import snapshot
from b2b.domain.readings import Memberships, NotReadable, NotThere
from b2b.domain.request import InvitedUser
from rehearsal.tenant.switches import TABLE
from tests.adapters.directory_support import INBOUND, NOT_A_USER, without
from tests.rehearsal.tenant_support import (
    ANNA,
    BEN,
    EVERYBODY,
    EXCHANGE_PLAN_2,
    FABRIKAM,
    GONE,
    GUEST,
    OPERATORS,
    PARTNERS,
    SEED,
    USER_ADMINISTRATOR,
    changed,
)
from tests.rehearsal.test_tenant_links import LINKED
from tests.simulation.directory_accounts import ACCEPTED, PENDING
from tests.simulation.directory_asking import account, ask, invite, pending, state
from tests.simulation.directory_contract import POSITIONS, World, both
from tests.simulation.directory_state import SWITCHES

ASSIGNMENT = {"id": "0f000000-0000-4000-8000-000000000001", "roleDefinitionId": USER_ADMINISTRATOR}
ON_A_UNIT = {"directoryScopeId": "/administrativeUnits/0f000000-0000-4000-8000-0000000000aa"}
COMPANY = "Fabrikam, O'Hara & Söhne"
DOLLAR = "$guest'1@contoso.com"
PROPERTIES: dict[str, dict[str, Any]] = {
    ANNA: {"proxyAddresses": ["smtp:old@fabrikam.com"], "companyName": COMPANY},
    BEN: {"otherMails": ["o'hara@fabrikam.com"], "companyName": COMPANY},
    GUEST: {"userPrincipalName": DOLLAR, "companyName": "Fabrikam"},
}
RICH = LINKED | {
    "users": [user | PROPERTIES.get(user["id"], {}) for user in SEED["users"]],
    "roleAssignments": [
        ASSIGNMENT | ON_A_UNIT | {"principalId": ANNA},
        ASSIGNMENT | {"principalId": GUEST, "directoryScopeId": "/"},
    ],
    "crossTenantAccessPolicy": {"partners": [{"tenantId": FABRIKAM, "b2bCollaborationInbound": INBOUND}]},
}
RELATED = tuple(fact for fact in facts.FACTS if fact in snapshot.FACTS)
"""The facts of a snapshot, in an order that is the same in every process."""
QUESTIONS: list[dict[Fact[Any], Any]] = [
    {facts.ACCOUNT: InvitedUser(id=ANNA), facts.MEMBERSHIPS: ANNA, facts.ROLE_ASSIGNMENTS: ANNA},
    {facts.ACCOUNT: InvitedUser(user_principal_name="Ben@Contoso.com"), facts.MEMBERSHIPS: BEN},
    {facts.ACCOUNT: InvitedUser(mail="anna.fischer@fabrikam.com"), facts.ROLE_ELIGIBILITIES: ANNA},
    {facts.ACCOUNT: InvitedUser(mail="ANNA@fabrikam.com"), facts.USERS_WITH_ADDRESS: "Anna@Fabrikam.com"},
    {facts.ACCOUNT: InvitedUser(mail="o'hara@fabrikam.com"), facts.USERS_WITH_ADDRESS: "o'hara@fabrikam.com"},
    {facts.ACCOUNT: InvitedUser(id=NOT_A_USER), facts.MEMBERSHIPS: NOT_A_USER, facts.ROLE_ASSIGNMENTS: NOT_A_USER},
    {facts.ACCOUNT: InvitedUser(user_principal_name="nobody@contoso.com"), facts.DELETED_ACCOUNT: GONE},
    {facts.USERS_WITH_ADDRESS: "old@fabrikam.com", facts.DELETED_WITH_ADDRESS: "dora@fabrikam.com"},
    {facts.USERS_WITH_ADDRESS: "ben@contoso.com", facts.DELETED_WITH_ADDRESS: "anna@fabrikam.com"},
    {facts.GROUPS_WITH_ADDRESS: "partners@fabrikam.com", facts.CONTACTS_WITH_ADDRESS: "eve@fabrikam.com"},
    {facts.GROUPS_WITH_ADDRESS: "Partners@Fabrikam.com", facts.CONTACTS_WITH_ADDRESS: "anna@fabrikam.com"},
    {facts.DOMAINS: None, facts.FEDERATIONS: None, facts.INVITATION_POLICY: None, facts.DOMAIN_LIST: None},
    {facts.CROSS_TENANT_ACCESS: None, facts.HOME_TENANT: "fabrikam.com"},
    {facts.ACCOUNT: InvitedUser(user_principal_name="anna@fabrikam.com"), facts.ROLE_ASSIGNMENTS: OPERATORS},
    {facts.HOME_TENANT: "litware.com", facts.DELETED_ACCOUNT: ANNA, facts.MEMBERSHIPS: GUEST},
    {facts.ACCOUNT: InvitedUser(user_principal_name=DOLLAR), facts.COLLEAGUES: COMPANY},
    {facts.ACCOUNT: InvitedUser(user_principal_name="$nobody@contoso.com"), facts.COLLEAGUES: COMPANY.upper()},
    {facts.COLLEAGUES: "Nobody's"},
    {facts.SPONSORING_USERS: (ANNA, PARTNERS, GONE), facts.SPONSORING_GROUPS: (ANNA, PARTNERS)},
    dict.fromkeys(RELATED, BEN),
    dict.fromkeys(RELATED, GONE),
    dict.fromkeys(RELATED, ANNA),
    {facts.REDEMPTIONS: "2026-01-01T00:00:00Z"},
]
SUBJECTS: Mapping[Fact[Any], Any] = {
    **{fact: subject for questions in QUESTIONS for fact, subject in questions.items()},
    facts.ACCOUNT: InvitedUser(id=ANNA),
    facts.MEMBERSHIPS: BEN,
    facts.COLLEAGUES: COMPANY,
}
"""A subject for every question to Graph."""
BY_GROUP = {"skuId": "6fd2c87f-b296-42f0-b197-1e91e994b900", "assignedByGroup": PARTNERS, "state": "Active"}
BY_HAND = BY_GROUP | {"assignedByGroup": None, "state": "Error", "error": "CountViolation"}


async def all_facts(world: World) -> Any:
    return [await ask(world, questions) for questions in QUESTIONS]


def test_every_fact_from_graph_is_compared_with_the_double() -> None:
    assert SUBJECTS.keys() == {fact for fact in facts.FACTS if fact.asks}
    users = [questions[facts.ACCOUNT] for questions in QUESTIONS if facts.ACCOUNT in questions]
    assert {frozenset(facts.selector(user)) for user in users} == {each.placeholders for each in facts.ACCOUNT.asks}


def test_the_switches_have_the_positions_of_the_rehearsal() -> None:
    assert dict(SWITCHES) == {name: TABLE[name].positions for name in SWITCHES}


@pytest.mark.parametrize("switches", POSITIONS, ids=str)
async def test_facts_are_the_same_in_every_position_of_every_switch(switches: dict[str, str]) -> None:
    found = await both(all_facts, RICH, switches)
    assert found[0][facts.MEMBERSHIPS] == Memberships(frozenset({PARTNERS, EVERYBODY}))
    assert found[1][facts.GROUP_DETAILS] == (OPERATORS,)
    assert [account.id for account in found[4][facts.ACCOUNT]] == [BEN]
    assert found[5].absent(facts.ACCOUNT)
    assert found[7][facts.DELETED_WITH_ADDRESS] == (GONE,)
    assert found[9] == Facts(
        {
            facts.GROUPS_WITH_ADDRESS: (PARTNERS,),
            facts.CONTACTS_WITH_ADDRESS: ("0e000000-0000-4000-8000-000000000001",),
        }
    )
    assert found[13] == Facts({facts.ACCOUNT: NotThere(), facts.ROLE_ASSIGNMENTS: (USER_ADMINISTRATOR,)})
    assert found[14][facts.MEMBERSHIPS].roles == ("User Administrator",)
    assert [account.id for account in found[15][facts.ACCOUNT]] == [GUEST]
    assert found[15][facts.COLLEAGUES] == {"fabrikam.com": 1, "contoso.com": 1}
    assert found[17] == Facts({facts.COLLEAGUES: {}})
    assert found[18] == Facts({facts.SPONSORING_USERS: {ANNA: True}, facts.SPONSORING_GROUPS: (PARTNERS,)})


async def test_all_switches_together_change_only_facts_about_case_and_licences() -> None:
    turned = {name: positions[1] for name, positions in SWITCHES.items() if name != "selected-properties"}
    usual, other = await both(all_facts, RICH), await both(all_facts, RICH, turned)
    assert [number for number, found in enumerate(usual) if found != other[number]] == [2, 3, 10, 16, 19, 20, 21]


@pytest.mark.parametrize("position", SWITCHES["relations-for-applications"])
async def test_relations_are_the_same_and_the_switch_can_refuse_them(position: str) -> None:
    async def script(world: World) -> Any:
        return await ask(world, dict.fromkeys(RELATED, ANNA))

    found = await both(script, RICH, {"relations-for-applications": position})
    refused = {facts.MANAGER, facts.OWNED_OBJECTS, facts.REGISTERED_DEVICES} if position == "refused" else set()
    assert set(found.unreadable) == refused
    assert found[facts.DIRECT_GROUPS] == {PARTNERS: "Partners"}
    assert list(found[facts.APP_ROLES].values()) == ["Order portal"]


async def test_reads_of_relations_lag_like_reads_of_accounts() -> None:
    async def script(world: World) -> Any:
        world.set_lag(30)
        await world.act("set_groups", ANNA, [])
        await world.act("relate", ANNA, "manager", [])
        found = [await ask(world, {facts.DIRECT_GROUPS: ANNA, facts.MANAGER: ANNA})]
        world.advance(31)
        return [*found, await ask(world, {facts.DIRECT_GROUPS: ANNA, facts.MANAGER: ANNA})]

    before, after = await both(script, RICH)
    assert (before[facts.DIRECT_GROUPS], after[facts.DIRECT_GROUPS]) == ({PARTNERS: "Partners"}, {})
    assert after.absent(facts.MANAGER)


ELIGIBLE = RICH | {"roleEligibilitySchedules": [ASSIGNMENT | {"principalId": ANNA, "directoryScopeId": "/"}]}
OTHER_CASE = {facts.USERS_WITH_ADDRESS: "OLD@fabrikam.com", facts.GROUPS_WITH_ADDRESS: "PARTNERS@fabrikam.com"}


@pytest.mark.parametrize("position", SWITCHES["eligibility-licence"])
async def test_without_the_licence_no_role_eligibilities_are_returned(position: str) -> None:
    async def script(world: World) -> Any:
        return await ask(world, {facts.ROLE_ELIGIBILITIES: ANNA})

    found = await both(script, ELIGIBLE, {"eligibility-licence": position})
    assert found[facts.ROLE_ELIGIBILITIES] == ((USER_ADMINISTRATOR,) if position == "present" else ())


@pytest.mark.parametrize("position", SWITCHES["proxy-address-case"])
async def test_the_case_switch_applies_to_proxy_addresses_of_users_only(position: str) -> None:
    async def script(world: World) -> Any:
        return await ask(world, OTHER_CASE)

    found = await both(script, RICH, {"proxy-address-case": position})
    assert found[facts.USERS_WITH_ADDRESS] == ((ANNA,) if position == "ignored" else ())
    assert found[facts.GROUPS_WITH_ADDRESS] == (PARTNERS,)


@pytest.mark.parametrize("position", SWITCHES["selected-properties"])
async def test_only_empty_properties_are_left_out(position: str) -> None:
    async def script(world: World) -> Any:
        found = []
        for by in (InvitedUser(id=ANNA), InvitedUser(mail="anna@fabrikam.com")):
            read = (await ask(world, {facts.ACCOUNT: by}))[facts.ACCOUNT]
            found.append([account.withheld for account in ([read] if isinstance(read, Account) else read)])
        found += [await account(world), await invite(world)]
        world.advance(1)
        return [*found, await state(world)]

    by_id, by_mail, read, _, invited = await both(script, SEED, {"selected-properties": position})
    left_out = position != "all"
    assert ("externalUserState" in by_id[0], by_id == by_mail) == (left_out, True)
    assert (read == "unreadable", invited) == (left_out, PENDING)


async def alone(fact: Fact[Any], permissions: set[str]) -> Any:
    """Read one fact with these permissions from the double and from memory; return the equal outcome."""

    async def script(world: World) -> Any:
        return await ask(world, {fact: SUBJECTS[fact]})

    return await both(script, RICH, permissions=permissions)


@pytest.mark.parametrize("fact", SUBJECTS, ids=repr)
async def test_a_fact_without_its_permission_is_unreadable_in_both(fact: Fact[Any]) -> None:
    found = await alone(fact, without(fact.permission) - {"User.ReadWrite.All"})
    if fact is facts.ACCOUNT:
        assert found.kind == "AccessDenied"
    else:
        assert found.unreadable[fact] == NotReadable()


@pytest.mark.parametrize("fact", SUBJECTS, ids=repr)
async def test_each_permission_of_a_fact_is_enough_to_read_it(fact: Fact[Any]) -> None:
    for permission in (fact.permission, *sorted(fact.wider)):
        found = await alone(fact, {permission})
        assert fact not in found.unreadable, permission


@pytest.mark.parametrize("permission", ["Group.Read.All", "RoleManagement.Read.Directory"])
async def test_memberships_read_without_their_permission_are_the_same_in_memory_and_in_the_tenant(
    permission: str,
) -> None:
    async def script(world: World) -> Any:
        return await ask(world, {facts.MEMBERSHIPS: BEN})

    assert await both(script, permissions=without(permission)) != await both(script)


@pytest.mark.parametrize(
    "properties",
    [
        {"onPremisesSyncEnabled": True, "onPremisesUserPrincipalName": "anna@corp.contoso.com"},
        {"assignedPlans": [EXCHANGE_PLAN_2]},
        {"accountEnabled": False},
        {"mail": None, "otherMails": []},
        {"isManagementRestricted": True},
        {"givenName": "Anna", "surname": "Fischer-Müller", "companyName": "Contoso"},
        {"employeeId": "0042", "employeeType": "Contractor", "isResourceAccount": True},
        {"licenseAssignmentStates": [BY_GROUP, BY_HAND]},
        {"userPrincipalName": "anna_o'hara#EXT#@contoso.com"},
    ],
    ids=lambda properties: next(iter(properties)),
)
async def test_accounts_of_every_kind_read_the_same_in_both(properties: dict[str, Any]) -> None:
    name = properties.get("userPrincipalName", "anna@contoso.com")

    async def script(world: World) -> Any:
        by_name = await ask(world, {facts.ACCOUNT: InvitedUser(user_principal_name=name)})
        return [await account(world), world.truth(ANNA), by_name]

    read, truth, by_name = await both(script, changed(ANNA, **properties))
    assert isinstance(read, Account)
    assert truth | properties == truth
    assert by_name == Facts({facts.ACCOUNT: (read,)})


ACTS: list[list[tuple[Any, ...]]] = [
    [("redeem",)],
    [("invite",), ("redeem",), ("redeem",), ("invite",)],
    [("invite",), ("redeem",), ("delete",), ("invite",), ("restore",), ("purge",)],
    [("delete",), ("purge",), ("restore",), ("delete",), ("redeem",)],
    [("invite",), ("delete",), ("redeem",), ("restore",), ("redeem",)],
    [("invite",), ("disable",), ("redeem",), ("enable",), ("redeem",)],
    [("invite",), ("redeem",), ("disable",), ("invite",)],
    [("invite_by_hand",), ("invite",), ("redeem",), ("invite_by_hand",)],
    [("rename", "anna.new@contoso.com"), ("delete",), ("restore",)],
    [("change", "mail", "new@fabrikam.com"), ("invite",), ("change", "mail", "anna@fabrikam.com"), ("invite",)],
    [("change", "mail", "carla@litware.com"), ("change", "mail", "dora@fabrikam.com")],
    [("change", "mail", "partners@fabrikam.com"), ("change", "mail", "eve@fabrikam.com"), ("change", "mail", None)],
    [("delete",), ("wait", 29 * 86_400), ("restore",), ("delete",), ("wait", 31 * 86_400), ("restore",)],
]


async def done(world: World, act: tuple[Any, ...]) -> Any:
    name, *given = act
    if name == "wait":
        return world.advance(given[0])
    if name == "invite":
        return await invite(world)
    more = {"mail": False} if name == "invite_by_hand" else {}
    if name == "change":
        given, more = [], {given[0]: given[1]}
    return await world.act(name, ANNA, *given, **more)


@pytest.mark.parametrize("switches", POSITIONS, ids=str)
async def test_every_sequence_of_acts_has_the_same_outcomes_in_both(switches: dict[str, str]) -> None:
    async def script(world: World) -> Any:
        outcomes = []
        for act in acts:
            outcome = await done(world, act)
            world.advance(1)
            read = await ask(world, {facts.ACCOUNT: InvitedUser(id=ANNA), facts.DELETED_ACCOUNT: ANNA})
            outcomes.append((outcome, read, world.truth(ANNA), world.deleted(ANNA), await pending(world)))
        return outcomes, world.mails(), world.posts()

    for acts in ACTS:
        outcomes, _, _ = await both(script, switches=switches)
        assert len(outcomes) == len(acts)


async def test_an_account_is_pending_after_a_reset() -> None:
    """The identities are not compared: the double keeps that of the other issuer, and Graph may not."""

    async def script(world: World) -> Any:
        await invite(world)
        await world.act("redeem", ANNA)
        world.advance(1)
        assert await world.act("reset_redemption", ANNA)
        reset = msgspec.structs.replace(await account(world), identities=None)
        return reset, await world.act("redeem", ANNA), await account(world)

    reset, redeemed, accepted = await both(script)
    assert (reset.external_user_state, redeemed, accepted.external_user_state) == (PENDING, True, ACCEPTED)
    assert [identity.sign_in_type for identity in accepted.identities] == ["userPrincipalName", "federated"]


@pytest.mark.parametrize("links", SWITCHES["old-redeem-link"])
async def test_the_switch_decides_whether_the_older_link_still_works(links: str) -> None:
    async def script(world: World) -> Any:
        await invite(world)
        first = world.newest_link(ANNA)
        await invite(world)
        return [await world.act("redeem", ANNA, first), await world.act("redeem", ANNA), await state(world)]

    older_opens = links == "alive"
    outcome = await both(script, switches={"old-redeem-link": links})
    assert outcome == [older_opens, not older_opens, ACCEPTED]


async def test_a_person_of_a_blocked_domain_cannot_redeem() -> None:
    async def script(world: World) -> Any:
        return await world.act("redeem", GUEST), world.truth(GUEST)

    redeemed, _ = await both(script, SEED | {"b2bManagementPolicy": {"blockedDomains": ["litware.com"]}})
    assert (redeemed, (await both(script))[0]) == (False, True)
