"""How a request arrives: sizes, encodings, CloudEvents, and the names that the Functions host reserves."""

import base64
import hashlib
import json
from typing import Any

import pytest

from b2b.domain.errors import MalformedRequest
from b2b.domain.request import IntakePolicy, parse
from b2b.domain.request.body import MAX_BODY_BYTES, ROOM_FOR_ID
from b2b.domain.request.ids import RESERVED_BY_HOST
from b2b.domain.request.leftover import keeps_metadata, told_request_id
from tests.unit.cases import ANNA

POLICY = IntakePolicy(frozenset({"myapps.microsoft.com"}))
REQUEST = {"invitedUser": {"id": ANNA}}
RAW = json.dumps(REQUEST).encode()
BOM = b"\xef\xbb\xbf"
LONGEST_MESSAGE = 64 * 1024
"""Most bytes of one queue message."""


def event(**attributes: Any) -> bytes:
    whole = {"specversion": "1.0", "id": "A-1", "source": "/hr", "type": "com.contoso.convert", "data": REQUEST}
    changed = {**whole, **attributes}
    return json.dumps({name: value for name, value in changed.items() if value is not ...}).encode()


def refused(raw: bytes) -> MalformedRequest:
    with pytest.raises(MalformedRequest) as caught:
        parse(raw, POLICY)
    return caught.value


def sized(bytes_in_all: int, letter: str = "a") -> bytes:
    """Return a request whose shortest form has exactly this many bytes."""
    empty = {**REQUEST, "invitedUserMessageInfo": {"customizedMessageBody": ""}}
    room = bytes_in_all - len(json.dumps(empty, separators=(",", ":")))
    width = len(letter.encode())
    text = letter * (room // width) + "a" * (room % width)
    whole = {**REQUEST, "invitedUserMessageInfo": {"customizedMessageBody": text}}
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b" \r\n" + RAW + b"\n",
        BOM + RAW,
        b"\n" + BOM + b" " + RAW,
        base64.b64encode(RAW),
        base64.b64encode(RAW) + b"\r\n",
        base64.b64encode(BOM + RAW),
        base64.b64encode(b"\n" + RAW),
        json.dumps(REQUEST, indent=2).encode(),
    ],
)
def test_a_request_has_the_same_hash_in_every_encoding(raw: bytes) -> None:
    assert parse(raw, POLICY).request.body_hash() == parse(RAW, POLICY).request.body_hash()


@pytest.mark.parametrize("raw", [b"", b"  \r\n", BOM, base64.b64encode(b"")])
def test_an_empty_body_is_refused_with_the_likely_cause(raw: bytes) -> None:
    error = refused(raw)
    assert (error.code, error.code.status) == ("EmptyBody", 400)
    assert "chunked" in error.message
    assert "Content-Length" in error.message


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"hello",
        b"<request/>",
        RAW + RAW,
        RAW[:-1],
        b"{'invitedUser': {}}",
        b'{"invitedUser": NaN}',
        b'{"invitedUser": "\\ud800"}',
        b'{"invitedUser": "\xff"}',
        b'{"invitedUser": 1e400}',
        b'{"invitedUser": ' + b"9" * 5000 + b"}",
        RAW.decode().encode("utf-16"),
        b"[" * 10_000,
        base64.b64encode(b"hello"),
        base64.b64encode(base64.b64encode(RAW)),
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
    ],
)
def test_a_body_that_is_not_json_is_refused_as_not_json(raw: bytes) -> None:
    error = refused(raw)
    assert (error.code, error.target) == ("NotJson", "")
    assert "expected a JSON object" in error.message
    assert "codec" not in error.message
    assert "$" not in error.message


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"[]", "array"),
        (b"[{}]", "array"),
        (b'"text"', "string"),
        (b"12", "number"),
        (b"1.5", "number"),
        (b"true", "boolean"),
        (b"null", "null"),
    ],
)
def test_json_that_is_no_object_is_refused_as_wrong_type(raw: bytes, kind: str) -> None:
    error = refused(raw)
    assert (error.code, error.message) == ("WrongType", f"expected a JSON object, got {kind}")


@pytest.mark.parametrize("depth", [50, 300, 500, 700, 900])
def test_a_deeply_nested_body_is_refused(depth: int) -> None:
    deep = b'{"invitedUser":' + b"[" * depth + b"1" + b"]" * depth + b"}"
    assert refused(deep).code in {"WrongType", "NotJson"}


def test_a_duplicate_name_is_refused_and_named() -> None:
    error = refused(b'{"dryRun": true, "invitedUser": {"id": "x"}, "dryRun": false}')
    assert (error.code, error.target, error.message) == ("InvalidValue", "dryRun", "dryRun: given twice; expected once")


def test_a_duplicate_name_in_a_nested_object_is_refused() -> None:
    assert refused(b'{"invitedUser": {"id": "x", "id": "y"}}').code == "InvalidValue"


def test_a_body_may_have_at_most_48_kib() -> None:
    assert MAX_BODY_BYTES == 49_152
    for encode in (bytes, base64.b64encode):
        assert parse(encode(sized(MAX_BODY_BYTES)), POLICY).request.invited_user.id == ANNA
        error = refused(encode(sized(MAX_BODY_BYTES + 1)))
        assert (error.code, error.code.status) == ("RequestTooLarge", 413)
        assert "49153" in error.message
        assert "49152" in error.message


@pytest.mark.parametrize("letter", ["a", "é", "日", "\U0001f600", "\u007f"])
def test_an_accepted_request_fits_into_a_queue_message_and_can_be_read_back(letter: str) -> None:
    try:
        request = parse(sized(MAX_BODY_BYTES, letter), POLICY).request
    except MalformedRequest as error:
        assert error.code == "RequestTooLarge"  # noqa: PT017  refusing it at once is as good
        return
    message = request.message("r" * 64)
    assert len(message) <= LONGEST_MESSAGE
    assert parse(message, POLICY, MAX_BODY_BYTES + ROOM_FOR_ID).request.body_hash() == request.body_hash()


def test_a_cloud_event_contains_the_request_and_determines_its_id() -> None:
    request, request_id = parse(event(), POLICY)
    assert request.invited_user.id == ANNA
    assert request_id == "event-" + hashlib.sha256(b"/hr\nA-1").hexdigest()[:48]
    assert parse(event(type="another", subject="s", time="2026-10-01T08:00:00Z"), POLICY).request_id == request_id


@pytest.mark.parametrize("other", [{"id": "A-2"}, {"source": "/crm"}, {"id": "1", "source": "/hrA-"}])
def test_another_event_has_another_request_id(other: dict[str, str]) -> None:
    assert parse(event(**other), POLICY).request_id != parse(event(), POLICY).request_id


@pytest.mark.parametrize(
    ("attributes", "code", "target"),
    [
        ({"specversion": "0.3"}, "InvalidValue", "specversion"),
        ({"specversion": 1.0}, "WrongType", "specversion"),
        ({"specversion": ""}, "InvalidValue", "specversion"),
        ({"id": ...}, "MissingField", "id"),
        ({"id": 7}, "WrongType", "id"),
        ({"source": ""}, "InvalidValue", "source"),
        ({"type": None}, "MissingField", "type"),
        ({"data": ...}, "MissingField", "data"),
        ({"data": "e30="}, "WrongType", "data"),
        ({"data_base64": "e30="}, "InvalidValue", "data_base64"),
        ({"data_base64": "", "data": ...}, "InvalidValue", "data_base64"),
        ({"dequeuecount": "7"}, "UnknownField", "dequeuecount"),
        ({"DequeueCount": "7"}, "UnknownField", "DequeueCount"),
        ({"invitedUser": {}}, "UnknownField", "invitedUser"),
        ({"data": {}}, "MissingField", "invitedUser"),
        ({"data": {**REQUEST, "x": 1}}, "UnknownField", "x"),
        ({"data": {**REQUEST, "requestId": "mine"}}, "InvalidValue", "requestId"),
    ],
)
def test_a_malformed_event_is_refused_with_code_and_field(attributes: dict[str, Any], code: str, target: str) -> None:
    error = refused(event(**attributes))
    assert (error.code, error.target) == (code, target)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"id": ...}, "id: required in a CloudEvents envelope"),
        ({"id": 7}, "id: expected string, got number"),
        ({"data": []}, "data: expected object, got array"),
        ({"source": ""}, "source: expected a string that is not empty"),
    ],
)
def test_the_refusal_of_an_event_says_what_was_expected(attributes: dict[str, Any], message: str) -> None:
    assert refused(event(**attributes)).message == message


def test_an_event_of_another_version_is_refused_with_the_version_expected() -> None:
    assert refused(event(specversion="2.0")).message == "specversion: expected '1.0'"


def test_an_event_may_repeat_the_id_derived_from_it_as_request_id() -> None:
    key = parse(event(), POLICY).request_id
    assert parse(event(data={**REQUEST, "requestId": key}), POLICY).request_id == key


def test_the_request_id_of_a_malformed_body_is_found_if_it_has_one() -> None:
    assert told_request_id(b'{"requestId": "r-1", "unheardOf": 1}') == "r-1"
    assert told_request_id(base64.b64encode(b'{"requestId": "r-1"}')) == "r-1"
    assert told_request_id(sized(60_000)[:-1] + b',"requestId":"large"}') == "large"
    assert told_request_id(event(data=None)) == parse(event(), POLICY).request_id


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"{}", b'{"requestId": 7}', b'{"requestId": "a b"}', b'{"specversion":"1.0","id":"x"}']
)
def test_a_malformed_body_without_a_request_id_gets_none(raw: bytes) -> None:
    assert told_request_id(raw) is None


def test_names_that_override_message_metadata_are_recognised_in_any_case() -> None:
    assert {
        "id",
        "dequeuecount",
        "popreceipt",
        "insertiontime",
        "expirationtime",
        "nextvisibletime",
        "queuetrigger",
    } == RESERVED_BY_HOST
    assert not keeps_metadata(b'{"DequeueCount": 7}')
    assert not keeps_metadata(event())
    assert keeps_metadata(RAW)
    assert not keeps_metadata(b"{")


@pytest.mark.parametrize("name", ["id", "dequeueCount", "popReceipt", "insertionTime", "queueTrigger"])
def test_a_field_with_a_name_reserved_by_the_host_is_refused(name: str) -> None:
    error = refused(json.dumps({**REQUEST, name: "x"}).encode())
    assert (error.code, error.target) == ("UnknownField", name)
