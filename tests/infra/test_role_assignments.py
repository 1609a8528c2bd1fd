"""Who may do what with the data: small roles, narrow scopes."""

import re

import pytest

from b2b.adapters import queue
from tests.infra.bicep import APP_SCENARIOS, Deployment, kept

ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": "Storage Queue Data Message Sender",
    "19e7f393-937e-4f77-808e-94535e297925": "Storage Queue Data Reader",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "76199698-9eea-4c19-bc75-cec21354c6b6": "Storage Table Data Reader",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}
"""Every role that may be given at all. Owner, Contributor and User Access Administrator are not among them."""
APP = {
    ("Storage Blob Data Owner", "sthost"),
    ("Storage Table Data Contributor", "sthost"),
    ("Storage Queue Data Contributor", queue.REQUESTS),
    ("Storage Queue Data Contributor", queue.POISON),
    ("Storage Table Data Contributor", "stwork"),
    ("Monitoring Metrics Publisher", "appi-b2b-"),
}
PRODUCER = {("Storage Queue Data Message Sender", queue.REQUESTS)}
READER = {("Storage Table Data Reader", "stwork"), ("Storage Queue Data Reader", "stwork")}


def grants(deployment: Deployment) -> dict[str, set[tuple[str, str]]]:
    """Principal to (role, the last name of the scope without the suffix)."""
    suffix = deployment.one("Microsoft.Web/sites")["name"].rsplit("-", 1)[1]
    found: dict[str, set[tuple[str, str]]] = {}
    for assignment in deployment.of("Microsoft.Authorization/roleAssignments"):
        properties = assignment["properties"]
        role = ROLES[properties["roleDefinitionId"].rsplit("/", 1)[1]]
        # A name that is made of the identity's object id is not known beforehand; its scope is.
        scope = assignment["id"].removeprefix("[extensionResourceId('").split("', '")[0]
        scope = scope.split("/providers/Microsoft.Authorization/")[0].rsplit("/", 1)[1]
        who = "app" if "id-b2b-" in properties["principalId"] else properties["principalId"]
        found.setdefault(who, set()).add((role, scope.removesuffix(suffix)))
    return found


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_the_app_has_the_roles_it_needs_and_no_other(scenario: str) -> None:
    assert grants(kept(scenario))["app"] == APP


@pytest.mark.parametrize("scenario", [name for name in APP_SCENARIOS if name not in {"access", "everything"}])
def test_nobody_else_has_any_unless_asked(scenario: str) -> None:
    assert grants(kept(scenario)).keys() == {"app"}


def test_producers_may_send_to_the_one_queue_and_readers_may_read() -> None:
    people = {who[-1]: what for who, what in grants(kept("access")).items() if who != "app"}
    assert people == {"1": PRODUCER, "2": PRODUCER, "3": READER}


@pytest.mark.parametrize("scenario", APP_SCENARIOS)
def test_every_assignment_says_the_kind_of_principal_and_has_a_name_that_stays(scenario: str) -> None:
    assignments = kept(scenario).of("Microsoft.Authorization/roleAssignments")
    # A principal that was just made may be unknown to the replica that checks it, unless its kind is told.
    assert all(assignment["properties"]["principalType"] for assignment in assignments)
    for assignment in assignments:
        who = assignment["properties"]["principalId"].strip("[]")
        assert re.fullmatch(r"[0-9a-f-]{36}", assignment["name"]) or assignment["name"].startswith("[guid(")
        # An assignment cannot be given to another principal: an identity that was made anew needs one of another name.
        assert who in assignment["name"] or "reference(" not in who
    assert len({assignment["id"] for assignment in assignments}) == len(assignments)
