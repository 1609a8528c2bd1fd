"""The table of Graph permissions against the code's, and what the template makes of it."""

import json
from collections.abc import Mapping

import pytest

from b2b.domain.eligibility import PINNED, RULE_IDS, RULES, needed_facts
from b2b.domain.facts import PERMISSIONS, Fact
from b2b.domain.findings import Profile, Severity
from tests.infra.bicep import GRAPH_SCENARIOS, INFRA, kept

TABLE = json.loads((INFRA / "graph-permissions.json").read_text("utf-8"))
ROWS = {row["value"]: row for row in TABLE["permissions"]}
IDS = {
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "User.Invite.All": "09850681-111b-4a89-9bed-3f2cae46d706",
    "User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca",
    "Domain.Read.All": "dbb9058a-0e50-45d7-ae91-66909b5d4664",
    "Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b",
    "IdentityProvider.Read.All": "e321f0bb-e7f7-481e-bb28-e3b0b32d4bd0",
    "OrgContact.Read.All": "e1a88a34-94c4-4418-be12-c87b00e26bea",
    "Policy.Read.All": "246dd0d5-5bd0-4def-940b-0421030a5b68",
    "Policy.Read.B2BManagementPolicy": None,
    "RoleManagement.Read.Directory": "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
    "CrossTenantInformation.ReadBasic.All": "cac88765-0581-4025-9725-5ebc13f729ee",
}
"""microsoftgraph/microsoft-graph-devx-content, permissions-descriptions.json of 2026-08-07; the one without an id is
not in it."""
OFF_IN_LEAST: Mapping[str, Severity] = dict.fromkeys(
    (
        "own-verified-domain",
        "address-ambiguous",
        "direct-federation",
        "home-account-not-entra",
        "address-in-use",
        "directory-role",
        "group-address",
        "invitations-disabled",
    ),
    Severity.OFF,
)
SETTINGS: dict[str, tuple[Profile, Mapping[str, Severity]]] = {
    "graph-assess": (Profile.CURRENT, {}),
    "graph-convert": (Profile.CURRENT, {}),
    "graph-least": (Profile.LEGACY, OFF_IN_LEAST),
}
WRITING = {"graph-assess": set(), "graph-convert": {"User.Invite.All", "User.ReadWrite.All"}} | {
    "graph-least": {"User.Invite.All"}
}


def read_by_the_code(profile: Profile, overrides: Mapping[str, Severity]) -> set[str]:
    """The permissions of what the app reads under these settings; accounts it reads under all."""
    wanted = needed_facts(profile, overrides) | {Fact.ACCOUNT}
    return {PERMISSIONS[fact] for fact in wanted if fact in PERMISSIONS}


def test_every_permission_that_the_code_names_is_in_the_table_and_no_other_that_reads() -> None:
    assert {value for value, row in ROWS.items() if row["mode"] == "assess"} == set(PERMISSIONS.values())
    assert {value for value, row in ROWS.items() if row["mode"] == "convert"} == WRITING["graph-convert"]


def test_the_ids_are_those_that_microsoft_publishes() -> None:
    assert {value: row["id"] for value, row in ROWS.items()} == IDS


@pytest.mark.parametrize("value", [value for value, row in ROWS.items() if row["rules"]])
def test_a_permission_lists_the_rules_that_want_it(value: str) -> None:
    wanting = {rule.id for rule in RULES for fact in rule.needs if PERMISSIONS.get(fact) == value}
    assert set(ROWS[value]["rules"]) == wanting


@pytest.mark.parametrize("profile", list(Profile))
def test_the_rules_that_a_profile_leaves_out_are_the_code_s(profile: Profile) -> None:
    assert set(TABLE["rulesOff"][profile]) == {rule.id for rule in RULES if rule.severity(profile, {}) is Severity.OFF}


def test_the_overrides_that_the_script_takes_are_those_of_the_code() -> None:
    assert TABLE["overrides"]["rules"] == list(RULE_IDS)
    assert set(TABLE["overrides"]["onlyBlock"]) == PINNED
    assert set(TABLE["overrides"]["severities"]) == set(Severity)


@pytest.mark.parametrize("scenario", GRAPH_SCENARIOS)
def test_the_template_grants_what_the_mode_needs_and_no_more(scenario: str) -> None:
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
