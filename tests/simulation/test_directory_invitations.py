"""Invitations: the directory in memory and the rehearsal's double accept and refuse the same ones, with the same
effects.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from b2b.domain.eligibility import facts
from tests.adapters.directory_support import INBOUND, NOT_A_USER, without
from tests.rehearsal.tenant_support import ANNA, BEN, EXCHANGE_PLAN_2, FABRIKAM, GONE, GUEST, PARTNERS, SEED, changed
from tests.simulation.directory_accounts import PENDING
from tests.simulation.directory_asking import Failed, ask, invite, pending
from tests.simulation.directory_contract import POSITIONS, World, both
from tests.simulation.directory_state import SWITCHES

ALLOWED = INBOUND["usersAndGroups"] | {"accessType": "allowed"}
NAMED_ONLY = {"accessType": "allowed", "targets": [{"target": PARTNERS, "targetType": "group"}]}


@dataclass(frozen=True)
class Case:
    """One invitation, and its outcome with all switches at their defaults: a status, or an error's kind and rule."""

    name: str
    outcome: Any
    seed: Mapping[str, Any] = field(default_factory=lambda: SEED)
    user: str = ANNA
    address: str = "anna@fabrikam.com"
    more: Mapping[str, Any] = field(default_factory=dict)
    permissions: set[str] | None = None


def refused(rule: str | None) -> tuple[str, str | None]:
    return "InvitationRefused", rule


def inbound(**sides: Any) -> dict[str, Any]:
    entry = {"tenantId": FABRIKAM, "b2bCollaborationInbound": sides}
    return SEED | {"crossTenantAccessPolicy": {"partners": [entry]}}


def policy(allow_invites_from: str) -> dict[str, Any]:
    return SEED | {"authorizationPolicy": {"allowInvitesFrom": allow_invites_from}}


NO_INVITES = without("User.Invite.All")
CASES = [
    Case("plain", PENDING),
    Case("address in capitals", PENDING, address="ANNA@FABRIKAM.COM"),
    Case("other address of the account", PENDING, address="anna.fischer@fabrikam.com"),
    Case("without a mail", PENDING, more={"send_message": False}),
    Case("one copy", PENDING, more={"cc": (("Ben", "ben@contoso.com"),), "language": "de-DE"}),
    Case("two copies", refused(None), more={"cc": ((None, "ben@contoso.com"), (None, "eve@fabrikam.com"))}),
    Case("sponsors", PENDING, more={"sponsors": (BEN, PARTNERS)}),
    Case("unknown sponsor", refused(None), more={"sponsors": (NOT_A_USER,)}),
    Case("pending guest", PENDING, user=GUEST, address="carla@litware.com"),
    Case("unknown account", ("OutcomeUnknown", None), user=NOT_A_USER),
    Case("deleted account", ("OutcomeUnknown", None), user=GONE, address="dora@fabrikam.com"),
    Case("foreign address", refused("address-not-on-account"), address="somebody@fabrikam.com"),
    Case("own domain", refused("own-verified-domain"), user=BEN, address="ben@contoso.com"),
    Case("below the own domain", refused("own-verified-domain"), address="anna@sub.contoso.com"),
    Case("initial domain", refused("own-verified-domain"), address="anna@contoso.onmicrosoft.com"),
    Case("domain that is not verified", refused("address-not-on-account"), address="anna@unverified.example"),
    Case("signs in an address", refused(None), address="anna+b2b@fabrikam.com"),
    Case("denied domain", refused(None), address="anna@wingtiptoys.com"),
    Case("domain not allowed", refused(None), SEED | {"b2bManagementPolicy": {"allowedDomains": ["litware.com"]}}),
    Case("blocked partner", refused("cross-tenant-blocked"), inbound(**INBOUND)),
    Case(
        "partner blocked on one side", refused("cross-tenant-blocked"), inbound(**INBOUND | {"applications": ALLOWED})
    ),
    Case("partner with some people", PENDING, inbound(usersAndGroups=NAMED_ONLY)),
    Case("address of a group", refused("group-address"), address="partners@fabrikam.com"),
    Case("nobody invites", refused("invitations-disabled"), policy("none")),
    Case("administrators invite", PENDING, policy("adminsAndGuestInviters")),
    Case("no permission to invite", ("AccessDenied", None), permissions=NO_INVITES - {"User.ReadWrite.All"}),
    Case("read and write will do", PENDING, permissions=NO_INVITES),
    Case(
        "read and write will not do",
        refused("invitations-disabled"),
        policy("adminsAndGuestInviters"),
        permissions=NO_INVITES,
    ),
    Case("restricted", refused(None), changed(ANNA, isManagementRestricted=True)),
    Case("disabled", refused("account-disabled"), changed(ANNA, accountEnabled=False)),
    Case("synchronised", PENDING, changed(ANNA, onPremisesSyncEnabled=True)),
    Case("name on premises", refused(None), changed(ANNA, onPremisesUserPrincipalName="anna@corp.contoso.com")),
    Case("mailbox", PENDING, changed(ANNA, assignedPlans=[EXCHANGE_PLAN_2])),
    Case("former mailbox", PENDING, changed(ANNA, assignedPlans=[EXCHANGE_PLAN_2 | {"capabilityStatus": "Deleted"}])),
    Case("held by another", refused("address-in-use"), changed(BEN, otherMails=["anna@fabrikam.com"])),
    Case(
        "held by another's mailbox", refused("address-in-use"), changed(BEN, proxyAddresses=["smtp:anna@fabrikam.com"])
    ),
    Case(
        "held by another that is disabled",
        refused("address-in-use"),
        changed(BEN, otherMails=["anna@fabrikam.com"], accountEnabled=False),
    ),
    Case("held by a deleted account", PENDING, changed(ANNA, mail="dora@fabrikam.com"), address="dora@fabrikam.com"),
    Case("held by a contact", PENDING, changed(ANNA, mail="eve@fabrikam.com"), address="eve@fabrikam.com"),
]


def outcome_of(answer: Any) -> Any:
    return (answer.kind, answer.rule) if isinstance(answer, Failed) else answer


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_an_invitation_has_its_outcome_in_all_switch_positions(case: Case) -> None:
    async def script(world: World) -> Any:
        first = await invite(world, case.user, case.address, **case.more)
        world.advance(1)
        again = await invite(world, case.user, case.address, **case.more)
        return first, again, world.truth(case.user), await pending(world), world.posts(), world.mails()

    outcomes = [await both(script, case.seed, switches, case.permissions) for switches in POSITIONS]
    first, again, _, _, posts, mails = outcomes[0]
    assert (outcome_of(first), outcome_of(again)) == (case.outcome, case.outcome)
    assert len(posts) == 2
    assert len(mails) == (2 if case.outcome == PENDING and case.more.get("send_message", True) else 0)


@pytest.mark.parametrize(
    ("switch", "position", "name", "outcome"),
    [
        ("address-case", "exact", "address in capitals", refused("address-not-on-account")),
        ("address-match", "mail-only", "other address of the account", refused("address-not-on-account")),
        ("deleted-holder", "refused", "held by a deleted account", refused("address-in-use")),
        ("disabled-account", "accepted", "disabled", PENDING),
        ("held-address", "accepted", "held by another", PENDING),
        ("mailbox-account", "refused", "mailbox", refused(None)),
        ("unknown-account", "bad-request", "unknown account", refused(None)),
    ],
)
async def test_a_switch_changes_the_outcome_of_its_case(switch: str, position: str, name: str, outcome: Any) -> None:
    (case,) = (case for case in CASES if case.name == name)

    async def script(world: World) -> Any:
        return await invite(world, case.user, case.address)

    assert outcome_of(await both(script, case.seed, {switch: position})) == outcome


async def test_the_portals_refusal_of_a_held_address_does_not_name_the_holder() -> None:
    async def script(world: World) -> Any:
        return await invite(world)

    answer = await both(
        script, changed(BEN, otherMails=["anna@fabrikam.com"]), {"held-address": "refused-in-words-of-the-portal"}
    )
    assert outcome_of(answer) == refused("address-in-use")
    assert "given mail address" in answer.text
    assert BEN not in answer.text


@pytest.mark.parametrize(("position", "outcome"), [("completed", "Completed"), ("refused", refused("address-in-use"))])
async def test_an_account_that_has_redeemed_is_invited_again_or_refused_by_switch(position: str, outcome: Any) -> None:
    async def script(world: World) -> Any:
        await invite(world)
        await world.act("redeem", ANNA)
        again = await invite(world)
        return again, world.truth(ANNA), world.mails(), await world.act("redeem", ANNA)

    again, _, mails, redeemed = await both(script, switches={"invite-redeemed-account": position})
    assert (outcome_of(again), redeemed) == (outcome, False)
    assert len(mails) == (2 if position == "completed" else 1)


@pytest.mark.parametrize(("position", "outcome"), [("accepted", PENDING), ("refused", refused("address-in-use"))])
async def test_the_switch_decides_if_a_pending_account_can_be_invited_at_another_address(
    position: str, outcome: Any
) -> None:
    async def script(world: World) -> Any:
        await invite(world)
        again = await invite(world, ANNA, "anna.fischer@fabrikam.com")
        return again, (world.truth(ANNA) or {})["externalUserState"], [mail[1] for mail in world.mails()]

    again, state, mails = await both(script, switches={"corrected-invitation": position})
    assert (outcome_of(again), state) == (outcome, PENDING)
    assert mails == ["anna@fabrikam.com", "anna.fischer@fabrikam.com"][: 2 if position == "accepted" else 1]


@pytest.mark.parametrize("pending_state", SWITCHES["pending-state"])
async def test_an_internal_account_shows_its_invitation_only_if_the_switch_says_so(pending_state: str) -> None:
    async def script(world: World) -> Any:
        await invite(world)
        return (world.truth(ANNA) or {})["externalUserState"], ANNA in await pending(world)

    shows = pending_state == "pending-acceptance"
    assert await both(script, switches={"pending-state": pending_state}) == (PENDING if shows else None, shows)


async def test_an_invitation_without_an_account_makes_a_guest_and_mails_it_again() -> None:
    async def script(world: World) -> Any:
        address = "new@fabrikam.com"
        kinds = [(await invite(world, "", address)).kind for _ in range(2)]
        (guest,) = (await ask(world, {facts.USERS_WITH_ADDRESS: address}))[facts.USERS_WITH_ADDRESS]
        assert [mail[:2] for mail in world.mails()] == [(guest, address)] * 2
        created = world.truth(guest) or {}
        assert created["userPrincipalName"].startswith("new_fabrikam.com#EXT#@")
        return kinds, {name: value for name, value in created.items() if name not in {"id", "identities"}}

    kinds, _ = await both(script)
    assert kinds == ["InvitationRefused", "InvitationRefused"]


async def test_an_invitation_without_an_account_for_a_known_address_is_refused() -> None:
    async def script(world: World) -> Any:
        return await invite(world, "", "anna@fabrikam.com"), world.mails()

    answer, mails = await both(script)
    assert (outcome_of(answer), mails) == (refused("address-in-use"), [])
