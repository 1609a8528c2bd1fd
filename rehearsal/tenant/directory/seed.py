"""Build the state of a tenant from a seed, which is a JSON-compatible dict in the shape of the sample data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from rehearsal.tenant.clock import Clock
from rehearsal.tenant.directory import policies
from rehearsal.tenant.directory.addresses import AddressIndex
from rehearsal.tenant.directory.schema import (
    APP_ROLE_ASSIGNMENT,
    B2B_POLICY,
    DEVICE,
    DIRECTORY_OBJECTS,
    DIRECTORY_ROLE,
    DOMAIN,
    FEDERATION,
    GROUP,
    ORG_CONTACT,
    ORGANIZATION,
    ROLE_ASSIGNMENT,
    ROLE_ELIGIBILITY,
    USER,
    ResourceType,
    words,
)
from rehearsal.tenant.directory.store import JSON, Directory

CREATED = "2021-02-03T09:00:00Z"
"""The createdDateTime of objects to which the seed gives none: long ago, so that no account counts as new."""

KEYS = words(
    "tenantId displayName domains authorizationPolicy samlOrWsFedDomains crossTenantAccessPolicy b2bManagementPolicy",
    "homeTenants users deletedUsers groups directoryRoles roleAssignments roleEligibilitySchedules contacts",
    "appRoleAssignments subscribedSkus managers sponsors ownedObjects registeredDevices",
)


@dataclass(frozen=True, slots=True)
class Policies:
    """Everything in the tenant that is not a directory object."""

    tenant_id: str
    organization: JSON
    domains: list[JSON]
    authorization: JSON
    federations: list[JSON]
    cross_tenant: JSON
    b2b_management: list[JSON]
    home_tenants: dict[str, str]
    lists: JSON
    subscriptions: list[JSON]

    @property
    def initial_domain(self) -> str:
        """The tenant's `onmicrosoft.com` domain. New guests get their `#EXT#` names in it."""
        return str(next((d["id"] for d in self.domains if d["isInitial"]), self.domains[0]["id"]))

    @property
    def verified_domains(self) -> list[str]:
        """The names of the verified domains, in lower case."""
        return [domain["id"].lower() for domain in self.domains if domain["isVerified"]]


def check(seed: Mapping[str, Any]) -> None:
    """Raise ValueError if the seed has an unknown key, or if one of the two required keys is missing."""
    unknown = seed.keys() - KEYS
    if unknown:
        raise ValueError(f"the seed has unknown keys: {', '.join(sorted(unknown))}")
    for required in ("tenantId", "domains"):
        if not seed.get(required):
            raise ValueError(f"the seed needs {required}")


def tenant_policies(seed: Mapping[str, Any]) -> Policies:
    """Return the domains, federation and policies of a seed."""
    domains = [_domain(domain) for domain in seed["domains"]]
    cross_tenant = seed.get("crossTenantAccessPolicy") or {}
    lists = seed.get("b2bManagementPolicy")
    return Policies(
        tenant_id=seed["tenantId"],
        organization=_organization(seed, domains),
        domains=domains,
        authorization=policies.AUTHORIZATION_POLICY | dict(seed.get("authorizationPolicy") or {}),
        federations=[_federation(name) for name in seed.get("samlOrWsFedDomains") or ()],
        cross_tenant={
            "default": policies.CROSS_TENANT_DEFAULT | dict(cross_tenant.get("default") or {}),
            "partners": [policies.CROSS_TENANT_PARTNER | dict(p) for p in cross_tenant.get("partners") or ()],
        },
        b2b_management=[] if lists is None else [B2B_POLICY.complete(policies.b2b_management_policy(lists))],
        home_tenants={name.lower(): tenant for name, tenant in (seed.get("homeTenants") or {}).items()},
        lists=dict(lists or {}),
        subscriptions=[policies.subscription(sku) for sku in seed.get("subscribedSkus") or ()],
    )


def directory(seed: Mapping[str, Any], clock: Clock) -> Directory:
    """Return the directory of a seed: its objects, memberships and assignments."""
    deleted = ({"deletedDateTime": clock.stamp()} | dict(user) for user in seed.get("deletedUsers") or ())
    users = _by_id(_user(user) for user in seed.get("users") or ())
    deleted_users = _by_id(_user(user) for user in deleted)
    made = Directory(clock, users, deleted_users, index=AddressIndex.of(users, deleted_users))
    made.groups = _by_id(_container(group, GROUP, _GROUP_DEFAULTS) for group in seed.get("groups") or ())
    made.roles = _by_id(_container(role, DIRECTORY_ROLE, {}) for role in seed.get("directoryRoles") or ())
    made.contacts = _by_id(ORG_CONTACT.complete(contact) for contact in seed.get("contacts") or ())
    for container in [*(seed.get("groups") or ()), *(seed.get("directoryRoles") or ())]:
        for member in container.get("members", ()):
            made.parents[member.lower()].append(container["id"].lower())
    made.role_assignments = [_assignment(a, seed["tenantId"]) for a in seed.get("roleAssignments") or ()]
    _mirror_roles(made, seed)
    made.role_eligibilities = [_eligibility(e) for e in seed.get("roleEligibilitySchedules") or ()]
    made.app_role_assignments = {
        user_id.lower(): [_app_role_assignment(a, user_id, made) for a in assignments]
        for user_id, assignments in (seed.get("appRoleAssignments") or {}).items()
    }
    made.managers = {key.lower(): manager.lower() for key, manager in (seed.get("managers") or {}).items()}
    made.sponsors = {key.lower(): [each.lower() for each in ids] for key, ids in (seed.get("sponsors") or {}).items()}
    made.owned_objects = {
        key.lower(): [_owned(each, made) for each in things] for key, things in (seed.get("ownedObjects") or {}).items()
    }
    made.registered_devices = {
        key.lower(): [{"type": "device", "object": DEVICE.complete(each)} for each in devices]
        for key, devices in (seed.get("registeredDevices") or {}).items()
    }
    return made


_GROUP_DEFAULTS: JSON = {"createdDateTime": CREATED, "mailEnabled": False, "securityEnabled": True}


def _by_id(objects: Iterable[JSON]) -> dict[str, JSON]:
    result: dict[str, JSON] = {}
    for thing in objects:
        if thing["id"].lower() in result:
            raise ValueError(f"the seed has two objects with the id {thing['id']}")
        result[thing["id"].lower()] = thing
    return result


def _user(given: Mapping[str, Any]) -> JSON:
    upn = given["userPrincipalName"]
    local, _, domain = upn.partition("@")
    defaults = {
        "displayName": local,
        "mailNickname": local,
        "userType": "Member",
        "accountEnabled": True,
        "createdDateTime": CREATED,
        "lastPasswordChangeDateTime": CREATED,
        "signInSessionsValidFromDateTime": CREATED,
        "identities": [{"signInType": "userPrincipalName", "issuer": domain, "issuerAssignedId": upn}],
    }
    return USER.complete(defaults | dict(given))


def _container(given: Mapping[str, Any], resource: ResourceType, defaults: Mapping[str, Any]) -> JSON:
    return resource.complete(dict(defaults) | {name: value for name, value in given.items() if name != "members"})


def _domain(given: Mapping[str, Any]) -> JSON:
    defaults = {
        "authenticationType": "Managed",
        "isAdminManaged": True,
        "isDefault": False,
        "isInitial": False,
        "isRoot": True,
        "isVerified": True,
        "supportedServices": ["Email", "OfficeCommunicationsOnline"],
    }
    return DOMAIN.complete(defaults | dict(given))


def _organization(seed: Mapping[str, Any], domains: list[JSON]) -> JSON:
    verified = [
        {
            "name": domain["id"],
            "capabilities": "Email, OfficeCommunicationsOnline",
            "isDefault": domain["isDefault"],
            "isInitial": domain["isInitial"],
            "type": domain["authenticationType"],
        }
        for domain in domains
        if domain["isVerified"]
    ]
    return ORGANIZATION.complete(
        {
            "id": seed["tenantId"],
            "displayName": seed.get("displayName", "Contoso"),
            "createdDateTime": CREATED,
            "tenantType": "AAD",
            "verifiedDomains": verified,
        }
    )


def _federation(domain: str) -> JSON:
    made = {
        "id": str(uuid5(NAMESPACE_URL, f"https://{domain}/federation")),
        "displayName": domain,
        "issuerUri": f"https://{domain}/adfs/services/trust",
        "passiveSignInUri": f"https://{domain}/adfs/ls/",
        "preferredAuthenticationProtocol": "saml",
        "signingCertificate": "MIIC6DCCAdCgAwIBAgIQQ6vYJIVKQ",
    }
    return FEDERATION.complete(made) | {"domains": [{"id": domain}]}


def _assignment(given: Mapping[str, Any], tenant_id: str) -> JSON:
    return ROLE_ASSIGNMENT.complete({"directoryScopeId": "/", "principalOrganizationId": tenant_id} | dict(given))


def _mirror_roles(made: Directory, seed: Mapping[str, Any]) -> None:
    """Add what a seed omits of a tenant-wide role: Graph shows it both as a membership and as an assignment."""
    role_ids = {role["roleTemplateId"]: key for key, role in made.roles.items()}
    wide = [
        (a["principalId"].lower(), a["roleDefinitionId"]) for a in made.role_assignments if a["directoryScopeId"] == "/"
    ]
    for principal, template in wide:
        role_id = role_ids.get(template)
        if role_id and role_id not in made.parents[principal]:
            made.parents[principal].append(role_id)
    for role in seed.get("directoryRoles") or ():
        for member in role.get("members", ()):
            if (member.lower(), role["roleTemplateId"]) not in wide:
                assignment = {
                    "id": str(uuid5(NAMESPACE_URL, f"{role['id']}/{member}")),
                    "principalId": member,
                    "roleDefinitionId": role["roleTemplateId"],
                }
                made.role_assignments.append(_assignment(assignment, seed["tenantId"]))


def _eligibility(given: Mapping[str, Any]) -> JSON:
    forever = {"type": "noExpiration", "endDateTime": None, "duration": None}
    defaults = {
        "directoryScopeId": "/",
        "createdUsing": given["id"],
        "createdDateTime": CREATED,
        "memberType": "Direct",
        "status": "Provisioned",
        "scheduleInfo": {"startDateTime": CREATED, "recurrence": None, "expiration": forever},
    }
    return ROLE_ELIGIBILITY.complete(defaults | dict(given))


def _owned(given: Mapping[str, Any], made: Directory) -> JSON:
    """Return an object that a user owns. A seed gives a group by its id alone, any other object with its `type`."""
    if "type" not in given:
        return {"type": "group", "object": made.groups[given["id"].lower()]}
    properties = {name: value for name, value in given.items() if name != "type"}
    return {"type": given["type"], "object": DIRECTORY_OBJECTS[given["type"]].complete(properties)}


def _app_role_assignment(given: Mapping[str, Any], user_id: str, made: Directory) -> JSON:
    key = user_id.lower()
    holder = made.users.get(key) or made.deleted_users.get(key) or made.groups.get(key) or {}
    defaults = {
        "createdDateTime": CREATED,
        "principalDisplayName": holder.get("displayName"),
        "principalId": user_id,
        "principalType": "Group" if key in made.groups else "User",
    }
    return APP_ROLE_ASSIGNMENT.complete(defaults | dict(given))
