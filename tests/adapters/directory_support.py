"""A Contoso to ask the directory about, and the asking."""

from typing import Any

from b2b.adapters.directory import Directory
from b2b.domain.facts import Fact
from rehearsal.tenant.permissions import DEFAULT_ROLES
from tests.adapters.graph_support import graph_of
from tests.rehearsal.tenant_support import BEN, FABRIKAM, SEED, USER_ADMINISTRATOR

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
TENANT = SEED | {
    "roleAssignments": [ASSIGNMENT],
    "authorizationPolicy": {"allowInvitesFrom": "adminsAndGuestInviters"},
    "crossTenantAccessPolicy": {"partners": [{"tenantId": FABRIKAM, "b2bCollaborationInbound": INBOUND}]},
}
ALTERNATIVES = {
    "User.Read.All": {"User.Read.All", "User.ReadWrite.All"},
}
"""Permissions among the default roles that read more than their name says."""


def without(permission: str) -> set[str]:
    """The default roles without whatever gives a permission."""
    return set(DEFAULT_ROLES) - ALTERNATIVES.get(permission, {permission})


async def ask(fact: Fact, subject: Any, seed: dict[str, Any] = TENANT, **options: Any) -> Any:
    async with graph_of(seed, **options) as (graph, tenant):
        answer = (await Directory(graph).read({fact: subject}))[fact]
        assert tenant.journal.violations == []
    return answer
