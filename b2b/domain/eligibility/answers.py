"""Turn Graph's answers to the questions in `facts` into values."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from b2b.domain.account import Account, from_graph
from b2b.domain.eligibility.fact import Bodies
from b2b.domain.eligibility.tenant import CrossTenantAccess, DomainList, Domains
from b2b.domain.readings import Logged, Memberships, NotReadable


def accounts(bodies: Bodies) -> tuple[Account, ...]:
    """Return the accounts in the answers, each of which is a collection or a single user."""
    return tuple(from_graph(user) for user in bodies[0].get("value", bodies))


def memberships(bodies: Bodies) -> Memberships:
    """Return the groups and directory roles of an account."""
    members = bodies[0]["value"]
    return Memberships(
        groups=frozenset(group["id"].lower() for group in _groups(bodies)),
        roles=tuple(
            item.get("displayName") or item["id"] for item in members if item["@odata.type"].endswith(".directoryRole")
        ),
    )


def role_assignable(bodies: Bodies) -> tuple[str, ...] | NotReadable:
    """Return the ids of the role-assignable groups.

    Without the permission, Graph returns the groups without their properties, so the result is `NotReadable`.
    """
    groups = _groups(bodies)
    if any(group.get("displayName") is None for group in groups):
        return NotReadable()
    return tuple(group["id"] for group in groups if group.get("isAssignableToRole"))


def _groups(bodies: Bodies) -> list[dict[str, Any]]:
    return [item for item in bodies[0]["value"] if item["@odata.type"].endswith(".group")]


def ids(bodies: Bodies) -> tuple[str, ...]:
    """Return the object ids of a collection, in lower case."""
    return tuple(item["id"].lower() for item in bodies[0]["value"])


def named(bodies: Bodies) -> Mapping[str, str]:
    """Return the ids and names in a collection. The name is empty if the app may not read the object."""
    return {item["id"].lower(): item.get("displayName") or "" for item in bodies[0]["value"]}


def named_groups(bodies: Bodies) -> Mapping[str, str]:
    """Return the ids and names of the groups in a collection."""
    return named([{"value": _groups(bodies)}])


def one_named(bodies: Bodies) -> Mapping[str, str]:
    """Return the id and name of a single object."""
    return named([{"value": bodies}])


def app_roles(bodies: Bodies) -> Mapping[str, str]:
    """Return the app roles of an account. The key is the application's id and the role's id."""
    return {
        f"{item['resourceId']}/{item['appRoleId']}".lower(): item.get("resourceDisplayName") or ""
        for item in bodies[0]["value"]
    }


def enabled_users(bodies: Bodies) -> Mapping[str, bool]:
    """Return users by object id in lower case, and whether each may sign in: yes, unless Graph says no."""
    return {item["id"].lower(): item.get("accountEnabled") is not False for item in bodies[0]["value"]}


def role_ids(bodies: Bodies) -> tuple[str, ...]:
    """Return the role ids of assignments or eligibilities."""
    return tuple(sorted({item["roleDefinitionId"] for item in bodies[0]["value"]}))


def domains_of_mail(bodies: Bodies) -> Mapping[str, int]:
    """Return how many addresses each domain has."""
    mails = [str(item.get("mail") or "") for item in bodies[0]["value"]]
    return Counter(mail.rpartition("@")[2].lower() for mail in mails if mail)


def redemptions(bodies: Bodies) -> Mapping[str, Logged]:
    """Return the newest redemption of each account in the audit log, by object id in lower case."""
    found: dict[str, Logged] = {}
    for record in sorted(bodies[0]["value"], key=lambda each: str(each["activityDateTime"])):
        user = (record.get("initiatedBy") or {}).get("user") or {}
        logged = Logged(datetime.fromisoformat(record["activityDateTime"]), user.get("userPrincipalName") or "")
        found |= {str(each["id"]).lower(): logged for each in record.get("targetResources") or () if each.get("id")}
    return found


def tenant_id(bodies: Bodies) -> str | None:
    """Return the id of the tenant that owns a domain."""
    tenant_id: str = bodies[0]["tenantId"]
    return tenant_id.lower()


def domains(bodies: Bodies) -> Domains:
    """Return the verified and the federated domains of this tenant."""
    domains = bodies[0]["value"]
    return Domains(
        verified=frozenset(domain["id"].lower() for domain in domains if domain["isVerified"]),
        federated=frozenset(domain["id"].lower() for domain in domains if domain["authenticationType"] == "Federated"),
    )


def federations(bodies: Bodies) -> frozenset[str]:
    """Return the partner domains that federate with SAML or WS-Fed."""
    return frozenset(domain["id"].lower() for item in bodies[0]["value"] for domain in item.get("domains") or ())


def invites_from(bodies: Bodies) -> str:
    """Return `allowInvitesFrom`, which says who may invite."""
    allowed: str = bodies[0]["allowInvitesFrom"]
    return allowed


def cross_tenant_access(bodies: Bodies) -> CrossTenantAccess:
    """Return the inbound settings: the default, and those of each partner tenant."""
    default, partners = bodies
    return CrossTenantAccess(
        default.get("b2bCollaborationInbound") or {},
        {
            partner["tenantId"].lower(): partner["b2bCollaborationInbound"]
            for partner in partners["value"]
            if partner.get("b2bCollaborationInbound")
        },
    )


def domain_list(bodies: Bodies) -> DomainList:
    """Return the allowed and blocked domains, which the default policy holds as JSON text in `definition[0]`."""
    default = next((policy for policy in bodies[0]["value"] if policy.get("isOrganizationDefault")), None)
    if default is None or not default.get("definition"):
        return DomainList()
    definition = json.loads(default["definition"][0])
    lists = definition.get("B2BManagementPolicy", {}).get("InvitationsAllowedAndBlockedDomainsPolicy") or {}
    return DomainList(
        *(frozenset(map(str.lower, lists.get(name) or ())) for name in ("AllowedDomains", "BlockedDomains"))
    )
