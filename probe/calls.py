"""The table of all calls to Graph that the probe can make, with the least privileged application permission for each.

The client makes only calls from this table. So the probe can tell which permissions a set of questions needs before it
makes the first call. Source: the permission tables of the Graph reference pages.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One operation. ``{name}`` in the template is filled in for each call. ``permission`` is None for a batch."""

    method: str
    template: str
    permission: str | None
    purpose: str
    version: str = "v1.0"

    @property
    def name(self) -> str:
        """The method and the template, for people to read."""
        return f"{self.method} /{self.version}{self.template}"


READ, WRITE, INVITE = "User.Read.All", "User.ReadWrite.All", "User.Invite.All"

DOMAINS = Call("GET", "/domains", "Domain.Read.All", "know the tenant's domains")
COUNT = Call("GET", "/users/$count", READ, "refuse a large tenant")
LIST_USERS = Call("GET", "/users", READ, "find left-over test accounts, and holders of an address")
READ_USER = Call("GET", "/users/{id}", READ, "see what became of a test account")
CREATE_USER = Call("POST", "/users", WRITE, "make a test account")
CHANGE_USER = Call("PATCH", "/users/{id}", WRITE, "mark a test account, to see how far replication is")
DELETE_USER = Call("DELETE", "/users/{id}", WRITE, "delete a test account")
LIST_DELETED = Call("GET", "/directory/deletedItems/microsoft.graph.user", READ, "find left-over test accounts")
READ_DELETED = Call("GET", "/directory/deletedItems/{id}", READ, "see a deleted test account")
PURGE_USER = Call("DELETE", "/directory/deletedItems/{id}", WRITE, "take a test account out of the recycle bin")
CREATE_INVITATION = Call("POST", "/invitations", INVITE, "invite a test account")
BATCH = Call("POST", "/$batch", None, "ask for several things at once")
SKUS = Call("GET", "/subscribedSkus", "LicenseAssignment.Read.All", "find a free licence with a mailbox")
ASSIGN_LICENCE = Call("POST", "/users/{id}/assignLicense", "LicenseAssignment.ReadWrite.All", "give a test account one")
AUTHORIZATION_POLICY = Call("GET", "/policies/authorizationPolicy", "Policy.Read.All", "know who may invite")
DOMAIN_LISTS = Call(
    "GET", "/policies/b2bManagementPolicies", "Policy.Read.B2BManagementPolicy", "find a blocked domain", "beta"
)
FEDERATIONS = Call(
    "GET",
    "/directory/federationConfigurations/graph.samlOrWsFedExternalDomainFederation",
    "IdentityProvider.Read.All",
    "see how identity providers of partners are shown",
)
ELIGIBLE_ROLES = Call(
    "GET",
    "/roleManagement/directory/roleEligibilitySchedules",
    "RoleEligibilitySchedule.Read.Directory",
    "see whether eligible roles can be listed",
)

_DIRECTORY_READ = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})
WIDER: Mapping[str, frozenset[str]] = {
    READ: _DIRECTORY_READ | {WRITE},
    WRITE: frozenset({"Directory.ReadWrite.All"}),
    "Domain.Read.All": _DIRECTORY_READ | {"Domain.ReadWrite.All"},
    "IdentityProvider.Read.All": frozenset({"IdentityProvider.ReadWrite.All"}),
    "LicenseAssignment.Read.All": _DIRECTORY_READ | {"LicenseAssignment.ReadWrite.All", "Organization.Read.All"},
    "LicenseAssignment.ReadWrite.All": frozenset({WRITE, "Directory.ReadWrite.All"}),
    "Policy.Read.B2BManagementPolicy": frozenset({"Policy.ReadWrite.B2BManagementPolicy"}),
    "RoleEligibilitySchedule.Read.Directory": frozenset(
        {"RoleManagement.Read.Directory", "RoleManagement.Read.All", "RoleManagement.ReadWrite.Directory"}
    ),
}
"""For a permission, the wider permissions that allow all that it allows."""


def opened(permission: str | None, held: Iterable[str]) -> bool:
    """Tell whether a token with the permissions ``held`` can make a call that needs ``permission``."""
    return permission is None or bool(({permission} | WIDER.get(permission, frozenset())) & set(held))


def smallest(calls: Iterable[Call]) -> tuple[str, ...]:
    """Return the smallest set of permissions that allows all these calls."""
    needed = {call.permission for call in calls if call.permission}
    return tuple(sorted(one for one in needed if not opened(one, needed - {one})))
