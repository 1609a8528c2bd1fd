"""Role assignments for data: small roles with narrow scopes."""

import re
import shutil
from pathlib import Path

import pytest

from b2b.adapters import queue
from tests.infra.bicep import APP_SCENARIOS, INFRA, Compiler, Deployment, kept

ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": "Storage Queue Data Message Sender",
    "19e7f393-937e-4f77-808e-94535e297925": "Storage Queue Data Reader",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "76199698-9eea-4c19-bc75-cec21354c6b6": "Storage Table Data Reader",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}
"""Every role that the templates may assign. Owner, Contributor and User Access Administrator are not among them."""
APP = {
    ("Storage Blob Data Owner", "sthost"),
    ("Storage Table Data Contributor", "sthost"),
    ("Storage Queue Data Contributor", queue.REQUESTS),
    ("Storage Queue Data Contributor", queue.POISON),
    ("Storage Table Data Contributor", "stwork"),
    ("Monitoring Metrics Publisher", "appi-b2b-"),
}
DEPLOYER = "44444444-0000-4000-8000-000000000007"
PRODUCER = {("Storage Queue Data Message Sender", queue.REQUESTS)}
WITH_PEOPLE = {"access", "everything", "deployer", "deployer-service"}
READER = {("Storage Table Data Reader", "stwork"), ("Storage Queue Data Reader", "stwork")}


def grants(deployment: Deployment) -> dict[str, set[tuple[str, str]]]:
    """Return the grants by principal, each as role and last name of the scope without the deployment's suffix."""
    suffix = deployment.one("Microsoft.Web/sites")["name"].rsplit("-", 1)[1]
    given = {"stcontosob2bhost": "sthost", "stcontosob2bwork": "stwork", "appi-contoso-b2b": "appi-b2b-"}
    found: dict[str, set[tuple[str, str]]] = {}
    for assignment in deployment.of("Microsoft.Authorization/roleAssignments"):
        properties = assignment["properties"]
        role = ROLES[properties["roleDefinitionId"].rsplit("/", 1)[1]]
        # The name of an assignment may depend on the identity's object id, which is not predicted; its scope is.
        scope = assignment["id"].removeprefix("[extensionResourceId('").split("', '")[0]
        scope = scope.split("/providers/Microsoft.Authorization/")[0].rsplit("/", 1)[1]
        who = "app" if "userAssignedIdentities" in properties["principalId"] else properties["principalId"]
        found.setdefault(who, set()).add((role, given.get(scope) or scope.removesuffix(suffix)))
    return found


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_the_app_has_exactly_the_roles_it_needs(scenario: str) -> None:
    assert grants(kept(scenario))["app"] == APP


@pytest.mark.parametrize("scenario", [name for name in APP_SCENARIOS if name not in WITH_PEOPLE])
def test_by_default_only_the_apps_identity_has_a_role(scenario: str) -> None:
    assert grants(kept(scenario)).keys() == {"app"}


def test_producers_can_only_send_to_the_queue_and_readers_can_only_read() -> None:
    people = {who[-1]: what for who, what in grants(kept("access")).items() if who != "app"}
    assert people == {"1": PRODUCER, "2": PRODUCER, "3": READER}


def test_a_person_who_deploys_can_read_and_on_request_send() -> None:
    deployment = kept("deployer")
    people = {who[-1]: what for who, what in grants(deployment).items() if who != "app"}
    assert people == {"7": READER | PRODUCER}
    kinds = {
        assignment["properties"]["principalType"]
        for assignment in deployment.of("Microsoft.Authorization/roleAssignments")
        if assignment["properties"]["principalId"].endswith("7")
    }
    assert kinds == {"User"}


def test_a_service_principal_that_deploys_gets_no_role() -> None:
    people = {who[-1]: what for who, what in grants(kept("deployer-service")).items() if who != "app"}
    assert people == {"3": READER}


@pytest.mark.parametrize(
    ("kind", "sends", "expected"),
    [
        ("User", "false", {"7": READER}),
        ("Group", "true", {}),
        ("ServicePrincipal", "true", {}),
        ("", "true", {}),
    ],
)
def test_only_a_person_becomes_a_reader_by_deploying(
    compiler: Compiler, tmp_path: Path, kind: str, sends: str, expected: dict[str, set[tuple[str, str]]]
) -> None:
    parameters = {"deployerId": f"'{DEPLOYER}'", "deployerType": f"'{kind}'", "deployerSends": sends}
    assert people_after(compiler, tmp_path, {**parameters, "noReaders": "true"}) == expected


def test_a_named_person_who_deploys_gets_each_role_once(compiler: Compiler, tmp_path: Path) -> None:
    named = f"[{{ principalId: '{DEPLOYER}', principalType: 'User' }}]"
    parameters = {"deployerId": f"'{DEPLOYER}'", "deployerType": "'User'", "deployerSends": "true"}
    both = {**parameters, "readers": named, "producers": named}
    assert people_after(compiler, tmp_path, both) == {"7": READER | PRODUCER}


def people_after(compiler: Compiler, folder: Path, parameters: dict[str, str]) -> dict[str, set[tuple[str, str]]]:
    """Return the grants of all principals but the app after a deployment with these parameters."""
    copy = Path(shutil.copytree(INFRA, folder / "infra"))
    lines = ["using 'main.bicep'", *(f"param {name} = {value}" for name, value in parameters.items())]
    (copy / "people.bicepparam").write_text("\n".join(lines), "utf-8")
    document = compiler.predict(copy / "people.bicepparam")
    deployment = Deployment("people", document["predictedResources"], document["outputs"], document["diagnostics"])
    ids = [assignment["id"] for assignment in deployment.of("Microsoft.Authorization/roleAssignments")]
    assert len(set(ids)) == len(ids)
    return {who[-1]: what for who, what in grants(deployment).items() if who != "app"}


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_every_assignment_states_the_kind_of_principal_and_has_a_stable_name(scenario: str) -> None:
    assignments = kept(scenario).of("Microsoft.Authorization/roleAssignments")
    # Without the kind, a replica that does not know a new principal yet refuses the assignment.
    assert all(assignment["properties"]["principalType"] for assignment in assignments)
    for assignment in assignments:
        who = assignment["properties"]["principalId"].strip("[]")
        assert re.fullmatch(r"[0-9a-f-]{36}", assignment["name"]) or assignment["name"].startswith("[guid(")
        # An assignment cannot change its principal, so a recreated identity needs an assignment with another name.
        assert who in assignment["name"] or "reference(" not in who
    assert len({assignment["id"] for assignment in assignments}) == len(assignments)
