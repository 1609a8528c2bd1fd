"""What the rules need to know, where it comes from and which permission reads it."""

from dataclasses import dataclass, field
from enum import StrEnum

from b2b.domain.account import Account
from b2b.domain.findings import Profile
from b2b.domain.request import ConversionRequest
from b2b.domain.tenant import Tenant


class Fact(StrEnum):
    """One thing to read. A rule that is off does not ask for its facts: that is how to do without a permission."""

    ACCOUNT = "account"
    DELETED_ACCOUNT = "deleted account"
    MEMBERSHIPS = "memberships"
    GROUP_DETAILS = "role-assignable groups"
    ROLE_ASSIGNMENTS = "role assignments"
    ROLE_ELIGIBILITIES = "role eligibilities"
    USERS_WITH_ADDRESS = "users with the address"
    DELETED_WITH_ADDRESS = "deleted users with the address"
    GROUPS_WITH_ADDRESS = "groups with the address"
    CONTACTS_WITH_ADDRESS = "contacts with the address"
    HOME_TENANT = "home tenant of the address"
    RESERVATION = "conversion that holds the address"
    DOMAINS = "own domains"
    FEDERATIONS = "direct federations"
    INVITATION_POLICY = "invitation policy"
    CROSS_TENANT_ACCESS = "cross-tenant access"
    DOMAIN_LIST = "allowed and blocked domains"


PERMISSIONS: dict[Fact, str] = {
    Fact.ACCOUNT: "User.Read.All",
    Fact.DELETED_ACCOUNT: "User.Read.All",
    Fact.MEMBERSHIPS: "User.Read.All",
    Fact.GROUP_DETAILS: "Group.Read.All",
    Fact.ROLE_ASSIGNMENTS: "RoleManagement.Read.Directory",
    Fact.ROLE_ELIGIBILITIES: "RoleManagement.Read.Directory",
    Fact.USERS_WITH_ADDRESS: "User.Read.All",
    Fact.DELETED_WITH_ADDRESS: "User.Read.All",
    Fact.GROUPS_WITH_ADDRESS: "Group.Read.All",
    Fact.CONTACTS_WITH_ADDRESS: "OrgContact.Read.All",
    Fact.HOME_TENANT: "CrossTenantInformation.ReadBasic.All",
    Fact.DOMAINS: "Domain.Read.All",
    Fact.FEDERATIONS: "IdentityProvider.Read.All",
    Fact.INVITATION_POLICY: "Policy.Read.All",
    Fact.CROSS_TENANT_ACCESS: "Policy.Read.All",
    Fact.DOMAIN_LIST: "Policy.Read.B2BManagementPolicy",
}
"""The application permission that reads a fact, the smallest set for all together: eligible roles alone would need
less, but the permission for the active ones reads both (microsoftgraph/microsoft-graph-devx-content, permissions.json).
A reservation is our own row and needs none."""

TENANT_FACTS = frozenset(
    {Fact.DOMAINS, Fact.FEDERATIONS, Fact.INVITATION_POLICY, Fact.CROSS_TENANT_ACCESS, Fact.DOMAIN_LIST}
)
ACCOUNT_FACTS = frozenset({Fact.MEMBERSHIPS, Fact.GROUP_DETAILS, Fact.ROLE_ASSIGNMENTS, Fact.ROLE_ELIGIBILITIES})
ADDRESS_FACTS = frozenset(
    {
        Fact.USERS_WITH_ADDRESS,
        Fact.DELETED_WITH_ADDRESS,
        Fact.GROUPS_WITH_ADDRESS,
        Fact.CONTACTS_WITH_ADDRESS,
        Fact.HOME_TENANT,
        Fact.RESERVATION,
    }
)


@dataclass(frozen=True)
class Roles:
    """What makes an account privileged: role and group names or ids, for a person to look at."""

    active: tuple[str, ...] = ()
    eligible: tuple[str, ...] = ()
    role_assignable_groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One request and all that was read about it. What could not be read is empty here and named in `unreadable`."""

    request: ConversionRequest
    profile: Profile
    tenant: Tenant = field(default_factory=Tenant)
    account: Account | None = None
    candidates: int = 0
    """How many accounts the request's selector named: 1 when it is clear."""
    deleted: bool = False
    """The account is not there, but lies in the recycle bin."""
    address: str | None = None
    send_message: bool = True
    sign_in: str = ""
    groups: frozenset[str] = frozenset()
    roles: Roles = Roles()
    excluded_group: str | None = None
    holders: tuple[str, ...] = ()
    """Other users, also deleted ones, that hold the address: object ids."""
    holding_groups: tuple[str, ...] = ()
    holding_contacts: tuple[str, ...] = ()
    reserved_for: str | None = None
    """The other account whose conversion is under way with the same address."""
    home_tenant: str | None = None
    unreadable: frozenset[Fact] = frozenset()

    @property
    def synced(self) -> bool:
        """Tell whether the account is there and synchronised from Active Directory."""
        return self.account is not None and self.account.synced

    @property
    def domain(self) -> str:
        """The domain of the invited address, lower case."""
        return (self.address or "").rpartition("@")[2].lower()
