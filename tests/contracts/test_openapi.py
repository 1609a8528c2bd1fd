"""The documents that describe the API: valid, complete, and by the rules for connectors; answers fit them."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from b2b.api import connector, openapi
from b2b.api.answers import JSON, Reply
from b2b.api.routes import ROUTES
from b2b.api.show import operation_status, request_status
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import Waiting, WaitReason
from b2b.domain.findings import Finding, Severity, Verdict
from tests.contracts.pages import ROOT
from tests.unit.protocol import record

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
BASE = "https://b2b.contoso.com"
REFERENCE = ROOT / "docs" / "reference"
OPENAPI: dict[str, Any] = json.loads((REFERENCE / "openapi.json").read_text("utf-8"))
SWAGGER: dict[str, Any] = json.loads((REFERENCE / "connector.swagger.json").read_text("utf-8"))
PARSE_JSON: dict[str, Any] = json.loads((REFERENCE / "request.schema.json").read_text("utf-8"))
METHODS = ("get", "post", "put", "patch", "delete")


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def schemas(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the schema of every property in a document, at any depth."""
    if isinstance(value, list):
        for each in value:
            yield from schemas(each)
    elif isinstance(value, dict):
        properties = value.get("properties")
        if isinstance(properties, dict):
            yield from properties.items()
        for each in value.values():
            yield from schemas(each)


CONNECTED = dict(operations(SWAGGER))


def test_both_documents_are_valid() -> None:
    validate(OPENAPI)
    validate(SWAGGER)


def test_the_stored_documents_equal_those_generated_from_the_tables() -> None:
    assert openapi.document(ROUTES, BASE) == OPENAPI
    assert connector.document(ROUTES) == SWAGGER
    assert connector.parse_json_schema() == PARSE_JSON


def test_the_documents_describe_exactly_the_routes() -> None:
    assert set(dict(operations(OPENAPI))) == {f"{route.method} /{route.path}" for route in ROUTES}
    left_out = {f"{route.method} /{route.path}" for route in ROUTES if not route.in_connector}
    assert set(CONNECTED) == set(dict(operations(OPENAPI))) - left_out
    files = {f"GET /{route.path}" for route in ROUTES if route.media != JSON or route.also}
    reports = {"GET /conversions/{userId}/access", "GET /conversions/{userId}/way-back"}
    assert left_out == {*reports, "GET /openapi.json", *files}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_route_documents_exactly_the_statuses_that_it_answers(route: Any) -> None:
    described = set(OPENAPI["paths"][f"/{route.path}"][route.method.lower()]["responses"])
    assert described == {str(each) for each in (*route.answers, *(code.status for code in route.errors))}


def test_the_title_is_short_and_names_neither_an_api_nor_a_product() -> None:
    assert len(SWAGGER["info"]["title"]) <= 30
    for text in (SWAGGER["info"]["title"], SWAGGER["info"]["description"]):
        assert not re.search(r"\b(API|Connector|Power Automate|Power Apps|Logic Apps|Copilot)\b", text, re.IGNORECASE)
    assert 30 <= len(SWAGGER["info"]["description"]) <= 500


def test_operation_ids_are_pascal_case_and_unique() -> None:
    ids = [operation["operationId"] for operation in CONNECTED.values()]
    assert len(set(ids)) == len(ids)
    assert [each for each in ids if not re.fullmatch(r"([A-Z][a-z0-9]*)+", each)] == []


@pytest.mark.parametrize("name", CONNECTED)
def test_a_summary_is_short_and_ends_with_a_word(name: str) -> None:
    summary = CONNECTED[name]["summary"]
    assert len(summary) <= 80
    assert summary[-1].isalnum()
    assert "/" not in summary


@pytest.mark.parametrize("name", CONNECTED)
def test_a_description_is_a_sentence_and_not_the_summary(name: str) -> None:
    operation = CONNECTED[name]
    assert operation["description"].endswith(".")
    assert operation["description"] != operation["summary"]


@pytest.mark.parametrize("name", CONNECTED)
def test_every_operation_has_a_visibility_and_no_trigger(name: str) -> None:
    operation = CONNECTED[name]
    assert operation["x-ms-visibility"] in {"important", "advanced"}
    assert "x-ms-trigger" not in operation


@pytest.mark.parametrize("name", CONNECTED)
def test_every_parameter_has_a_summary_in_title_case_and_a_description(name: str) -> None:
    for parameter in CONNECTED[name]["parameters"]:
        assert re.fullmatch(r"[A-Z][a-z0-9]*( [A-Z][a-zA-Z0-9]*)*", parameter["x-ms-summary"]), parameter
        assert parameter["description"].endswith(".")
        if parameter["in"] == "path":
            assert parameter["required"] is True
            assert parameter["x-ms-url-encoding"] == "single"


def test_every_property_has_a_summary_in_title_case_and_a_description() -> None:
    found = list(schemas(SWAGGER["paths"]))
    assert len(found) > 100
    for name, schema in found:
        assert re.fullmatch(r"[A-Z][a-z0-9]*( [A-Z][a-zA-Z0-9]*)*", schema["x-ms-summary"]), name
        assert schema["x-ms-visibility"] in {"important", "advanced"}
        assert schema.get("description", "").endswith("."), name


@pytest.mark.parametrize("name", CONNECTED)
def test_every_operation_documents_success_default_and_common_errors(name: str) -> None:
    responses = CONNECTED[name]["responses"]
    assert {"default", "401", "503"} <= set(responses)
    assert all("schema" in answer for status, answer in responses.items() if status.startswith("2"))


def test_the_swagger_document_uses_only_openapi_2() -> None:
    text = json.dumps(SWAGGER)
    assert not re.search(r'"(anyOf|oneOf|const|\$ref|nullable)"', text)
    assert [schema for _, schema in schemas(SWAGGER) if not isinstance(schema.get("type"), str)] == []


def finding(severity: Severity) -> Finding:
    return Finding("exchange-mailbox", severity, "has a mailbox", "remove it", "https://learn.microsoft.com/")


def answers(stage: Stage) -> Iterator[Reply]:
    """Yield the answer about a request in which only the stage is set, and about one in which every field is set."""
    waiting = Waiting(WaitReason.THROTTLED, NOW, None)
    full = record(
        stage,
        user_id="0a000000-0000-4000-8000-000000000001",
        user_principal_name="anna@contoso.com",
        invited_user_email_address="anna@fabrikam.com",
        verdict=Verdict.BLOCKED,
        findings=(finding(Severity.BLOCK), finding(Severity.INFO)),
        invited_at=NOW,
        accepted_at=NOW,
        completed_at=NOW,
        waiting=waiting,
        last_error="Graph: answered 503",
        error_code="given-up",
    )
    yield request_status(record(stage, user_id=""), None, BASE, None)
    yield request_status(full, "r-2", BASE, "https://myapps.microsoft.com")


@pytest.mark.parametrize("stage", list(Stage))
def test_every_answer_is_valid_by_the_schema_for_parse_json(stage: Stage) -> None:
    """The action Parse JSON uses draft 4 of JSON Schema, and fails the flow if the schema does not allow a null."""
    for reply in answers(stage):
        jsonschema.Draft4Validator(PARSE_JSON).validate(json.loads(reply.sent))


@pytest.mark.parametrize("stage", list(Stage))
def test_every_answer_is_valid_by_its_openapi_schema(stage: Stage) -> None:
    for reply in answers(stage):
        schema = {"$ref": "#/components/schemas/RequestStatus", "components": OPENAPI["components"]}
        jsonschema.Draft202012Validator(schema).validate(json.loads(reply.sent))
    schema = {"$ref": "#/components/schemas/OperationStatus", "components": OPENAPI["components"]}
    jsonschema.Draft202012Validator(schema).validate(json.loads(operation_status(record(stage), None, BASE).sent))


def test_a_minimal_answer_has_nulls_and_a_full_answer_has_none() -> None:
    """If this fails, the tests of the answers' schemas prove nothing."""
    empty, full = (json.loads(reply.sent) for reply in answers(Stage.FAILED))
    assert {name for name, value in empty.items() if value is None} == {
        "userId",
        "userPrincipalName",
        "invitedUserEmailAddress",
        "verdict",
        "invitedAt",
        "acceptedAt",
        "completedAt",
        "waiting",
        "lastError",
    }
    assert None not in full.values()


def test_a_schema_made_from_an_early_answer_rejects_a_later_one() -> None:
    """Flows used to make their schema from a sample answer, in which a field is null that later holds text."""
    early, later = (json.loads(reply.sent) for reply in answers(Stage.FAILED))
    assert early["lastError"] is None
    assert isinstance(later["lastError"], str)
