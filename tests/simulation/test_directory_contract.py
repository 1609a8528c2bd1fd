"""Reads, and what people do to accounts: the directory in memory and the rehearsal's double say the same."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from b2b.domain.account import Account
from b2b.domain.facts import PERMISSIONS, Fact
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
from tests.simulation.directory_accounts import ACCEPTED, PENDING
from tests.simulation.directory_asking import account, facts, invite, pending, state
from tests.simulation.directory_contract import World, both
from tests.simulation.directory_state import SWITCHES

POSITIONS: list[dict[str, str]] = [{}, *({name: each[1]} for name, each in SWITCHES.items())]
"""Every position of every switch, the others being in their defaults."""
ASSIGNMENT = {"id": "0f000000-0000-4000-8000-000000000001", "roleDefinitionId": USER_ADMINISTRATOR}
ON_A_UNIT = {"directoryScopeId": "/administrativeUnits/0f000000-0000-4000-8000-0000000000aa"}
PROPERTIES = {ANNA: {"proxyAddresses": ["smtp:old@fabrikam.com"]}, BEN: {"otherMails": ["o'hara@fabrikam.com"]}}
RICH = SEED | {
    "users": [user | PROPERTIES.get(user["id"], {}) for user in SEED["users"]],
    "roleAssignments": [
        ASSIGNMENT | ON_A_UNIT | {"principalId": ANNA},
        ASSIGNMENT | {"principalId": GUEST, "directoryScopeId": "/"},
    ],
    "crossTenantAccessPolicy": {"partners": [{"tenantId": FABRIKAM, "b2bCollaborationInbound": INBOUND}]},
}
QUESTIONS: list[dict[Fact, Any]] = [
    {Fact.ACCOUNT: InvitedUser(id=ANNA), Fact.MEMBERSHIPS: ANNA, Fact.ROLE_ASSIGNMENTS: ANNA},
    {Fact.ACCOUNT: InvitedUser(user_principal_name="Ben@Contoso.com"), Fact.MEMBERSHIPS: BEN},
    {Fact.ACCOUNT: InvitedUser(mail="anna.fischer@fabrikam.com"), Fact.ROLE_ELIGIBILITIES: ANNA},
    {Fact.ACCOUNT: InvitedUser(mail="ANNA@fabrikam.com"), Fact.USERS_WITH_ADDRESS: "Anna@Fabrikam.com"},
    {Fact.ACCOUNT: InvitedUser(mail="o'hara@fabrikam.com"), Fact.USERS_WITH_ADDRESS: "o'hara@fabrikam.com"},
    {Fact.ACCOUNT: InvitedUser(id=NOT_A_USER), Fact.MEMBERSHIPS: NOT_A_USER, Fact.ROLE_ASSIGNMENTS: NOT_A_USER},
    {Fact.ACCOUNT: InvitedUser(user_principal_name="nobody@contoso.com"), Fact.DELETED_ACCOUNT: GONE},
    {Fact.USERS_WITH_ADDRESS: "old@fabrikam.com", Fact.DELETED_WITH_ADDRESS: "dora@fabrikam.com"},
    {Fact.USERS_WITH_ADDRESS: "ben@contoso.com", Fact.DELETED_WITH_ADDRESS: "anna@fabrikam.com"},
    {Fact.GROUPS_WITH_ADDRESS: "partners@fabrikam.com", Fact.CONTACTS_WITH_ADDRESS: "eve@fabrikam.com"},
    {Fact.GROUPS_WITH_ADDRESS: "Partners@Fabrikam.com", Fact.CONTACTS_WITH_ADDRESS: "anna@fabrikam.com"},
    {Fact.DOMAINS: None, Fact.FEDERATIONS: None, Fact.INVITATION_POLICY: None, Fact.DOMAIN_LIST: None},
    {Fact.CROSS_TENANT_ACCESS: None, Fact.HOME_TENANT: "fabrikam.com"},
    {Fact.ACCOUNT: InvitedUser(user_principal_name="anna@fabrikam.com"), Fact.ROLE_ASSIGNMENTS: OPERATORS},
    {Fact.HOME_TENANT: "litware.com", Fact.DELETED_ACCOUNT: ANNA, Fact.MEMBERSHIPS: GUEST},
]
SUBJECTS: Mapping[Fact, Any] = {fact: subject for questions in QUESTIONS for fact, subject in questions.items()} | {
    Fact.ACCOUNT: InvitedUser(id=ANNA),
    Fact.MEMBERSHIPS: BEN,
}


async def all_facts(world: World) -> Any:
    return [await facts(world, questions) for questions in QUESTIONS]


def test_the_switches_are_those_of_the_rehearsal() -> None:
    assert dict(SWITCHES) == {name: TABLE[name].positions for name in SWITCHES}


@pytest.mark.parametrize("switches", POSITIONS, ids=str)
async def test_facts_are_the_same_in_every_position_of_every_switch(switches: dict[str, str]) -> None:
    found = await both(all_facts, RICH, switches)
    assert found[0][Fact.MEMBERSHIPS] == Memberships(frozenset({PARTNERS, EVERYBODY}))
    assert found[1][Fact.MEMBERSHIPS].role_assignable_groups == (OPERATORS,)
    assert [account.id for account in found[4][Fact.ACCOUNT]] == [BEN]
    assert found[5][Fact.ACCOUNT] == NotThere()
    assert found[7][Fact.DELETED_WITH_ADDRESS] == (GONE,)
    assert found[9] == {
        Fact.GROUPS_WITH_ADDRESS: (PARTNERS,),
        Fact.CONTACTS_WITH_ADDRESS: ("0e000000-0000-4000-8000-000000000001",),
    }
    assert found[13] == {Fact.ACCOUNT: NotThere(), Fact.ROLE_ASSIGNMENTS: (USER_ADMINISTRATOR,)}
    assert found[14][Fact.MEMBERSHIPS].roles == ("User Administrator",)


async def test_all_switches_together_change_no_fact_but_where_case_counts() -> None:
    usual, other = await both(all_facts, RICH), await both(all_facts, RICH, {n: p[1] for n, p in SWITCHES.items()})
    assert [number for number, found in enumerate(usual) if found != other[number]] == [3, 10]


@pytest.mark.parametrize("fact", [fact for fact in PERMISSIONS if fact is not Fact.GROUP_DETAILS])
async def test_a_fact_without_its_permission_is_the_same(fact: Fact) -> None:
    async def script(world: World) -> Any:
        return await facts(world, {fact: SUBJECTS[fact]})

    found = await both(script, RICH, permissions=without(PERMISSIONS[fact]) - {"User.ReadWrite.All"})
    assert found == {fact: NotReadable()} or found.kind == "AccessDenied"


@pytest.mark.parametrize("permission", ["Group.Read.All", "RoleManagement.Read.Directory"])
async def test_memberships_of_which_details_are_withheld_are_the_same(permission: str) -> None:
    async def script(world: World) -> Any:
        return await facts(world, {Fact.MEMBERSHIPS: BEN})

    assert await both(script, permissions=without(permission)) != await both(script)


@pytest.mark.parametrize(
    "properties",
    [
        {"onPremisesSyncEnabled": True, "onPremisesUserPrincipalName": "anna@corp.contoso.com"},
        {"assignedPlans": [EXCHANGE_PLAN_2]},
        {"accountEnabled": False},
        {"mail": None, "otherMails": []},
        {"isManagementRestricted": True},
        {"userPrincipalName": "anna_o'hara#EXT#@contoso.com"},
    ],
    ids=lambda properties: next(iter(properties)),
)
async def test_an_account_of_any_kind_reads_the_same(properties: dict[str, Any]) -> None:
    name = properties.get("userPrincipalName", "anna@contoso.com")

    async def script(world: World) -> Any:
        by_name = await facts(world, {Fact.ACCOUNT: InvitedUser(user_principal_name=name)})
        return [await account(world), world.truth(ANNA), by_name]

    read, truth, by_name = await both(script, changed(ANNA, **properties))
    assert isinstance(read, Account)
    assert truth | properties == truth
    assert by_name == {Fact.ACCOUNT: (read,)}


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
async def test_an_account_goes_the_same_way_through_every_history(switches: dict[str, str]) -> None:
    async def script(world: World) -> Any:
        outcomes = []
        for act in acts:
            outcome = await done(world, act)
            world.advance(1)
            read = await facts(world, {Fact.ACCOUNT: InvitedUser(id=ANNA), Fact.DELETED_ACCOUNT: ANNA})
            outcomes.append((outcome, read, world.truth(ANNA), world.deleted(ANNA), await pending(world)))
        return outcomes, world.mails(), world.posts()

    for acts in ACTS:
        outcomes, _, _ = await both(script, switches=switches)
        assert len(outcomes) == len(acts)


async def test_a_reset_is_pending_again() -> None:
    """The double keeps the identity of the other issuer; what Graph does with it, nobody has recorded."""

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
async def test_of_two_links_the_older_one_is_as_good_as_the_switch_says(links: str) -> None:
    async def script(world: World) -> Any:
        await invite(world)
        first = world.newest_link(ANNA)
        await invite(world)
        return [await world.act("redeem", ANNA, first), await world.act("redeem", ANNA), await state(world)]

    older_opens = links == "alive"
    outcome = await both(script, switches={"old-redeem-link": links})
    assert outcome == [older_opens, not older_opens, ACCEPTED]


async def test_a_person_of_a_denied_domain_redeems_no_more() -> None:
    async def script(world: World) -> Any:
        return await world.act("redeem", GUEST), world.truth(GUEST)

    redeemed, _ = await both(script, SEED | {"b2bManagementPolicy": {"blockedDomains": ["litware.com"]}})
    assert (redeemed, (await both(script))[0]) == (False, True)
