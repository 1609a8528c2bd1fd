"""Compare the Graph app roles that the app's settings need with those that its token holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from b2b.domain.eligibility import facts
from b2b.domain.eligibility.judge import needed_facts
from b2b.domain.eligibility.rule import Rule
from b2b.domain.eligibility.rules import RULES
from b2b.domain.findings import Profile, Severity
from b2b.domain.lifecycle.snapshot import FACTS

INVITE = "User.Invite.All"
"""The role that invites. No wider role replaces it (https://learn.microsoft.com/graph/api/invitation-post)."""
CHANGE_USERS = facts.CHANGE_USERS
"""Microsoft does not document whether inviting an existing account needs this role.

So the app allows it in `convert` but does not require it.
"""


@dataclass(frozen=True)
class Permission:
    """An application permission. Source of the ids: microsoft-graph-devx-content, permissions-descriptions.json."""

    value: str
    id: str | None
    """The id of the app role; None if Microsoft does not publish it. The deployment then looks it up by name."""
    allows: str
    without: str = ""
    """How the app works without the permission; empty if it is enough to set its rules to `off`."""
    wanted: str = ""
    """What needs the permission besides rules."""


READING: Final = (
    Permission(
        "User.Read.All",
        "df021288-bdef-4463-88db-98f22de89214",
        "read every user, also deleted ones, and their memberships",
        "-",
        "everything",
    ),
    Permission("Domain.Read.All", "dbb9058a-0e50-45d7-ae91-66909b5d4664", "read the tenant's domains"),
    Permission(
        "Policy.Read.All",
        "246dd0d5-5bd0-4def-940b-0421030a5b68",
        "read every policy, Conditional Access among them",
    ),
    Permission("Policy.Read.B2BManagementPolicy", None, "read the list of allowed and blocked domains"),
    Permission(
        "IdentityProvider.Read.All",
        "e321f0bb-e7f7-481e-bb28-e3b0b32d4bd0",
        "read identity providers and direct federations",
    ),
    Permission(
        "CrossTenantInformation.ReadBasic.All",
        "cac88765-0581-4025-9725-5ebc13f729ee",
        "look up which tenant owns a domain",
    ),
    Permission(
        "Group.Read.All",
        "5b567255-7703-4780-807c-7be8301ae99b",
        "read every group with members, and what Microsoft 365 groups hold",
    ),
    Permission(
        "OrgContact.Read.All",
        "e1a88a34-94c4-4418-be12-c87b00e26bea",
        "read organisational contacts",
        "that rule `off`: not advised",
    ),
    Permission(
        "RoleManagement.Read.Directory",
        "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
        "read role assignments, active and eligible",
        "that rule `off`: not advised",
    ),
)
WRITING: Final = (
    Permission(
        INVITE,
        "09850681-111b-4a89-9bed-3f2cae46d706",
        "invite anyone, including existing accounts",
        "stay in `assess`",
        "the conversion",
    ),
    Permission(
        CHANGE_USERS,
        "741f803b-c850-494e-b5df-cde7c675a1ca",
        "change every user's profile, except of administrators' sensitive properties",
        "`grantUserReadWrite=false`, and try",
        "perhaps the conversion: undocumented",
    ),
)
"""Needed in `convert` only."""
COMPARING: Final = (
    Permission(
        "Directory.Read.All",
        "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
        "read everything in the directory: users, groups, applications and what each may do",
        "`B2B_COMPARE_ACCESS=false`, or do not grant it: the app then does not compare app roles, and `verified` says "
        "so",
        "the comparison of app roles after redemption",
    ),
)
"""Needed in `convert` only, with `B2B_COMPARE_ACCESS`."""
AUDITING: Final = (
    Permission(
        "AuditLog.Read.All",
        "b0afded3-3588-46d8-8b3d-9842eff778da",
        "read the audit log and the sign-in logs of the tenant",
        "`B2B_READ_AUDIT_LOG=false`, the default: the app then judges by the account's identities alone",
        "finding out who redeemed, if the account's identities do not show it",
    ),
)
"""Needed in `convert` only, with `B2B_READ_AUDIT_LOG`."""


def rules_that_want(permission: Permission) -> tuple[Rule, ...]:
    """Return the rules whose facts a permission reads; empty if all rules need that permission."""
    if permission.value == facts.ACCOUNT.permission:
        return ()
    return tuple(rule for rule in RULES if any(fact.permission == permission.value for fact in rule.needs))


@dataclass(frozen=True)
class Comparison:
    """The roles that a token lacks, and the roles that it holds without need. Both are sorted by name."""

    missing: tuple[str, ...]
    surplus: tuple[str, ...]


def compare(
    roles: frozenset[str],
    profile: Profile,
    overrides: Mapping[str, Severity],
    *,
    converts: bool,
    compares: bool = False,
    audits: bool = False,
) -> Comparison:
    """Compare a token's roles with those that the rules in force need and, if the app ``converts``, inviting needs.

    ``compares``: the app also reads what the directory grants an account, before invitation and after redemption.
    ``audits``: the app also reads the audit log to find out who redeemed.
    """
    needed = {facts.ACCOUNT, *needed_facts(profile, overrides), *(FACTS if compares else ())}
    needed |= {facts.REDEMPTIONS} if audits else set()
    read = [fact for fact in needed if fact.permission]
    wanted = {fact.permission for fact in read} | ({INVITE} if converts else set())
    allowed = wanted | ({CHANGE_USERS} if converts else set())
    missing = {fact.permission for fact in read if not roles & {fact.permission, *fact.wider}}
    return Comparison(tuple(sorted(missing | (wanted & {INVITE} - roles))), tuple(sorted(roles - allowed)))
