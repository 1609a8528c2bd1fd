"""The request's fields and the stages in README are those of the code, and so are the error codes."""

import ast
import re
from collections.abc import Iterator

import msgspec

from b2b.api.routes import ROUTES
from b2b.api.show import request_status
from b2b.domain.conversion.stages import Stage
from b2b.domain.error_codes import ErrorCode
from b2b.domain.request import ConversionRequest
from b2b.domain.request.record import NEVER_RAN
from tests.contracts.readme import ROOT, coded, rows
from tests.unit.protocol import record

RAISED_IN = [
    path
    for name in ("domain/errors.py", "domain/request/*.py", "workflows/**/*.py", "api/*.py")
    for path in (ROOT / "b2b").glob(name)
    if path.name != "__init__.py"
]


NOT_CODES = {"ContentData", "NotStarted", "Content-Length"}


def constants(module: ast.Module) -> Iterator[str]:
    """Error codes of a module, and texts that look like one: two or more words run together."""
    for node in ast.walk(module):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(node, ast.Attribute) and node.attr in ErrorCode.__members__:
            yield ErrorCode[node.attr]
        if isinstance(value, str) and re.fullmatch(r"[A-Z][a-z0-9]+([A-Z][a-z0-9]*)+", value):
            yield value


def test_the_request_table_has_every_field_that_is_taken() -> None:
    listed = {coded(cells[0]) for cells in rows("A request")} & {
        field.encode_name for field in msgspec.structs.fields(ConversionRequest)
    }
    not_yet = {"callbackUrl"}
    assert listed | not_yet == {field.encode_name for field in msgspec.structs.fields(ConversionRequest)}


def test_the_stage_table_has_every_stage() -> None:
    table = " ".join(" ".join(cells) for cells in rows("A request"))
    assert {stage.value for stage in Stage} <= set(re.findall(r"`([A-Za-z]+)`", table))


def test_exactly_the_error_codes_of_the_table_are_used() -> None:
    operations = {route.operation_id for route in ROUTES}
    trees = [ast.parse(path.read_text("utf-8")) for path in RAISED_IN]
    used = {code for tree in trees for code in constants(tree)} - NOT_CODES - operations
    assert used - {NEVER_RAN} == set(ErrorCode)


def test_every_field_of_a_status_is_explained() -> None:
    said = request_status(record(Stage.INVITED), "r-2", "https://app.contoso.com", "https://myapps.microsoft.com").body
    explained = {name for cells in rows("HTTP") if "/" not in cells[0] for name in re.findall(r"`(\w+)`", cells[0])}
    assert explained == set(said)
