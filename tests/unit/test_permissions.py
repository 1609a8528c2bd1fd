"""Which app roles are missing and which are too many, by mode, profile and rules; held to the tenant's own table."""

from itertools import chain
from typing import Any

import pytest

from b2b.domain.eligibility import facts
from b2b.domain.eligibility.fact import Fact
from b2b.domain.eligibility.permissions import CHANGE_USERS, INVITE, Comparison, compare
from b2b.domain.findings import Profile, Severity
from rehearsal.tenant.protocol import permissions as double

COMPARED, AUDITED = "Directory.Read.All", "AuditLog.Read.All"
READ = [fact for fact in facts.FACTS if fact.permission]
BY_RULES = [fact for fact in READ if fact.permission not in {COMPARED, AUDITED}]
ALL = frozenset(fact.permission for fact in BY_RULES)
"""What the rules read; the looks after a redemption want two more."""
ENFORCED = {
    facts.ACCOUNT: double.USERS_READ,
    facts.DELETED_ACCOUNT: double.DELETED_USERS_READ,
    facts.MEMBERSHIPS: double.USERS_READ,
    facts.GROUP_DETAILS: double.GROUPS_READ,
    facts.ROLE_ASSIGNMENTS: double.ROLES_READ,
    facts.ROLE_ELIGIBILITIES: double.ROLE_ELIGIBILITY_READ,
    facts.USERS_WITH_ADDRESS: double.USERS_READ,
    facts.DELETED_WITH_ADDRESS: double.DELETED_USERS_READ,
    facts.GROUPS_WITH_ADDRESS: double.GROUPS_READ,
    facts.CONTACTS_WITH_ADDRESS: double.CONTACTS_READ,
    facts.COLLEAGUES: double.USERS_READ,
    facts.SPONSORING_USERS: double.USERS_READ,
    facts.SPONSORING_GROUPS: double.GROUPS_READ,
    facts.HOME_TENANT: double.TENANT_INFORMATION_READ,
    facts.DOMAINS: double.DOMAINS_READ,
    facts.FEDERATIONS: double.FEDERATION_READ,
    facts.INVITATION_POLICY: double.AUTHORIZATION_POLICY_READ,
    facts.CROSS_TENANT_ACCESS: double.CROSS_TENANT_POLICY_READ,
    facts.DOMAIN_LIST: double.B2B_POLICY_READ,
    facts.DIRECT_GROUPS: double.USERS_READ,
    facts.APP_ROLES: double.APP_ROLES_READ,
    facts.MANAGER: double.USERS_READ,
    facts.SPONSORS: double.USERS_READ,
    facts.OWNED_OBJECTS: double.USERS_READ,
    facts.REGISTERED_DEVICES: double.USERS_READ,
    facts.REDEMPTIONS: double.AUDIT_LOG_READ,
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


@pytest.mark.parametrize("fact", [fact for fact in BY_RULES if fact.wider], ids=repr)
def test_a_wider_role_covers_and_is_named_as_more_than_needed(fact: Fact[Any]) -> None:
    others = ALL - {fact.permission}
    for wider in fact.wider:
        found = compared(others | {wider})
        also_covered = all(wider in other.wider for other in READ if other.permission == fact.permission)
        assert found == Comparison(() if also_covered else (fact.permission,), (wider,))


def test_the_comparison_wants_one_more_in_convert_and_says_so() -> None:
    def comparing(roles: frozenset[str]) -> Comparison:
        return compare(roles, Profile.CURRENT, {}, converts=True, compares=True)

    assert comparing(ALL | {INVITE, COMPARED}) == Comparison((), ())
    assert comparing(ALL | {INVITE}) == Comparison((COMPARED,), ())
    assert compared(ALL | {INVITE, COMPARED}, converts=True) == Comparison((), (COMPARED,))


def test_the_audit_log_wants_one_more_where_a_setting_lets_the_app_read_it() -> None:
    def auditing(roles: frozenset[str]) -> Comparison:
        return compare(roles, Profile.CURRENT, {}, converts=True, compares=True, audits=True)

    assert auditing(ALL | {INVITE, COMPARED, AUDITED}) == Comparison((), ())
    assert auditing(ALL | {INVITE, COMPARED}) == Comparison((AUDITED,), ())
    assert compared(ALL | {INVITE, AUDITED}, converts=True) == Comparison((), (AUDITED,))


@pytest.mark.parametrize("fact", READ, ids=repr)
def test_the_tenant_lets_read_whom_the_table_says(fact: Fact[Any]) -> None:
    assert {fact.permission, *fact.wider} <= ENFORCED[fact]


def test_the_table_speaks_of_every_fact_that_a_permission_reads() -> None:
    assert ENFORCED.keys() == set(READ)
    assert not ALL & set(chain.from_iterable(fact.wider for fact in READ))
