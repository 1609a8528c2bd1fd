"""The rules, the request's fields, the stages and the error codes in README are those of the code."""

import ast
import re
from collections.abc import Iterator

import msgspec

from b2b.domain.conversion import Stage
from b2b.domain.eligibility import FACT_NOT_READABLE, PINNED, RULES
from b2b.domain.request import ConversionRequest
from tests.contracts.readme import ROOT, coded, rows, section

STATUS_OF_CODE = {
    "EmptyBody": 400,
    "NotJson": 400,
    "UnknownField": 400,
    "MissingField": 400,
    "WrongType": 400,
    "InvalidValue": 400,
    "RedirectHostNotAllowed": 400,
    "CallbackNotAvailable": 400,
    "RequestTooLarge": 413,
    "RequestIdInUse": 409,
    "NotRetryable": 409,
    "ModeIsAssess": 409,
    "NotAwaitingApproval": 409,
    "ApprovalSuperseded": 409,
    "RequestChanged": 409,
    "RequestNotFound": 404,
    "ServiceUnavailable": 503,
    "InternalError": 500,
}
"""Error codes are part of the HTTP contract: a new one is added here and in README together."""
RAISED_IN = ("domain/request.py", "domain/envelope.py", "domain/errors.py", "workflows/api.py", "workflows/intake.py")


def constants(module: ast.Module) -> Iterator[str]:
    """Texts of a module that look like an error code: two or more words run together."""
    for node in ast.walk(module):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, str) and re.fullmatch(r"[A-Z][a-z0-9]+([A-Z][a-z0-9]*)+", value):
            yield value


def test_the_rule_table_has_every_rule_in_order_with_both_severities() -> None:
    listed = [(coded(cells[0]), *cells[1:3]) for cells in rows("Rules") if coded(cells[0])]
    expected = [(rule.id, rule.current.value, rule.legacy.value) for rule in RULES]
    assert listed == [*expected, (FACT_NOT_READABLE, "-", "-")]


def test_the_rules_that_settings_cannot_soften_are_named() -> None:
    sentence = next(line for line in section("Rules").splitlines() if "`B2B_RULE_OVERRIDES` changes severities" in line)
    assert set(re.findall(r"`([a-z-]+)`", sentence)) == PINNED


def test_the_request_table_has_every_field_that_is_taken() -> None:
    listed = {coded(cells[0]) for cells in rows("A request")} & {
        field.encode_name for field in msgspec.structs.fields(ConversionRequest)
    }
    not_yet = {"callbackUrl"}
    assert listed | not_yet == {field.encode_name for field in msgspec.structs.fields(ConversionRequest)}


def test_the_stage_table_has_every_stage() -> None:
    table = " ".join(" ".join(cells) for cells in rows("A request"))
    assert {stage.value for stage in Stage} <= set(re.findall(r"`([A-Za-z]+)`", table))


def test_the_table_of_bad_input_has_every_error_code_with_its_status() -> None:
    listed = re.findall(r"\| (\d{3}) `([A-Za-z]+)`", section("What happens to bad input"))
    assert {code: int(status) for status, code in listed} == STATUS_OF_CODE


def test_the_code_uses_exactly_the_listed_error_codes() -> None:
    trees = [ast.parse((ROOT / "b2b" / name).read_text("utf-8")) for name in RAISED_IN]
    used = {code for tree in trees for code in constants(tree)}
    assert used == set(STATUS_OF_CODE)
