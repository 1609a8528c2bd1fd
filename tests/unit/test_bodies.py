"""Bodies of requests as people produce them: which are accepted, and how a refusal explains the others."""

import base64
import gzip
import json
import re
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b.domain.errors import MalformedRequest
from b2b.domain.request import IntakePolicy, parse
from b2b.domain.request.handshake import permission
from tests.unit.cases import ANNA

POLICY = IntakePolicy(frozenset({"myapps.microsoft.com"}))
REQUEST = {"requestId": "r-1", "dryRun": True, "invitedUser": {"id": ANNA}}
RAW = json.dumps(REQUEST).encode()
BASE64 = base64.b64encode(RAW).decode()


def refused(raw: bytes | str) -> MalformedRequest:
    with pytest.raises(MalformedRequest) as caught:
        parse(raw.encode() if isinstance(raw, str) else raw, POLICY)
    return caught.value


@given(
    st.dictionaries(st.sampled_from(["name", "x"]), st.text(max_size=200), max_size=2),
    st.integers(1, 100),
    st.sampled_from(["\n", "\r\n", " ", "\t", "\n\n"]),
)
def test_base64_in_lines_of_any_length_is_accepted(noise: dict[str, str], width: int, line_end: str) -> None:
    """GNU base64 and .NET break lines at 76 characters, openssl at 64, older Ruby at 60."""
    raw = json.dumps({**REQUEST, "invitedUserMessageInfo": {"customizedMessageBody": json.dumps(noise)}}).encode()
    text = base64.b64encode(raw).decode()
    wrapped = line_end.join(text[start : start + width] for start in range(0, len(text), width))
    assert parse(wrapped.encode(), POLICY) == parse(raw, POLICY)


HINTS: list[tuple[str, bytes | str, str]] = [
    ("str() around bytes", f"b'{BASE64}'", "b'…' is how Python shows bytes"),
    ("str() around JSON bytes", f"b'{RAW.decode()}'", "b'…' is how Python shows bytes"),
    ("UTF-16 with its mark", RAW.decode().encode("utf-16"), "UTF-16"),
    ("UTF-16LE", RAW.decode().encode("utf-16-le"), "UTF-16"),
    ("UTF-16BE", RAW.decode().encode("utf-16-be"), "UTF-16"),
    ("UTF-32", RAW.decode().encode("utf-32"), "UTF-16"),
    ("base64 of UTF-16", base64.b64encode(RAW.decode().encode("utf-16-le")), "UTF-16"),
    ("gzip", gzip.compress(RAW), "compressed"),
    ("base64 of gzip", base64.b64encode(gzip.compress(RAW)), "compressed"),
    ("a data URL", f"data:application/json;base64,{BASE64}", "data: URL"),
    ("base64 twice", base64.b64encode(BASE64.encode()), "base64 of base64"),
    ("base64 of a JSON string", base64.b64encode(json.dumps(RAW.decode()).encode()), "a JSON string"),
    ("the alphabet of URLs", base64.urlsafe_b64encode(b'{"invitedUserEmailAddress": "\xc3\xbf\xc3\xbf?>?>"}'), "URLs"),
    ("no padding", base64.b64encode(b'{"dryRun": true}').rstrip(b"="), "padding"),
    ("a form", "requestId=r-1&dryRun=true", "form"),
    ("CSV", "version:v1.0,,,\r\nEmail address to invite,Redirection url\r\na@fabrikam.com,https://x\r\n", "CSV"),
    ("a PowerShell object", "System.Collections.Hashtable", "ConvertTo-Json"),
    ("a PowerShell literal", "@{invitedUser=System.Collections.Hashtable}", "ConvertTo-Json"),
    ("XML", "<request/>", "XML"),
    ("a list in base64", base64.b64encode(b"hello there"), "base64, but not of JSON"),
    ("anything else", "hello", "neither JSON nor base64 of JSON"),
]


@pytest.mark.parametrize(("raw", "said"), [row[1:] for row in HINTS], ids=[row[0] for row in HINTS])
def test_a_refusal_names_what_kind_of_body_it_is(raw: bytes | str, said: str) -> None:
    error = refused(raw)
    assert (error.code, error.target) == ("NotJson", "")
    assert said in error.message
    assert "expected a JSON object" in error.message
    assert len(error.message) < 300


def test_a_refusal_says_if_the_body_is_json_inside_a_json_string() -> None:
    error = refused(json.dumps(RAW.decode()))
    assert error.code == "WrongType"
    assert "JSON inside a JSON string" in error.message
    assert "inside" not in refused('"hello"').message


ALMOST: list[tuple[str, str]] = [
    (str(REQUEST), "json.dumps"),
    ("{ 'invitedUser': {} }", "json.dumps"),
    ("{invitedUser: {id: 1}}", "names stand in double quotes"),
    ("{\u201cinvitedUser\u201d: 1}", "U+201C LEFT DOUBLE QUOTATION MARK is no double quote"),
    (RAW.decode() + RAW.decode(), "each request alone"),
    (RAW.decode() + "\n" + RAW.decode(), "each request alone"),
]


@pytest.mark.parametrize(("text", "said"), ALMOST)
def test_a_refusal_of_almost_json_says_what_to_change(text: str, said: str) -> None:
    error = refused(text)
    assert (error.code, error.target) == ("NotJson", "")
    assert said in error.message
    assert "(" not in refused('{"invitedUser": tru}').message.partition("(byte")[0]


def test_a_refusal_of_base64_in_quotes_says_to_remove_the_quotes() -> None:
    assert "without the quotes" in refused(json.dumps(BASE64)).message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"InvitedUser": {"id": ANNA}}, "InvitedUser: not a known field; it is written invitedUser"),
        ({"invitedUser": {"ID": ANNA}}, "invitedUser.ID: not a known field; it is written id"),
        ({"invitedUser": {"upn": ANNA}}, "invitedUser.upn: not a known field"),
    ],
)
def test_a_refusal_of_a_misspelled_field_names_the_right_spelling(body: dict[str, Any], said: str) -> None:
    assert refused(json.dumps(body)).message == said


@given(st.text(max_size=80) | st.binary(max_size=80))
def test_a_body_that_does_not_begin_like_json_is_not_called_malformed_json(raw: str | bytes) -> None:
    body = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    if body.strip()[:1] in b'{["':
        return
    try:
        parse(body, POLICY)
    except MalformedRequest as error:
        assert "JSON is malformed" not in error.message  # noqa: PT017  a refusal is one of two right answers


WRAPPED = {"$content-type": "application/json", "$content": BASE64}
EVENT = {
    "id": "1", "eventType": "Contoso.Left", "subject": "s", "eventTime": "2026-11-27T08:00:00Z", "data": REQUEST,
    "dataVersion": "1.0", "metadataVersion": "1", "topic": "/t",
}  # fmt: skip
HANDSHAKE = [{"id": "1", "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {}}]


@pytest.mark.parametrize(
    ("body", "target", "said"),
    [
        (WRAPPED, "$content", "base64ToString"),
        ({"ContentData": BASE64}, "ContentData", "base64ToString"),
        (EVENT, "eventType", "CloudEvents 1.0"),
    ],
    ids=["a file in Logic Apps", "a message in Logic Apps", "Event Grid"],
)
def test_a_refusal_names_the_platform_that_wrapped_the_request(body: dict[str, Any], target: str, said: str) -> None:
    error = refused(json.dumps(body))
    assert (error.code, error.target) == ("UnknownField", target)
    assert said in error.message


def test_a_refusal_recognises_the_handshake_of_event_grid() -> None:
    error = refused(json.dumps(HANDSHAKE))
    assert error.code == "WrongType"
    assert "CloudEvents 1.0" in error.message


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ({"specversion": "1.0", "id": "1", "source": "/hr", "type": "t", "data": REQUEST}, "each event come alone"),
        (REQUEST, "each request alone"),
    ],
)
def test_a_refusal_of_a_list_says_to_send_each_item_alone(listed: dict[str, Any], said: str) -> None:
    assert said in refused(json.dumps([listed])).message
    assert "alone" not in refused("[1]").message


ASKED = {"WebHook-Request-Origin": "eventgrid.azure.net", "WebHook-Request-Rate": "120"}


@pytest.mark.parametrize("spelled", [str, str.lower, str.upper])
def test_a_webhook_handshake_allows_the_origin_that_it_names(spelled: Callable[[str], str]) -> None:
    granted = permission({spelled(name): value for name, value in ASKED.items()})
    assert granted["WebHook-Allowed-Origin"] == "eventgrid.azure.net"
    assert granted["WebHook-Allowed-Rate"] == "*"
    assert granted["Allow"] == "POST, OPTIONS"


@given(st.text(max_size=20).filter(lambda text: not re.fullmatch(r"[A-Za-z0-9.-]{1,253}", text.strip())))
def test_a_webhook_origin_that_is_no_host_name_is_never_echoed(origin: str) -> None:
    assert permission({"WebHook-Request-Origin": origin}) == {"Allow": "POST, OPTIONS"}
    assert permission({}) == {"Allow": "POST, OPTIONS"}


def test_the_data_of_a_cloudevent_may_be_base64() -> None:
    event = {"specversion": "1.0", "id": "A-1", "source": "/hr", "type": "com.contoso.convert"}
    inner = {"invitedUser": {"id": ANNA}}
    plain = json.dumps({**event, "data": inner}).encode()
    wrapped = textwrap.fill(base64.b64encode(json.dumps(inner).encode()).decode(), 40)
    assert parse(json.dumps({**event, "data_base64": wrapped}).encode(), POLICY) == parse(plain, POLICY)
    error = refused(json.dumps({**event, "data_base64": "hello!"}))
    assert (error.code, error.target) == ("NotJson", "data_base64")
    both = refused(json.dumps({**event, "data": inner, "data_base64": wrapped}))
    assert (both.code, both.target) == ("InvalidValue", "data_base64")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("requestId", "r-1"),
        ("invitedUserEmailAddress", "anna@fabrikam.com"),
        ("inviteRedirectUrl", "https://myapps.microsoft.com"),
        ("invitedUserSponsors", [ANNA]),
        ("invitedUserMessageInfo", {"messageLanguage": "en-US"}),
        ("invitedUserMessageInfo", {"ccRecipients": [{"emailAddress": {"address": "b@contoso.com"}}]}),
        ("invitedUser", {"id": ANNA}),
        ("invitedUser", {"userPrincipalName": "anna@contoso.com"}),
        ("invitedUser", {"mail": "anna@contoso.com"}),
    ],
)
@pytest.mark.parametrize("space", [" ", "\t", "\u00a0", "\r\n", "\u2003"])
def test_white_space_around_identifiers_and_addresses_is_removed(field: str, value: Any, space: str) -> None:
    def padded(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: padded(member) for name, member in part.items()}
        return [padded(member) for member in part] if isinstance(part, list) else f"{space}{part}{space}"

    plain = json.dumps({"invitedUser": {"id": ANNA}, field: value}).encode()
    spaced = json.dumps({"invitedUser": {"id": ANNA}, field: padded(value)}).encode()
    assert parse(spaced, POLICY) == parse(plain, POLICY)


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("userPrincipalName", "enc01@contoso.com\u200b", "U+200B ZERO WIDTH SPACE"),
        ("userPrincipalName", "an na@contoso.com", "U+0020 SPACE"),
        ("mail", "anna\u00a0b@contoso.com", "U+00A0 NO-BREAK SPACE"),
        ("mail", "anna\u0007@contoso.com", "U+0007"),
        ("id", f"{ANNA[:8]}\u2010{ANNA[9:]}", "U+2010 HYPHEN"),
        ("id", "{" + ANNA + "}", "without braces"),
        ("id", ANNA.replace("-", ""), "with hyphens"),
    ],
)
def test_a_refusal_names_the_wrong_character(field: str, text: str, said: str) -> None:
    error = refused(json.dumps({"invitedUser": {field: text}}))
    assert (error.code, error.target) == ("InvalidValue", f"invitedUser.{field}")
    assert said in error.message


EMPTY_MEANS_ABSENT = (
    "requestId", "invitedUserEmailAddress", "inviteRedirectUrl", "sendInvitationMessage", "dryRun", "callbackUrl",
    "invitedUserMessageInfo", "invitedUserSponsors",
)  # fmt: skip


@pytest.mark.parametrize("field", EMPTY_MEANS_ABSENT)
def test_an_empty_string_in_an_optional_field_means_absent(field: str) -> None:
    plain = json.dumps({"invitedUser": {"id": ANNA}}).encode()
    empty = json.dumps({"invitedUser": {"id": ANNA, "mail": ""}, field: ""}).encode()
    assert parse(empty, POLICY) == parse(plain, POLICY)
    info = json.dumps({"invitedUser": {"id": ANNA}, "invitedUserMessageInfo": {"messageLanguage": ""}}).encode()
    assert parse(info, POLICY).request.invited_user_message_info is not None


def test_an_empty_string_in_a_required_field_is_refused() -> None:
    assert refused('{"invitedUser": ""}').code == "WrongType"
    assert refused('{"invitedUser": {"id": ""}}').message == (
        "invitedUser: expected exactly one of id, userPrincipalName, mail"
    )
