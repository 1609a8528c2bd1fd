"""Calls generated from both API documents: every answer of the running host fits the document."""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from rehearsal.rig import HostedRig
from tests.contracts.pages import ROOT

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OF_CONTENT = (content_type_conformance, response_schema_conformance)
UNAUTHORIZED, TOO_LONG = 401, 414
"""The host's own answer to a missing key has no body, which OpenAPI 2.0 cannot describe for a single answer."""
EXAMPLES = 20
DOCUMENTS = ("openapi.json", "connector.swagger.json")


def described(name: str) -> Any:
    return schemathesis.openapi.from_dict(json.loads((ROOT / "docs" / "reference" / name).read_text("utf-8")))


SCHEMAS = {name: described(name) for name in DOCUMENTS}
OPERATIONS = [
    pytest.param(operation, mode, id=f"{name.partition('.')[0]} {operation.label} {mode.value}")
    for name, schema in SCHEMAS.items()
    for operation in (each.ok() for each in schema.get_all_operations())
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
]


@pytest.mark.parametrize(("operation", "mode"), OPERATIONS)
def test_no_answer_is_a_server_error_or_missing_in_the_document(
    converting: HostedRig, operation: Any, mode: GenerationMode
) -> None:
    strategy = operation.as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=strategy)
    def call(case: Any) -> None:
        answer = case.call(
            base_url=f"{converting.host.base}/api", headers={"x-functions-key": converting.host.function_key}
        )
        if answer.status_code == TOO_LONG:
            assert not answer.content
            return  # the host refuses a URL longer than 8 KiB
        bodyless = answer.status_code == UNAUTHORIZED and not answer.content
        case.validate_response(answer, checks=[each for each in CHECKS if not (bodyless and each in OF_CONTENT)])

    call()


def test_the_host_serves_the_openapi_document_of_the_repository(converting: HostedRig) -> None:
    told = converting.call("GET", "/api/openapi.json").json()
    kept = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text("utf-8"))
    assert told.pop("servers") == [{"url": f"{converting.host.base}/api"}]
    kept.pop("servers")
    assert told == kept
