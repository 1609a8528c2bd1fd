"""The tenant's domains and policies, as the rules see them."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

ALL_USERS = "AllUsers"
ALL_APPLICATIONS = "AllApplications"


class InvitesFrom(StrEnum):
    """authorizationPolicy.allowInvitesFrom: who may invite. Its other values do not affect applications."""

    NONE = "none"
    ADMINS = "adminsAndGuestInviters"


@dataclass(frozen=True)
class Domains:
    """The tenant's own domains, lower case."""

    verified: frozenset[str] = frozenset()
    federated: frozenset[str] = frozenset()

    def own(self, domain: str) -> str | None:
        """Return the verified domain that equals or contains this domain; None if the domain is foreign."""
        labels = domain.lower().split(".")
        return next((own for n in range(len(labels)) if (own := ".".join(labels[n:])) in self.verified), None)


@dataclass(frozen=True)
class DomainList:
    """The B2B collaboration allow or deny list. At most one of the two is in use."""

    allowed: frozenset[str] = frozenset()
    blocked: frozenset[str] = frozenset()

    def refuses(self, domain: str) -> bool:
        """Tell whether an invitation to the domain is refused."""
        return domain in self.blocked or bool(self.allowed and domain not in self.allowed)


@dataclass(frozen=True)
class CrossTenantAccess:
    """Inbound B2B collaboration settings: the default and, where a partner has its own, the partner's by tenant id."""

    default: dict[str, Any] = field(default_factory=dict)
    partners: dict[str, dict[str, Any]] = field(default_factory=dict)

    def restricts(self, tenant_id: str) -> bool:
        """Tell whether inbound collaboration from the tenant is anything but open for all users."""
        inbound = self.partners.get(tenant_id.lower()) or self.default
        users, applications = inbound.get("usersAndGroups") or {}, inbound.get("applications") or {}
        open_to_all = users.get("accessType", "allowed") == "allowed" and (not users or ALL_USERS in _targets(users))
        all_blocked = applications.get("accessType") == "blocked" and ALL_APPLICATIONS in _targets(applications)
        return not open_to_all or all_blocked


def _targets(configuration: dict[str, Any]) -> set[str]:
    return {target.get("target", "") for target in configuration.get("targets") or ()}
