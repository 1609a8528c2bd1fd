"""The tenant's domains and policies, in the form that the rules use."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

ALL_USERS = "AllUsers"
ALL_APPLICATIONS = "AllApplications"


class InvitesFrom(StrEnum):
    """Who may invite: the values of Graph's `authorizationPolicy.allowInvitesFrom` that affect applications."""

    NONE = "none"
    ADMINS = "adminsAndGuestInviters"


@dataclass(frozen=True)
class Domains:
    """The tenant's own domains in lower case."""

    verified: frozenset[str] = frozenset()
    federated: frozenset[str] = frozenset()

    def own(self, domain: str) -> str | None:
        """Return the verified domain that is ``domain`` or contains it; None if there is none."""
        labels = domain.lower().split(".")
        return next((own for n in range(len(labels)) if (own := ".".join(labels[n:])) in self.verified), None)


@dataclass(frozen=True)
class DomainList:
    """The tenant's list of domains for B2B collaboration. It allows or blocks domains; at most one set is used."""

    allowed: frozenset[str] = frozenset()
    blocked: frozenset[str] = frozenset()

    def refuses(self, domain: str) -> bool:
        """Tell whether the list refuses an invitation to the domain."""
        return domain in self.blocked or bool(self.allowed and domain not in self.allowed)


@dataclass(frozen=True)
class CrossTenantAccess:
    """Inbound B2B collaboration settings: the default, and the partners' own settings by tenant id in lower case."""

    default: dict[str, Any] = field(default_factory=dict)
    partners: dict[str, dict[str, Any]] = field(default_factory=dict)

    def restricts(self, tenant_id: str) -> bool:
        """Tell whether the settings for a tenant do not allow all its users, or block all applications."""
        inbound = self.partners.get(tenant_id.lower()) or self.default
        users, applications = inbound.get("usersAndGroups") or {}, inbound.get("applications") or {}
        open_to_all = users.get("accessType", "allowed") == "allowed" and (not users or ALL_USERS in _targets(users))
        all_blocked = applications.get("accessType") == "blocked" and ALL_APPLICATIONS in _targets(applications)
        return not open_to_all or all_blocked


def _targets(configuration: dict[str, Any]) -> set[str]:
    return {target.get("target", "") for target in configuration.get("targets") or ()}
