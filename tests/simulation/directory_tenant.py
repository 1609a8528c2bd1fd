"""The tenant apart from its accounts: domains, policies, groups, roles, contacts. Reads of these never lag."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]

TENANT_ID = "8a1f6a7e-2d5b-4a53-9a6e-0f3c2b1d4e5f"
PERMISSIONS = frozenset(
    {
        "User.Invite.All",
        "User.ReadWrite.All",
        "User.Read.All",
        "Domain.Read.All",
        "IdentityProvider.Read.All",
        "Policy.Read.All",
        "Policy.Read.B2BManagementPolicy",
        "RoleManagement.Read.Directory",
        "OrgContact.Read.All",
        "Group.Read.All",
        "CrossTenantInformation.ReadBasic.All",
        "Directory.Read.All",
    }
)
"""The application permissions that a converter needs."""
READWRITE = frozenset({"User.ReadWrite.All", "Directory.ReadWrite.All"})
DIRECTORY = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})
_USERS = frozenset({"User.Read.All", "User.ReadWrite.All"}) | DIRECTORY
_ELIGIBILITIES = frozenset({"RoleEligibilitySchedule.Read.Directory", "RoleEligibilitySchedule.ReadWrite.Directory"})
GROUPS = frozenset({"Group.Read.All", "Group.ReadWrite.All", "GroupMember.Read.All"}) | DIRECTORY
_ROLES = frozenset({"RoleManagement.Read.Directory", "RoleManagement.Read.All", "RoleManagement.ReadWrite.Directory"})
ROLES = _ROLES | DIRECTORY
_CROSS_TENANT = frozenset({"Policy.Read.All", "Policy.ReadWrite.CrossTenantAccess"})
NEEDED: Mapping[str, frozenset[str]] = {
    "user": _USERS,
    "users": _USERS,
    "memberships": _USERS,
    "direct groups": _USERS,
    "manager": _USERS,
    "sponsors": _USERS,
    "owned objects": _USERS,
    "registered devices": _USERS,
    "app roles": frozenset({"AppRoleAssignment.ReadWrite.All"}) | DIRECTORY,
    "deleted item": _USERS,
    "deleted users": _USERS,
    "groups": GROUPS,
    "contacts": frozenset({"OrgContact.Read.All"}) | DIRECTORY,
    "role assignments": ROLES,
    "role eligibilities": _ROLES | _ELIGIBILITIES,
    "domains": frozenset({"Domain.Read.All", "Domain.ReadWrite.All"}) | DIRECTORY,
    "federations": frozenset({"IdentityProvider.Read.All", "IdentityProvider.ReadWrite.All"}),
    "authorization policy": frozenset({"Policy.Read.All", "Policy.ReadWrite.Authorization"}),
    "cross-tenant default": _CROSS_TENANT,
    "cross-tenant partners": _CROSS_TENANT,
    "b2b policies": frozenset({"Policy.Read.B2BManagementPolicy", "Policy.ReadWrite.B2BManagementPolicy"}),
    "redemptions": frozenset({"AuditLog.Read.All"}),
    "home tenant": frozenset({"CrossTenantInformation.ReadBasic.All"}),
}
"""The permissions for each kind of read. Any one of a set is enough."""
GROUP = frozenset({"id", "displayName", "mail", "proxyAddresses", "isAssignableToRole"})
CONTACT = frozenset({"id", "displayName", "mail", "proxyAddresses"})
ROLE = frozenset({"id", "displayName", "roleTemplateId"})
APP_ROLE = frozenset({"appRoleId", "resourceId", "resourceDisplayName"})
ALL_USERS: JSON = {
    "usersAndGroups": {"accessType": "allowed", "targets": [{"target": "AllUsers", "targetType": "user"}]},
    "applications": {"accessType": "allowed", "targets": [{"target": "AllApplications", "targetType": "application"}]},
}
"""The default inbound policy for B2B collaboration in a new tenant."""


def _own_domains() -> list[JSON]:
    return [{"id": "contoso.com"}, {"id": "contoso.onmicrosoft.com", "isInitial": True}]


@dataclass(slots=True)
class TenantFacts:
    """The facts, as JSON with Graph's names. They may be changed at any time; members by `set_groups` and `set_roles`.

    A group or role may be given `members`: object ids of users and groups. `partners` are entries of the cross-tenant
    access policy. If `allowed_domains` and `blocked_domains` are both None, the tenant has no such policy.
    """

    tenant_id: str = TENANT_ID
    domains: list[JSON] = field(default_factory=_own_domains)
    federated_partners: list[str] = field(default_factory=list)
    home_tenants: dict[str, str] = field(default_factory=dict)
    allow_invites_from: str = "everyone"
    inbound: JSON = field(default_factory=lambda: ALL_USERS)
    partners: list[JSON] = field(default_factory=list)
    allowed_domains: list[str] | None = None
    blocked_domains: list[str] | None = None
    contacts: list[JSON] = field(default_factory=list)
    groups: list[JSON] = field(default_factory=list)
    roles: list[JSON] = field(default_factory=list)
    role_assignments: list[JSON] = field(default_factory=list)
    role_eligibilities: list[JSON] = field(default_factory=list)
    _containers: dict[str, tuple[str, JSON]] = field(default_factory=dict)
    _parents: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for kind, things, names in (("group", self.groups, GROUP), ("directoryRole", self.roles, ROLE)):
            for thing in things:
                key = thing["id"].lower()
                self._containers[key] = (kind, {name: thing.get(name) for name in names})
                for member in thing.get("members", ()):
                    self._parents[member.lower()].append(key)
        self._mirror_roles()

    @property
    def verified_domains(self) -> list[str]:
        """The names of the tenant's own domains, in lower case."""
        return [domain["id"].lower() for domain in self.domains if domain.get("isVerified", True)]

    @property
    def initial_domain(self) -> str:
        """The domain in which guests get their user principal names."""
        return str(next((d["id"] for d in self.domains if d.get("isInitial")), self.domains[0]["id"]))

    def excludes(self, domain: str) -> bool:
        """Tell whether the allow or deny list excludes a domain. An empty list excludes none."""
        allowed = {name.lower() for name in self.allowed_domains or ()}
        denied = {name.lower() for name in self.blocked_domains or ()}
        return domain in denied or bool(allowed and domain not in allowed)

    def inbound_for(self, partner: str) -> JSON:
        """Return the inbound policy for people of a partner: the entry for that partner, or else the default."""
        for entry in self.partners:
            if entry["tenantId"].lower() == partner.lower() and entry.get("b2bCollaborationInbound") is not None:
                return dict(entry["b2bCollaborationInbound"])
        return self.inbound

    def containers(self, principal: str) -> Iterator[tuple[str, JSON]]:
        """Yield each group and role that a principal is in, directly or nested, once: its kind and its properties."""
        seen: set[str] = set()
        waiting = list(self._parents.get(principal.lower(), ()))
        while waiting:
            container = waiting.pop(0)
            if container not in seen:
                seen.add(container)
                yield self._containers[container]
                waiting += self._parents.get(container, ())

    def direct(self, principal: str) -> list[str]:
        """Return the keys of the groups and roles that a principal is a direct member of."""
        return self._parents.get(principal.lower(), [])

    def has(self, key: str) -> bool:
        """Tell whether a group or role exists."""
        return key in self._containers

    def container(self, key: str) -> tuple[str, JSON]:
        """Return the kind and the properties of a group or role."""
        return self._containers[key]

    def set_groups(self, principal: str, groups: Collection[str]) -> None:
        """Set the groups that a principal is a direct member of, and create those that do not exist."""
        for group in groups:
            self._containers.setdefault(
                group.lower(), ("group", {**dict.fromkeys(GROUP), "id": group, "displayName": group})
            )
        self._join(principal, "group", [group.lower() for group in groups])

    def set_roles(self, principal: str, templates: Collection[str]) -> None:
        """Set the active, tenant-wide roles of a principal, by template id, and create those that do not exist."""
        roles = {role["roleTemplateId"]: key for key, (kind, role) in self._containers.items() if kind != "group"}
        for template in templates:
            key = roles.setdefault(template, template.lower())
            role = {"id": key, "displayName": template, "roleTemplateId": template}
            self._containers.setdefault(key, ("directoryRole", role))
        self._join(principal, "directoryRole", [roles[template] for template in templates])
        kept = [entry for entry in self.role_assignments if entry["principalId"].lower() != principal.lower()]
        self.role_assignments = [*kept, *(_assignment(principal, template) for template in templates)]

    def b2b_policy(self) -> list[JSON]:
        """Return the allow and deny list in the format of beta: JSON text inside a policy."""
        if self.allowed_domains is None and self.blocked_domains is None:
            return []
        lists = {"AllowedDomains": self.allowed_domains or [], "BlockedDomains": self.blocked_domains or []}
        definition = {"B2BManagementPolicy": {"InvitationsAllowedAndBlockedDomainsPolicy": lists}}
        return [{"isOrganizationDefault": True, "definition": [json.dumps(definition)]}]

    def _join(self, principal: str, kind: str, containers: list[str]) -> None:
        key = principal.lower()
        others = [container for container in self._parents[key] if self._containers[container][0] != kind]
        self._parents[key] = [*others, *containers]

    def _mirror_roles(self) -> None:
        """Complete each tenant-wide role: it is both a membership and an assignment, and either may be given."""
        ids = {role["roleTemplateId"]: role["id"].lower() for role in self.roles}
        wide = [
            (entry["principalId"].lower(), entry["roleDefinitionId"])
            for entry in self.role_assignments
            if entry.get("directoryScopeId", "/") == "/"
        ]
        for principal, template in wide:
            if template in ids and ids[template] not in self._parents[principal]:
                self._parents[principal].append(ids[template])
        for role in self.roles:
            for member in role.get("members", ()):
                if (member.lower(), role["roleTemplateId"]) not in wide:
                    self.role_assignments.append(_assignment(member, role["roleTemplateId"]))


def _assignment(principal: str, template: str) -> JSON:
    return {"principalId": principal, "roleDefinitionId": template, "directoryScopeId": "/"}
