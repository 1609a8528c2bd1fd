"""The code and the table name the same Graph permissions, and the template grants those of each mode."""

import json
from collections.abc import Mapping

import pytest

from b2b.domain.eligibility import facts
from b2b.domain.eligibility.judge import needed_facts
from b2b.domain.eligibility.permissions import AUDITING, COMPARING, READING
from b2b.domain.findings import Profile, Severity
from tests.infra.bicep import GRAPH_SCENARIOS, INFRA, kept

TABLE = json.loads((INFRA / "graph-permissions.json").read_text("utf-8"))
ROWS = {row["value"]: row for row in TABLE["permissions"]}
OFF_IN_LEAST: Mapping[str, Severity] = dict.fromkeys(
    (
        "own-verified-domain",
        "address-ambiguous",
        "direct-federation",
        "home-account-not-entra",
        "address-in-use",
        "directory-role",
        "group-address",
        "sponsor-unusable",
        "invitations-disabled",
    ),
    Severity.OFF,
)
SETTINGS: dict[str, tuple[Profile, Mapping[str, Severity]]] = {
    "graph-assess": (Profile.CURRENT, {}),
    "graph-convert": (Profile.CURRENT, {}),
    "graph-audit": (Profile.CURRENT, {}),
    "graph-least": (Profile.LEGACY, OFF_IN_LEAST),
}
WRITING = {
    "graph-assess": set(),
    "graph-convert": {"User.Invite.All", "User.ReadWrite.All", "Directory.Read.All"},
    "graph-audit": {"User.Invite.All", "User.ReadWrite.All", "Directory.Read.All", "AuditLog.Read.All"},
    "graph-least": {"User.Invite.All"},
}
"""What the mode `convert` adds, including the permissions for the reads after a redemption."""


def read_by_the_code(profile: Profile, overrides: Mapping[str, Severity]) -> set[str]:
    """Return the permissions for everything that the app reads under these settings. It always reads accounts."""
    wanted = needed_facts(profile, overrides) | {facts.ACCOUNT}
    return {fact.permission for fact in wanted if fact.permission}


def test_the_reading_rows_are_exactly_the_permissions_of_facts() -> None:
    rows = (*READING, *COMPARING, *AUDITING)
    assert {row.value for row in rows} == {fact.permission for fact in facts.FACTS if fact.permission}


@pytest.mark.parametrize("scenario", GRAPH_SCENARIOS)
def test_the_template_grants_exactly_the_permissions_of_the_mode(scenario: str) -> None:
    granted = kept(scenario).outputs["permissions"]
    assert sorted(granted) == sorted(read_by_the_code(*SETTINGS[scenario]) | WRITING[scenario])


@pytest.mark.parametrize("scenario", GRAPH_SCENARIOS)
def test_every_grant_is_for_the_app_and_names_its_role(scenario: str) -> None:
    deployment = kept(scenario)
    assert {resource["type"] for resource in deployment.resources} == {"Microsoft.Graph/appRoleAssignedTo@v1.0"}
    for value, grant in zip(deployment.outputs["permissions"], deployment.resources, strict=True):
        properties = grant["properties"]
        assert properties["principalId"] == "33333333-0000-4000-8000-000000000001"
        looked_up = properties["appRoleId"].startswith("[coalesce(null(), filter(reference('graph').appRoles")
        assert looked_up if ROWS[value]["id"] is None else properties["appRoleId"] == ROWS[value]["id"]
