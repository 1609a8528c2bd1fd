"""The app roles of Microsoft Graph that a configuration needs, against those that a token holds.

Source: microsoftgraph/microsoft-graph-devx-content, permissions.json, and the permission tables of each call's page in
https://learn.microsoft.com/graph/api.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from b2b.domain.eligibility import needed_facts
from b2b.domain.facts import PERMISSIONS, Fact
from b2b.domain.findings import Profile, Severity

INVITE = "User.Invite.All"
"""Invites; no wider role stands in for it (https://learn.microsoft.com/graph/api/invitation-post)."""
CHANGE_USERS = "User.ReadWrite.All"
"""Nothing documents whether converting an existing account needs it: allowed in `convert`, not asked for."""

_DIRECTORY = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})
_USERS = _DIRECTORY | {CHANGE_USERS}
_GROUPS = _DIRECTORY | {"Group.ReadWrite.All"}
_ROLES = frozenset({"RoleManagement.ReadWrite.Directory", "RoleManagement.Read.All"})
WIDER: dict[Fact, frozenset[str]] = {
    Fact.ACCOUNT: _USERS,
    Fact.DELETED_ACCOUNT: _USERS,
    Fact.MEMBERSHIPS: _USERS,
    Fact.GROUP_DETAILS: _GROUPS,
    Fact.ROLE_ASSIGNMENTS: _ROLES | _DIRECTORY,
    Fact.ROLE_ELIGIBILITIES: _ROLES,
    Fact.USERS_WITH_ADDRESS: _USERS,
    Fact.DELETED_WITH_ADDRESS: _USERS,
    Fact.GROUPS_WITH_ADDRESS: _GROUPS,
    Fact.CONTACTS_WITH_ADDRESS: _DIRECTORY,
    Fact.HOME_TENANT: frozenset(),
    Fact.DOMAINS: _DIRECTORY | {"Domain.ReadWrite.All"},
    Fact.FEDERATIONS: frozenset({"IdentityProvider.ReadWrite.All"}),
    Fact.INVITATION_POLICY: frozenset({"Policy.ReadWrite.Authorization"}),
    Fact.CROSS_TENANT_ACCESS: frozenset({"Policy.ReadWrite.CrossTenantAccess"}),
    Fact.DOMAIN_LIST: frozenset({"Policy.ReadWrite.B2BManagementPolicy"}),
}
"""Roles that read a fact, too, and allow more than the one that `PERMISSIONS` names."""


@dataclass(frozen=True)
class Comparison:
    """Roles that a token misses, and roles that it holds without need; both by name, in order."""

    missing: tuple[str, ...]
    surplus: tuple[str, ...]


def compare(
    roles: frozenset[str], profile: Profile, overrides: Mapping[str, Severity], *, converts: bool
) -> Comparison:
    """Compare a token's roles with what the rules in force read and, where the app ``converts``, with inviting."""
    facts = {Fact.ACCOUNT, *needed_facts(profile, overrides)} & PERMISSIONS.keys()
    wanted = {PERMISSIONS[fact] for fact in facts} | ({INVITE} if converts else set())
    allowed = wanted | ({CHANGE_USERS} if converts else set())
    missing = {PERMISSIONS[fact] for fact in facts if not roles & {PERMISSIONS[fact], *WIDER[fact]}}
    return Comparison(tuple(sorted(missing | (wanted & {INVITE} - roles))), tuple(sorted(roles - allowed)))
