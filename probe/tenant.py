"""Read what the probe has to know about a tenant before it makes anything in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from probe.accounts import TAG
from probe.calls import COUNT, DOMAINS, LIST_USERS
from probe.errors import ProbeError
from probe.graph import Answer, Graph

SMALL, LARGE = 50, 500
"""Microsoft's size classes of tenants: fewer than 50 users, 50 to 500, and more (page on throttling limits)."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """The domains and the number of users of a tenant."""

    domains: Sequence[dict[str, Any]]
    users: int

    @property
    def verified(self) -> list[str]:
        """The names of the tenant's verified domains."""
        return [domain["id"].lower() for domain in self.domains if domain["isVerified"]]

    @property
    def initial(self) -> str:
        """The domain that the tenant got when it was created. The test accounts get their names in this domain."""
        return next((d["id"].lower() for d in self.domains if d["isInitial"]), self.verified[0])

    @property
    def default(self) -> str:
        """The tenant's default domain."""
        return next((d["id"].lower() for d in self.domains if d["isDefault"]), self.initial)

    @property
    def size(self) -> str:
        """The number of users, as one of Microsoft's size classes."""
        if self.users < SMALL:
            return "fewer than 50 users"
        return "50 to 500 users" if self.users <= LARGE else "more than 500 users"

    @property
    def federated(self) -> bool:
        """Whether another identity provider signs people in for one of the tenant's domains."""
        return any(domain["authenticationType"] == "Federated" for domain in self.domains)


def look_at(graph: Graph) -> Tenant:
    """Read the tenant's domains and its number of users.

    Raises:
        ProbeError: Graph refused. The text names the permission that the sign-in needs.

    """
    select = {"$select": "id,isVerified,isDefault,isInitial,authenticationType"}
    domains = _good(graph.ask_all(DOMAINS, query=select)).body["value"]
    users = _good(graph.ask(COUNT, advanced=True)).body
    return Tenant(domains, int(users))


def agree(tenant: Tenant, *, limit: int, named: str | None) -> None:
    """Check that the operator wants this tenant.

    Raises:
        ProbeError: the operator named another tenant, or none although this one is so large that people may work in it.

    """
    if named is not None and named.lower() not in tenant.verified:
        raise ProbeError(f"This is the tenant {tenant.default}, not {named}.")
    if named is None and tenant.users > limit:
        raise ProbeError(
            f"The tenant {tenant.default} has {tenant.users} users, more than {limit}, and looks like one that people "
            f"work in; if the probe shall make its test accounts there, say --tenant {tenant.default}."
        )


def check_address(graph: Graph, tenant: Tenant, address: str) -> None:
    """Check that an address can be invited, and that nobody in the tenant has it.

    Raises:
        ProbeError: the address cannot be invited, is in a domain of the tenant, or belongs to an account there.

    """
    local, _, domain = address.rpartition("@")
    if not local or "." not in domain or "'" in address or "+" in address:
        raise ProbeError(f"{address} is no address that Microsoft Entra ID takes in an invitation.")
    if any(domain.lower() == own or domain.lower().endswith(f".{own}") for own in tenant.verified):
        raise ProbeError(f"{address} is in a domain of this tenant; the probe needs one from outside.")
    proxies = " or ".join(f"proxyAddresses/any(p:p eq '{kind}:{address}')" for kind in ("SMTP", "smtp"))
    condition = f"mail eq '{address}' or otherMails/any(o:o eq '{address}') or {proxies}"
    query = {"$filter": condition, "$select": "id,companyName"}
    found = _good(graph.ask_all(LIST_USERS, query=query)).body["value"]
    if any(user.get("companyName") != TAG for user in found):
        raise ProbeError(f"{address} belongs to an account in this tenant already; the probe needs a free one.")


def _good(answer: Answer) -> Answer:
    if not answer.good:
        raise ProbeError(f"{answer.call.name} answered {answer.short}; the sign-in needs {answer.call.permission}.")
    return answer
