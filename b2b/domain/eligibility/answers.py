"""What the answers of Graph to the questions in `facts` say, as values."""

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
    """Users, one or a collection."""
    return tuple(from_graph(user) for user in bodies[0].get("value", bodies))


def memberships(bodies: Bodies) -> Memberships:
    """The groups and roles of an account."""
    members = bodies[0]["value"]
    return Memberships(
        groups=frozenset(group["id"].lower() for group in _groups(bodies)),
        roles=tuple(
            item.get("displayName") or item["id"] for item in members if item["@odata.type"].endswith(".directoryRole")
        ),
    )


def role_assignable(bodies: Bodies) -> tuple[str, ...] | NotReadable:
    """Without the permission Graph returns only ids, so it is not known which groups are role-assignable."""
    groups = _groups(bodies)
    if any(group.get("displayName") is None for group in groups):
        return NotReadable()
    return tuple(group["id"] for group in groups if group.get("isAssignableToRole"))


def _groups(bodies: Bodies) -> list[dict[str, Any]]:
    return [item for item in bodies[0]["value"] if item["@odata.type"].endswith(".group")]


def ids(bodies: Bodies) -> tuple[str, ...]:
    """Object ids, lower case."""
    return tuple(item["id"].lower() for item in bodies[0]["value"])


def named(bodies: Bodies) -> Mapping[str, str]:
    """Objects of a collection by id, with their names; of an object that the token may not read, there is no name."""
    return {item["id"].lower(): item.get("displayName") or "" for item in bodies[0]["value"]}


def named_groups(bodies: Bodies) -> Mapping[str, str]:
    """The groups of a collection."""
    return named([{"value": _groups(bodies)}])


def one_named(bodies: Bodies) -> Mapping[str, str]:
    """One object, as a collection of one."""
    return named([{"value": bodies}])


def app_roles(bodies: Bodies) -> Mapping[str, str]:
    """The app roles of an account: application and role, with the application's name."""
    return {
        f"{item['resourceId']}/{item['appRoleId']}".lower(): item.get("resourceDisplayName") or ""
        for item in bodies[0]["value"]
    }


def enabled_users(bodies: Bodies) -> Mapping[str, bool]:
    """Users by object id, lower case, and whether they may sign in; where Graph leaves that out, they may."""
    return {item["id"].lower(): item.get("accountEnabled") is not False for item in bodies[0]["value"]}


def role_ids(bodies: Bodies) -> tuple[str, ...]:
    """The roles of assignments or eligibilities."""
    return tuple(sorted({item["roleDefinitionId"] for item in bodies[0]["value"]}))


def domains_of_mail(bodies: Bodies) -> Mapping[str, int]:
    """How many addresses there are in which domain."""
    mails = [str(item.get("mail") or "") for item in bodies[0]["value"]]
    return Counter(mail.rpartition("@")[2].lower() for mail in mails if mail)


def redemptions(bodies: Bodies) -> Mapping[str, Logged]:
    """The newest redemption of each account in the audit log, by object id."""
    found: dict[str, Logged] = {}
    for record in sorted(bodies[0]["value"], key=lambda each: str(each["activityDateTime"])):
        user = (record.get("initiatedBy") or {}).get("user") or {}
        logged = Logged(datetime.fromisoformat(record["activityDateTime"]), user.get("userPrincipalName") or "")
        found |= {str(each["id"]).lower(): logged for each in record.get("targetResources") or () if each.get("id")}
    return found


def tenant_id(bodies: Bodies) -> str | None:
    """The tenant of a domain."""
    tenant_id: str = bodies[0]["tenantId"]
    return tenant_id.lower()


def domains(bodies: Bodies) -> Domains:
    """The tenant's own domains."""
    domains = bodies[0]["value"]
    return Domains(
        verified=frozenset(domain["id"].lower() for domain in domains if domain["isVerified"]),
        federated=frozenset(domain["id"].lower() for domain in domains if domain["authenticationType"] == "Federated"),
    )


def federations(bodies: Bodies) -> frozenset[str]:
    """Partner domains with SAML or WS-Fed."""
    return frozenset(domain["id"].lower() for item in bodies[0]["value"] for domain in item.get("domains") or ())


def invites_from(bodies: Bodies) -> str:
    """Who may invite."""
    allowed: str = bodies[0]["allowInvitesFrom"]
    return allowed


def cross_tenant_access(bodies: Bodies) -> CrossTenantAccess:
    """The default and the partners of inbound settings."""
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
    """The lists sit as JSON text in `definition[0]` of the organisation's default policy."""
    default = next((policy for policy in bodies[0]["value"] if policy.get("isOrganizationDefault")), None)
    if default is None or not default.get("definition"):
        return DomainList()
    definition = json.loads(default["definition"][0])
    lists = definition.get("B2BManagementPolicy", {}).get("InvitationsAllowedAndBlockedDomainsPolicy") or {}
    return DomainList(
        *(frozenset(map(str.lower, lists.get(name) or ())) for name in ("AllowedDomains", "BlockedDomains"))
    )
