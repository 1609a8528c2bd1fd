"""Which app roles are missing and which are too many, by mode, profile and rules, and the double's table."""

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


def test_the_full_set_has_no_missing_and_no_surplus_role() -> None:
    assert compared(ALL) == Comparison((), ())
    assert compared(ALL | {INVITE}, converts=True) == Comparison((), ())
    assert compared(ALL | {INVITE, CHANGE_USERS}, converts=True) == Comparison((), ())


@pytest.mark.parametrize("role", sorted(ALL))
def test_a_missing_role_is_named(role: str) -> None:
    assert compared(ALL - {role}).missing == (role,)


def test_without_roles_every_role_is_missing() -> None:
    assert compared(frozenset(), converts=True).missing == tuple(sorted(ALL | {INVITE}))


def test_only_convert_needs_the_invite_role_and_no_wider_role_replaces_it() -> None:
    assert compared(ALL | {INVITE, CHANGE_USERS}).surplus == (INVITE, CHANGE_USERS)
    assert compared(ALL | {CHANGE_USERS, "Directory.ReadWrite.All"}, converts=True).missing == (INVITE,)


def test_a_role_read_only_by_a_rule_that_is_off_is_surplus() -> None:
    off = compared(ALL, domain_not_allowed=Severity.OFF)
    assert off == Comparison((), ("Policy.Read.B2BManagementPolicy",))


def test_the_2020_profile_needs_no_b2b_policy_role() -> None:
    found = compare(ALL, Profile.LEGACY, {}, converts=False)
    assert found == Comparison((), ("Policy.Read.B2BManagementPolicy",))


@pytest.mark.parametrize("fact", [fact for fact in BY_RULES if fact.wider], ids=repr)
def test_a_wider_role_is_enough_and_is_reported_as_surplus(fact: Fact[Any]) -> None:
    others = ALL - {fact.permission}
    for wider in fact.wider:
        found = compared(others | {wider})
        also_covered = all(wider in other.wider for other in READ if other.permission == fact.permission)
        assert found == Comparison(() if also_covered else (fact.permission,), (wider,))


def test_the_comparison_needs_one_more_role_in_convert() -> None:
    def comparing(roles: frozenset[str]) -> Comparison:
        return compare(roles, Profile.CURRENT, {}, converts=True, compares=True)

    assert comparing(ALL | {INVITE, COMPARED}) == Comparison((), ())
    assert comparing(ALL | {INVITE}) == Comparison((COMPARED,), ())
    assert compared(ALL | {INVITE, COMPARED}, converts=True) == Comparison((), (COMPARED,))


def test_reading_the_audit_log_needs_one_more_role() -> None:
    def auditing(roles: frozenset[str]) -> Comparison:
        return compare(roles, Profile.CURRENT, {}, converts=True, compares=True, audits=True)

    assert auditing(ALL | {INVITE, COMPARED, AUDITED}) == Comparison((), ())
    assert auditing(ALL | {INVITE, COMPARED}) == Comparison((AUDITED,), ())
    assert compared(ALL | {INVITE, AUDITED}, converts=True) == Comparison((), (AUDITED,))


@pytest.mark.parametrize("fact", READ, ids=repr)
def test_the_double_accepts_every_permission_in_the_table(fact: Fact[Any]) -> None:
    assert {fact.permission, *fact.wider} <= ENFORCED[fact]


def test_the_table_has_every_fact_that_a_permission_reads() -> None:
    assert ENFORCED.keys() == set(READ)
    assert not ALL & set(chain.from_iterable(fact.wider for fact in READ))
