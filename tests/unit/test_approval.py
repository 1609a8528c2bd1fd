"""A person's word as JSON: taken as it was said, or refused as a request would be."""

import json

import pytest

from b2b.domain.approval import parse_approval
from b2b.domain.errors import MalformedRequest


def refused(raw: bytes) -> MalformedRequest:
    with pytest.raises(MalformedRequest) as caught:
        parse_approval(raw)
    return caught.value


def test_an_approval_says_who_and_why() -> None:
    word = {"approvedBy": "ops@contoso.com", "reason": "known supplier"}
    assert parse_approval(json.dumps(word).encode()) == ("ops@contoso.com", "known supplier")


def test_the_longest_name_and_reason_are_taken() -> None:
    assert parse_approval(json.dumps({"approvedBy": "é" * 200, "reason": "y" * 1000}).encode())[0] == "é" * 200


@pytest.mark.parametrize(
    ("raw", "code", "target", "message"),
    [
        (b"", "EmptyBody", "", "the body is empty"),
        (b"yes", "NotJson", "", "the body is not JSON"),
        (b'{"approvedBy": "x\xff"}', "NotJson", "", "the body is not JSON: not UTF-8"),
        (b"[]", "WrongType", "", "expected a JSON object, got array"),
        (b"null", "WrongType", "", "expected a JSON object, got null"),
        (b"{}", "MissingField", "approvedBy", "approvedBy: required"),
        (b'{"approvedBy": "x"}', "MissingField", "reason", "reason: required"),
        (b'{"approvedBy": "x", "reason": null}', "MissingField", "reason", "reason: required"),
        (b'{"approvedBy": 7, "reason": "y"}', "WrongType", "approvedBy", "approvedBy: expected string, got number"),
        (b'{"approvedBy": "x", "reason": {}}', "WrongType", "reason", "reason: expected string, got object"),
        (b'{"approvedBy": "x", "reason": "y", "force": true}', "UnknownField", "force", "force: not a known field"),
        (b'{"approvedBy": "x", "reason": "y", "force": null}', "UnknownField", "force", "force: not a known field"),
        (b'{"reason": "x", "reason": "y"}', "InvalidValue", "reason", "reason: given twice"),
        (b'{"approvedBy": " ", "reason": "y"}', "InvalidValue", "approvedBy", "approvedBy: expected 1 to 200"),
        (b'{"approvedBy": "x", "reason": ""}', "InvalidValue", "reason", "reason: expected 1 to 1000 characters"),
        (b'{"approvedBy": "x", "reason": "' + b"y" * 1001 + b'"}', "InvalidValue", "reason", "reason: expected 1 to"),
    ],
)
def test_a_refused_approval_has_code_field_and_what_was_expected(
    raw: bytes, code: str, target: str, message: str
) -> None:
    error = refused(raw)
    assert (error.code, error.target, error.status) == (code, target, 400)
    assert error.message.startswith(message)


def test_an_approval_beyond_48_kib_is_too_large() -> None:
    error = refused(json.dumps({"approvedBy": "x", "reason": "y" * 48 * 1024}).encode())
    assert (error.code, error.status) == ("RequestTooLarge", 413)
