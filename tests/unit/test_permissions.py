"""Which app roles are missing and which are too many, by mode, profile and rules; held to the tenant's own table."""

from itertools import chain

import pytest

from b2b.domain.facts import PERMISSIONS, Fact
from b2b.domain.findings import Profile, Severity
from b2b.domain.permissions import CHANGE_USERS, INVITE, WIDER, Comparison, compare
from rehearsal.tenant import permissions as double

ALL = frozenset(PERMISSIONS.values())
ENFORCED = {
    Fact.ACCOUNT: double.USERS_READ,
    Fact.DELETED_ACCOUNT: double.DELETED_USERS_READ,
    Fact.MEMBERSHIPS: double.USERS_READ,
    Fact.GROUP_DETAILS: double.GROUPS_READ,
    Fact.ROLE_ASSIGNMENTS: double.ROLES_READ,
    Fact.ROLE_ELIGIBILITIES: double.ROLE_ELIGIBILITY_READ,
    Fact.USERS_WITH_ADDRESS: double.USERS_READ,
    Fact.DELETED_WITH_ADDRESS: double.DELETED_USERS_READ,
    Fact.GROUPS_WITH_ADDRESS: double.GROUPS_READ,
    Fact.CONTACTS_WITH_ADDRESS: double.CONTACTS_READ,
    Fact.HOME_TENANT: double.TENANT_INFORMATION_READ,
    Fact.DOMAINS: double.DOMAINS_READ,
    Fact.FEDERATIONS: double.FEDERATION_READ,
    Fact.INVITATION_POLICY: double.AUTHORIZATION_POLICY_READ,
    Fact.CROSS_TENANT_ACCESS: double.CROSS_TENANT_POLICY_READ,
    Fact.DOMAIN_LIST: double.B2B_POLICY_READ,
}


def compared(roles: frozenset[str], *, converts: bool = False, **overrides: Severity) -> Comparison:
    rules = {rule.replace("_", "-"): severity for rule, severity in overrides.items()}
    return compare(roles, Profile.CURRENT, rules, converts=converts)


def test_the_whole_set_misses_nothing_and_has_none_too_many() -> None:
    assert compared(ALL) == Comparison((), ())
    assert compared(ALL | {INVITE}, converts=True) == Comparison((), ())
    assert compared(ALL | {INVITE, CHANGE_USERS}, converts=True) == Comparison((), ())


@pytest.mark.parametrize("role", sorted(ALL))
def test_one_that_is_missing_is_named(role: str) -> None:
    assert compared(ALL - {role}).missing == (role,)


def test_without_roles_all_are_named() -> None:
    assert compared(frozenset(), converts=True).missing == tuple(sorted(ALL | {INVITE}))


def test_only_inviting_wants_the_role_that_invites_and_no_wider_one_stands_in() -> None:
    assert compared(ALL | {INVITE, CHANGE_USERS}).surplus == (INVITE, CHANGE_USERS)
    assert compared(ALL | {CHANGE_USERS, "Directory.ReadWrite.All"}, converts=True).missing == (INVITE,)


def test_what_only_a_rule_that_is_off_reads_is_neither_missed_nor_needed() -> None:
    off = compared(ALL, domain_not_allowed=Severity.OFF)
    assert off == Comparison((), ("Policy.Read.B2BManagementPolicy",))


def test_the_old_profile_reads_less() -> None:
    found = compare(ALL, Profile.LEGACY, {}, converts=False)
    assert found == Comparison((), ("Policy.Read.B2BManagementPolicy",))


@pytest.mark.parametrize("fact", [fact for fact in PERMISSIONS if WIDER[fact]])
def test_a_wider_role_covers_and_is_named_as_more_than_needed(fact: Fact) -> None:
    others = {PERMISSIONS[other] for other in PERMISSIONS if PERMISSIONS[other] != PERMISSIONS[fact]}
    for wider in WIDER[fact]:
        found = compared(frozenset(others | {wider}))
        also_covered = all(wider in WIDER[other] for other in PERMISSIONS if PERMISSIONS[other] == PERMISSIONS[fact])
        assert found == Comparison(() if also_covered else (PERMISSIONS[fact],), (wider,))


@pytest.mark.parametrize("fact", list(PERMISSIONS))
def test_the_tenant_lets_read_whom_the_table_says(fact: Fact) -> None:
    assert {PERMISSIONS[fact], *WIDER[fact]} <= ENFORCED[fact]


def test_the_table_speaks_of_every_fact_that_a_permission_reads() -> None:
    assert WIDER.keys() == ENFORCED.keys() == PERMISSIONS.keys()
    assert not set(PERMISSIONS.values()) & set(chain(*WIDER.values()))
