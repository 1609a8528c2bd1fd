"""The table of facts that the rules and the comparison after a redemption need.

Sources of the permissions: microsoftgraph/microsoft-graph-devx-content, permissions.json, and the permissions table on
the page of each call in https://learn.microsoft.com/graph/api. Together, the permissions are the smallest set. A
narrower permission reads eligible roles alone, but the permission for active roles reads both.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import msgspec

from b2b.domain.account import SELECT, Account
from b2b.domain.eligibility import answers
from b2b.domain.eligibility.fact import About, Ask, Bodies, Fact
from b2b.domain.eligibility.tenant import CrossTenantAccess, DomainList, Domains
from b2b.domain.readings import Logged, Memberships
from b2b.domain.request.model import InvitedUser

CHANGE_USERS = "User.ReadWrite.All"
_DIRECTORY = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})
_USERS = _DIRECTORY | {CHANGE_USERS}
_GROUPS = _DIRECTORY | {"Group.ReadWrite.All"}
_ROLES = frozenset({"RoleManagement.ReadWrite.Directory", "RoleManagement.Read.All"})

_HOLDS = (
    "mail eq '{address}' or proxyAddresses/any(p:p eq 'SMTP:{address}') or proxyAddresses/any(p:p eq 'smtp:{address}')"
)
"""Graph compares the prefix of `proxyAddresses` by case. The primary address has SMTP, the others have smtp."""
_USER_HOLDS = _HOLDS + " or userPrincipalName eq '{address}' or otherMails/any(o:o eq '{address}')"
_IS_MAIL = "mail eq '{mail}' or otherMails/any(o:o eq '{mail}')"
_OF_ACCOUNT = "principalId eq '{account}'"
LARGEST_PAGE = 999
AskedAbout = InvitedUser | str | tuple[str, ...] | None
"""The subject of a question: an account by one of its names, a text, several ids, or the tenant (None)."""


def _belonging(
    name: str,
    relation: str,
    read: Callable[[Bodies], Mapping[str, str]],
    permission: str = "User.Read.All",
    wider: frozenset[str] = _USERS,
    select: tuple[str, ...] = ("id", "displayName"),
    top: int = LARGEST_PAGE,
) -> Fact[Mapping[str, str]]:
    """Return a fact about the objects in a relation of an account: their ids, and the names that the app may read."""
    ask = Ask(f"/users/{{account}}/{relation}", select, top=top)
    nothing: Mapping[str, str] = MappingProxyType({})
    return Fact(name, About.ACCOUNT, nothing, permission, wider, (ask,), read, may_be_absent=True)


ACCOUNT: Final = Fact[tuple[Account, ...]](
    "account",
    About.SELECTOR,
    (),
    "User.Read.All",
    _USERS,
    (
        Ask("/users/{id}", SELECT),
        Ask("/users/{userPrincipalName}", SELECT),
        Ask("/users('{dollarName}')", SELECT),
        Ask("/users", SELECT, _IS_MAIL),
    ),
    answers.accounts,
    may_be_absent=True,
)
DELETED_ACCOUNT: Final = Fact[bool](
    "deleted account",
    About.ACCOUNT,
    default=False,
    permission="User.Read.All",
    wider=_USERS,
    asks=(Ask("/directory/deletedItems/{account}"),),
    read=lambda _bodies: True,
    may_be_absent=True,
)
MEMBERSHIPS: Final = Fact[Memberships](
    "memberships",
    About.ACCOUNT,
    Memberships(),
    "User.Read.All",
    _USERS,
    (
        Ask(
            "/users/{account}/transitiveMemberOf",
            ("id", "displayName", "isAssignableToRole", "roleTemplateId"),
            top=LARGEST_PAGE,
        ),
    ),
    answers.memberships,
    may_be_absent=True,
)
GROUP_DETAILS: Final = Fact[tuple[str, ...]](
    "role-assignable groups",
    About.ACCOUNT,
    (),
    "Group.Read.All",
    _GROUPS,
    read=answers.role_assignable,
    comes_with=MEMBERSHIPS,
    may_be_absent=True,
)
ROLE_ASSIGNMENTS: Final = Fact[tuple[str, ...]](
    "role assignments",
    About.ACCOUNT,
    (),
    "RoleManagement.Read.Directory",
    _ROLES | _DIRECTORY,
    (Ask("/roleManagement/directory/roleAssignments", filter=_OF_ACCOUNT),),
    answers.role_ids,
    may_be_absent=True,
)
ROLE_ELIGIBILITIES: Final = Fact[tuple[str, ...]](
    "role eligibilities",
    About.ACCOUNT,
    (),
    "RoleManagement.Read.Directory",
    _ROLES,
    (Ask("/roleManagement/directory/roleEligibilitySchedules", filter=_OF_ACCOUNT),),
    answers.role_ids,
    may_be_absent=True,
    licensed=True,
)
USERS_WITH_ADDRESS: Final = Fact[tuple[str, ...]](
    "users with the address",
    About.ADDRESS,
    (),
    "User.Read.All",
    _USERS,
    (Ask("/users", ("id",), _USER_HOLDS),),
    answers.ids,
)
DELETED_WITH_ADDRESS: Final = Fact[tuple[str, ...]](
    "deleted users with the address",
    About.ADDRESS,
    (),
    "User.Read.All",
    _USERS,
    (Ask("/directory/deletedItems/graph.user", ("id",), _USER_HOLDS, advanced=True),),
    answers.ids,
)
GROUPS_WITH_ADDRESS: Final = Fact[tuple[str, ...]](
    "groups with the address",
    About.ADDRESS,
    (),
    "Group.Read.All",
    _GROUPS,
    (Ask("/groups", ("id",), _HOLDS),),
    answers.ids,
)
CONTACTS_WITH_ADDRESS: Final = Fact[tuple[str, ...]](
    "contacts with the address",
    About.ADDRESS,
    (),
    "OrgContact.Read.All",
    _DIRECTORY,
    (Ask("/contacts", ("id",), _HOLDS),),
    answers.ids,
)
COLLEAGUES: Final = Fact[Mapping[str, int]](
    "addresses of the company",
    About.COMPANY,
    MappingProxyType({}),
    "User.Read.All",
    _USERS,
    (Ask("/users", ("id", "mail"), "companyName eq '{company}'", top=LARGEST_PAGE, advanced=True),),
    answers.domains_of_mail,
)
"""The domains in the `mail` of accounts with the same `companyName`, and how many accounts each domain has."""
SPONSORING_USERS: Final = Fact[Mapping[str, bool]](
    "users among the sponsors",
    About.SPONSORS,
    MappingProxyType({}),
    "User.Read.All",
    _USERS,
    (Ask("/users", ("id", "accountEnabled"), "id in ({sponsors})"),),
    answers.enabled_users,
)
"""The sponsors in the request that are users, and whether each may sign in."""
SPONSORING_GROUPS: Final = Fact[tuple[str, ...]](
    "groups among the sponsors",
    About.SPONSORS,
    (),
    "Group.Read.All",
    _GROUPS,
    (Ask("/groups", ("id",), "id in ({sponsors})"),),
    answers.ids,
)
HOME_TENANT: Final = Fact[str | None](
    "home tenant of the address",
    About.DOMAIN,
    None,
    "CrossTenantInformation.ReadBasic.All",
    asks=(Ask("/tenantRelationships/findTenantInformationByDomainName(domainName='{domain}')"),),
    read=answers.tenant_id,
    may_be_absent=True,
)
DOMAINS: Final = Fact[Domains](
    "own domains",
    About.TENANT,
    Domains(),
    "Domain.Read.All",
    _DIRECTORY | {"Domain.ReadWrite.All"},
    (Ask("/domains", ("id", "isVerified", "authenticationType")),),
    answers.domains,
)
FEDERATIONS: Final = Fact[frozenset[str]](
    "direct federations",
    About.TENANT,
    frozenset(),
    "IdentityProvider.Read.All",
    frozenset({"IdentityProvider.ReadWrite.All"}),
    (Ask("/directory/federationConfigurations/microsoft.graph.samlOrWsFedExternalDomainFederation", expand="domains"),),
    answers.federations,
)
INVITATION_POLICY: Final = Fact[str](
    "invitation policy",
    About.TENANT,
    "",
    "Policy.Read.All",
    frozenset({"Policy.ReadWrite.Authorization"}),
    (Ask("/policies/authorizationPolicy"),),
    answers.invites_from,
)
CROSS_TENANT_ACCESS: Final = Fact[CrossTenantAccess](
    "cross-tenant access",
    About.TENANT,
    CrossTenantAccess(),
    "Policy.Read.All",
    frozenset({"Policy.ReadWrite.CrossTenantAccess"}),
    (Ask("/policies/crossTenantAccessPolicy/default"), Ask("/policies/crossTenantAccessPolicy/partners")),
    answers.cross_tenant_access,
)
DOMAIN_LIST: Final = Fact[DomainList](
    "allowed and blocked domains",
    About.TENANT,
    DomainList(),
    "Policy.Read.B2BManagementPolicy",
    frozenset({"Policy.ReadWrite.B2BManagementPolicy"}),
    (Ask("/policies/b2bManagementPolicies", beta=True),),
    answers.domain_list,
)
DIRECT_GROUPS: Final = _belonging("direct groups", "memberOf", answers.named_groups)
APP_ROLES: Final = _belonging(
    "app roles",
    "appRoleAssignments",
    answers.app_roles,
    "Directory.Read.All",
    frozenset({"AppRoleAssignment.ReadWrite.All", "Directory.ReadWrite.All"}),
    ("appRoleId", "resourceId", "resourceDisplayName"),
)
MANAGER: Final = replace(_belonging("manager", "manager", answers.one_named, top=0), optional=True)
SPONSORS: Final = _belonging("sponsors", "sponsors", answers.named, top=0)
OWNED_OBJECTS: Final = _belonging("owned objects", "ownedObjects", answers.named)
REGISTERED_DEVICES: Final = _belonging("registered devices", "registeredDevices", answers.named)
REDEMPTIONS: Final = Fact[Mapping[str, Logged]](
    "redemptions in the audit log",
    About.SINCE,
    MappingProxyType({}),
    "AuditLog.Read.All",
    asks=(
        Ask(
            "/auditLogs/directoryAudits",
            filter="activityDisplayName eq 'Redeem external user invite' and activityDateTime ge {since}",
            top=LARGEST_PAGE,
        ),
    ),
    read=answers.redemptions,
)
RESERVATION: Final = Fact[str | None]("conversion that holds the address", About.LEDGER, None)
"""The object id of another account that is being converted with the same address."""

FACTS: Final[tuple[Fact[Any], ...]] = tuple(row for row in vars().values() if isinstance(row, Fact))
"""All facts, in the order of this module."""


def selector(user: InvitedUser) -> dict[str, str]:
    """Return the placeholder that selects an account, and its value.

    Graph refuses a name that begins with a dollar sign in the path of /users, unless the name is in parentheses and
    quotes (https://learn.microsoft.com/graph/api/user-get).
    """
    name = user.user_principal_name
    if name is not None and name.startswith("$"):
        return {"dollarName": name}
    return dict(msgspec.to_builtins(user))


def facts_about(*about: About) -> frozenset[Fact[Any]]:
    """Return the facts about these subjects that do not come with another fact's answers."""
    return frozenset(fact for fact in FACTS if fact.about in about and fact.comes_with is None)
