"""A rehearsal tenant with a value for every fact, and functions that read facts from it."""

from typing import Any

from b2b.adapters.directory import Directory
from b2b.domain.eligibility.fact import Fact, Facts
from rehearsal.tenant.protocol.permissions import DEFAULT_ROLES
from tests.adapters.graph_support import graph_of
from tests.rehearsal.tenant_support import BEN, FABRIKAM, SEED, USER_ADMINISTRATOR, changed
from tests.rehearsal.test_tenant_links import LINKED

NOT_A_USER = "0a000000-0000-4000-8000-00000000dead"
ASSIGNMENT = {
    "id": "0f000000-0000-4000-8000-000000000001",
    "principalId": BEN,
    "roleDefinitionId": USER_ADMINISTRATOR,
    "directoryScopeId": "/administrativeUnits/0f000000-0000-4000-8000-0000000000aa",
}
INBOUND = {
    "usersAndGroups": {"accessType": "blocked", "targets": [{"target": "AllUsers", "targetType": "user"}]},
    "applications": {"accessType": "blocked", "targets": [{"target": "AllApplications", "targetType": "application"}]},
}
TENANT = changed(companyName="Fabrikam, O'Hara & Co") | {
    **{name: value for name, value in LINKED.items() if name not in SEED},
    "roleAssignments": [ASSIGNMENT],
    "authorizationPolicy": {"allowInvitesFrom": "adminsAndGuestInviters"},
    "crossTenantAccessPolicy": {"partners": [{"tenantId": FABRIKAM, "b2bCollaborationInbound": INBOUND}]},
}
ALTERNATIVES = {
    "User.Read.All": {"User.Read.All", "User.ReadWrite.All"},
}
"""Permissions among the default roles that read more than their name says."""


def without(permission: str) -> set[str]:
    """Return the default roles without those that include this permission."""
    return set(DEFAULT_ROLES) - ALTERNATIVES.get(permission, {permission}) - {"Directory.Read.All"}


async def found(fact: Fact[Any], subject: Any, seed: dict[str, Any] = TENANT, **options: Any) -> Facts:
    """Read one fact about a subject; return all facts that come with the answer."""
    async with graph_of(seed, **options) as (graph, tenant):
        answer = await Directory(graph).read({fact: subject})
        assert tenant.journal.violations == []
    return answer


async def ask(fact: Fact[Any], subject: Any, seed: dict[str, Any] = TENANT, **options: Any) -> Any:
    """Read one fact about a subject; return its value, or the refusal that is stored in place of a value."""
    return (await found(fact, subject, seed, **options))._read[fact]
