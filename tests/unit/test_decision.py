"""The bodies of approvals, refusals and releases: how they are read, and why one is refused."""

import json

import pytest

from b2b.api.bodies import Approval, Refusal, Release, read
from b2b.domain.actors import BY_KEY, Actor, ActorKind
from b2b.domain.errors import MalformedRequest
from b2b.domain.request.decision import Decision


def refused(raw: bytes) -> MalformedRequest:
    with pytest.raises(MalformedRequest) as caught:
        read(raw, Approval, "approvedBy")
    return caught.value


def test_an_approval_names_its_author_and_reason() -> None:
    word = {"approvedBy": "ops@contoso.com", "reason": "known supplier"}
    said = read(json.dumps(word).encode(), Approval, "approvedBy")
    assert said == Approval(approved_by="ops@contoso.com", reason="known supplier")


def test_a_signed_in_caller_need_not_name_the_author() -> None:
    assert read(b'{"reason": "known supplier"}', Approval) == Approval(reason="known supplier")


def test_a_refusal_names_its_author_in_refused_by() -> None:
    word = {"refusedBy": "ops@contoso.com", "reason": "left the supplier"}
    said = read(json.dumps(word).encode(), Refusal, "refusedBy")
    assert said == Refusal(refused_by="ops@contoso.com", reason="left the supplier")
    with pytest.raises(MalformedRequest) as caught:
        read(b'{"approvedBy": "ops@contoso.com", "reason": "left"}', Refusal, "refusedBy")
    assert [fault.target for fault in (caught.value, *caught.value.others)] == ["refusedBy", "approvedBy"]


def test_a_release_may_have_an_empty_body() -> None:
    assert read(b"{}", Release) == Release()


def test_the_longest_name_and_reason_are_accepted() -> None:
    said = json.dumps({"approvedBy": "\u00e9" * 200, "reason": "y" * 1000})
    assert read(said.encode(), Approval) == Approval(approved_by="\u00e9" * 200, reason="y" * 1000)


def test_a_decision_as_text_names_author_and_reason() -> None:
    stated = Decision(Actor(ActorKind.STATED, name="ops@contoso.com"), "known supplier")
    assert str(stated) == "by ops@contoso.com: known supplier"
    assert str(Decision(BY_KEY)) == "by key"
    assert str(Decision(Actor(ActorKind.PERSON, "0a000000-0000-4000-8000-000000000001"))) == (
        "by person 0a000000-0000-4000-8000-000000000001"
    )


@pytest.mark.parametrize(
    ("raw", "code", "target", "message"),
    [
        (b"", "EmptyBody", "", "the body is empty"),
        (b"yes", "NotJson", "", "the body is neither JSON"),
        (b'{"approvedBy": "x\xff"}', "NotJson", "", "the body is not JSON: not UTF-8"),
        (b"[]", "WrongType", "", "expected a JSON object, got array"),
        (b"null", "WrongType", "", "expected a JSON object, got null"),
        (b'{"reason": "y"}', "MissingField", "approvedBy", "approvedBy: required"),
        (b'{"approvedBy": "", "reason": "y"}', "MissingField", "approvedBy", "approvedBy: required"),
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
def test_a_malformed_approval_is_refused_with_code_field_and_expectation(
    raw: bytes, code: str, target: str, message: str
) -> None:
    error = refused(raw)
    assert (error.code, error.target, error.code.status) == (code, target, 400)
    assert error.message.startswith(message)


def test_every_fault_of_an_approval_is_reported() -> None:
    error = refused(b'{"approvedBy": " ", "force": true}')
    told = [(fault.code, fault.target) for fault in (error, *error.others)]
    assert sorted(told) == [("InvalidValue", "approvedBy"), ("MissingField", "reason"), ("UnknownField", "force")]


def test_an_approval_beyond_48_kib_is_too_large() -> None:
    error = refused(json.dumps({"approvedBy": "x", "reason": "y" * 48 * 1024}).encode())
    assert (error.code, error.code.status) == ("RequestTooLarge", 413)
