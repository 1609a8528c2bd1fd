"""What a request may contain, and how a refusal names the field and what was expected."""

import json
from typing import Any

import pytest

from b2b.domain.errors import MalformedRequest
from b2b.domain.request import IntakePolicy, Parsed, parse
from tests.unit.cases import ANNA, BORIS

POLICY = IntakePolicy(frozenset({"myapps.microsoft.com"}))
ARTICLE = b"""{
    "invitedUserEmailAddress": "anna@fabrikam.com",
    "sendInvitationMessage": true,
    "invitedUserMessageInfo": {
        "messageLanguage": "en-US",
        "ccRecipients": [{"emailAddress": {"name": null, "address": "boris@fabrikam.com"}}],
        "customizedMessageBody": "Welcome to Contoso."
    },
    "inviteRedirectUrl": "https://myapps.microsoft.com?tenantId=",
    "invitedUser": {"id": "6c1f7c62-6d3b-4a53-8f0c-0d6f0c1f3a11"}
}"""
"""The request body of https://learn.microsoft.com/entra/external-id/invite-internal-users, with a partner's names."""
SPONSORS = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(6)]


def body(**fields: Any) -> bytes:
    return json.dumps({"invitedUser": {"id": ANNA}, **fields}).encode()


def understood(**fields: Any) -> Parsed:
    return parse(body(**fields), POLICY)


def refused(raw: bytes) -> MalformedRequest:
    with pytest.raises(MalformedRequest) as caught:
        parse(raw, POLICY)
    return caught.value


def test_the_body_of_microsofts_article_is_accepted_unchanged() -> None:
    request, request_id = parse(ARTICLE, POLICY)
    assert request_id is None
    assert request.invited_user.id == ANNA
    assert request.invited_user_email_address == "anna@fabrikam.com"
    assert request.send_invitation_message is True
    assert request.invite_redirect_url == "https://myapps.microsoft.com?tenantId="
    info = request.invited_user_message_info
    assert info is not None
    assert (info.message_language, info.customized_message_body) == ("en-US", "Welcome to Contoso.")
    assert [(to.email_address.name, to.email_address.address) for to in info.cc_recipients] == [
        (None, "boris@fabrikam.com")
    ]


def test_a_minimal_request_leaves_everything_else_unset() -> None:
    request, request_id = understood()
    assert request_id is None
    assert request.send_invitation_message is None
    assert request.dry_run is None
    assert request.invited_user_sponsors == []


@pytest.mark.parametrize(
    "fields",
    [
        {"invitedUser": {"userPrincipalName": "anna@contoso.com"}},
        {"invitedUser": {"mail": "anna@fabrikam.com"}},
        {"invitedUser": {"id": ANNA.upper()}},
        {"invitedUser": {"id": ANNA, "mail": None}},
        {"requestId": "supplier-4711_A.b"},
        {"requestId": "r" * 64},
        {"dryRun": False},
        {"callbackUrl": None},
        {"invitedUserSponsors": SPONSORS[:5]},
        {"invitedUserMessageInfo": {"messageLanguage": "zh-Hant-TW"}},
        {"invitedUserEmailAddress": "not an address: a finding says so"},
        {"invitedUserEmailAddress": "a" * 320},
        {"sendInvitationMessage": False, "inviteRedirectUrl": "http://myapps.microsoft.com/x?tenantId="},
    ],
)
def test_a_request_with_this_field_is_accepted(fields: dict[str, Any]) -> None:
    assert understood(**fields).request_id == fields.get("requestId")


@pytest.mark.parametrize(
    ("fields", "code", "target"),
    [
        ({"unheardOf": 1}, "UnknownField", "unheardOf"),
        ({"tenantId": "x"}, "UnknownField", "tenantId"),
        ({"id": "x"}, "UnknownField", "id"),
        ({"dequeueCount": 1}, "UnknownField", "dequeueCount"),
        ({"requestID": "x"}, "UnknownField", "requestID"),
        ({"a`b": 1}, "UnknownField", "a`b"),
        ({"a\nb": 1}, "UnknownField", "a\nb"),
        ({" - at `$x": 1}, "UnknownField", " - at `$x"),
        ({"invitedUser": {"id": ANNA, "displayName": "Anna"}}, "UnknownField", "invitedUser.displayName"),
        ({"invitedUserMessageInfo": {"body": "x"}}, "UnknownField", "invitedUserMessageInfo.body"),
        ({"invitedUser": None}, "MissingField", "invitedUser"),
        (
            {"invitedUserMessageInfo": {"ccRecipients": [{}]}},
            "MissingField",
            "invitedUserMessageInfo.ccRecipients[0].emailAddress",
        ),
        ({"invitedUser": ANNA}, "WrongType", "invitedUser"),
        ({"invitedUser": {"id": 7}}, "WrongType", "invitedUser.id"),
        ({"dryRun": "true"}, "WrongType", "dryRun"),
        ({"dryRun": 1}, "WrongType", "dryRun"),
        ({"dryRun": []}, "WrongType", "dryRun"),
        ({"sendInvitationMessage": "yes"}, "WrongType", "sendInvitationMessage"),
        ({"requestId": 4711}, "WrongType", "requestId"),
        ({"inviteRedirectUrl": {}}, "WrongType", "inviteRedirectUrl"),
        ({"invitedUserSponsors": ANNA}, "WrongType", "invitedUserSponsors"),
        ({"invitedUserSponsors": [ANNA, 7]}, "WrongType", "invitedUserSponsors[1]"),
        (
            {"invitedUserMessageInfo": {"ccRecipients": [{"emailAddress": {"address": 7}}]}},
            "WrongType",
            "invitedUserMessageInfo.ccRecipients[0].emailAddress.address",
        ),
        ({"invitedUser": {}}, "InvalidValue", "invitedUser"),
        ({"invitedUser": {"id": ANNA, "mail": "anna@fabrikam.com"}}, "InvalidValue", "invitedUser"),
        (
            {"invitedUser": {"id": ANNA, "userPrincipalName": "a@contoso.com", "mail": "a@fabrikam.com"}},
            "InvalidValue",
            "invitedUser",
        ),
        ({"invitedUser": {"id": "anna"}}, "InvalidValue", "invitedUser.id"),
        ({"invitedUser": {"id": ANNA + "0"}}, "InvalidValue", "invitedUser.id"),
        ({"invitedUser": {"id": ANNA + "\n0"}}, "InvalidValue", "invitedUser.id"),
        ({"invitedUser": {"id": ""}}, "InvalidValue", "invitedUser"),
        ({"invitedUser": {"userPrincipalName": "anna"}}, "InvalidValue", "invitedUser.userPrincipalName"),
        ({"invitedUser": {"userPrincipalName": "a/../b@x.com/y"}}, "InvalidValue", "invitedUser.userPrincipalName"),
        ({"invitedUser": {"mail": "anna@fabrikam.com or true"}}, "InvalidValue", "invitedUser.mail"),
        ({"requestId": "a/b"}, "InvalidValue", "requestId"),
        ({"requestId": "a b"}, "InvalidValue", "requestId"),
        ({"requestId": "é"}, "InvalidValue", "requestId"),
        ({"requestId": "a\nb"}, "InvalidValue", "requestId"),
        ({"requestId": "r" * 65}, "InvalidValue", "requestId"),
        ({"invitedUserEmailAddress": "a" * 321}, "InvalidValue", "invitedUserEmailAddress"),
        (
            {"invitedUserMessageInfo": {"messageLanguage": "english please"}},
            "InvalidValue",
            "invitedUserMessageInfo.messageLanguage",
        ),
        (
            {"invitedUserMessageInfo": {"ccRecipients": [{"emailAddress": {"address": "a@b.example"}}] * 2}},
            "InvalidValue",
            "invitedUserMessageInfo.ccRecipients",
        ),
        (
            {"invitedUserMessageInfo": {"ccRecipients": [{"emailAddress": {"name": "Anna"}}]}},
            "InvalidValue",
            "invitedUserMessageInfo.ccRecipients",
        ),
        ({"invitedUserSponsors": SPONSORS}, "InvalidValue", "invitedUserSponsors"),
        ({"invitedUserSponsors": [BORIS, BORIS.upper()]}, "InvalidValue", "invitedUserSponsors"),
        ({"invitedUserSponsors": ["boris@contoso.com"]}, "InvalidValue", "invitedUserSponsors"),
        ({"callbackUrl": "https://contoso.com/hook"}, "CallbackNotAvailable", "callbackUrl"),
        ({"inviteRedirectUrl": "https://fabrikam.com"}, "RedirectHostNotAllowed", "inviteRedirectUrl"),
        ({"inviteRedirectUrl": "myapps"}, "InvalidValue", "inviteRedirectUrl"),
    ],
)
def test_a_refusal_has_a_code_and_the_path_of_the_field(fields: dict[str, Any], code: str, target: str) -> None:
    error = refused(body(**fields))
    assert (error.code, error.target, error.code.status) == (code, target, 400)
    assert error.message.startswith(target)
    assert len(error.message) > len(target) + 2


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"dryRun": "true"}, "dryRun: expected boolean, got string"),
        ({"dryRun": 1.5}, "dryRun: expected boolean, got number"),
        ({"invitedUser": {"id": 7}}, "invitedUser.id: expected string, got number"),
        ({"invitedUser": {"id": True}}, "invitedUser.id: expected string, got boolean"),
        ({"invitedUser": [ANNA]}, "invitedUser: expected object, got array"),
        ({"invitedUserMessageInfo": "Welcome"}, "invitedUserMessageInfo: expected object, got string"),
        ({"invitedUserSponsors": {}}, "invitedUserSponsors: expected array, got object"),
        ({"invitedUserSponsors": [None]}, "invitedUserSponsors[0]: expected string, got null"),
        ({"invitedUser": None}, "invitedUser: required"),
        ({"unheardOf": 1}, "unheardOf: not a known field"),
        ({"invitedUser": {}}, "invitedUser: expected exactly one of id, userPrincipalName, mail"),
        ({"requestId": "a" * 65}, "requestId: expected 1 to 64 of the characters A-Z a-z 0-9 . _ -"),
    ],
)
def test_the_refusal_of_a_request_says_what_was_expected(fields: dict[str, Any], expected: str) -> None:
    assert refused(body(**fields)).message == expected


def test_all_faults_of_a_request_are_reported_at_once() -> None:
    error = refused(body(invitedUser={"id": "anna"}, requestId="a b", callbackUrl="https://contoso.com/hook"))
    faults = [(fault.code, fault.target) for fault in (error, *error.others)]
    assert faults == [
        ("InvalidValue", "requestId"),
        ("InvalidValue", "invitedUser.id"),
        ("CallbackNotAvailable", "callbackUrl"),
    ]


def test_a_refused_redirect_names_the_hosts_that_are_allowed_and_the_setting() -> None:
    message = refused(body(inviteRedirectUrl="https://fabrikam.com")).message
    assert "myapps.microsoft.com" in message
    assert "B2B_ALLOWED_REDIRECT_HOSTS" in message


@pytest.mark.parametrize(
    "url",
    [
        "https://anna:secret@myapps.microsoft.com/",
        "https://@myapps.microsoft.com/",
        "https://evil.example\\@myapps.microsoft.com/",
        "https:\\\\myapps.microsoft.com",
        "https://myapps.microsoft.com\\.evil.example/",
        "https://myapps.microsoft.com:443/",
        "https://myapps.microsoft.com:8443/",
        "https://myapps.microsoft.com:99999/",
        "https://myapps.microsoft.com:x/",
        "https://myapps.microsoft.com/a b",
        "https://myapps.microsoft.com/\tx",
        "https://myapps.micro\nsoft.com/",
        "https://myapps.microsoft.com/<script>",
        "\x00https://myapps.microsoft.com/",
        "https:myapps.microsoft.com",
        "https:///myapps.microsoft.com",
        "//myapps.microsoft.com",
        "myapps.microsoft.com",
        "javascript:alert(1)",
        "ftp://myapps.microsoft.com/",
        "https://[",
    ],
)
def test_a_redirect_that_is_no_plain_web_address_is_refused(url: str) -> None:
    error = refused(body(inviteRedirectUrl=url))
    assert (error.code, error.target) == ("InvalidValue", "inviteRedirectUrl")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://myapps.microsoft.com@evil.example",
        "https://myapps.microsoft.com:443@evil.example/",
        "https://evil.example?@myapps.microsoft.com",
        "https://evil.example#@myapps.microsoft.com",
        "https://evil.example/myapps.microsoft.com",
        "https://myapps.microsoft.com.evil.example/",
        "https://evilmyapps.microsoft.com/",
        "https://sub.myapps.microsoft.com/",
        "https://microsoft.com/",
        "https://myapps.microsoft.com./",
        "https://myapps.microsoft.com%2eevil.example/",
        "https://myapps.microsoft.com%00.evil.example/",
        "https://myapps.microsoft.com;.evil.example/",
        "https://myapps。microsoft。com/",
        "https://ⓜyapps.microsoft.com/",
        "https://mуapps.microsoft.com/",  # noqa: RUF001  a Cyrillic letter
        "https://xn--mapps-1of.microsoft.com/",
        "https://myapps.microsoft.com\u200b/",
        "https://127.0.0.1/",
        "https://[::1]/",
    ],
)
def test_a_host_that_only_looks_allowed_is_refused(url: str) -> None:
    assert refused(body(inviteRedirectUrl=url)).target == "inviteRedirectUrl"


@pytest.mark.parametrize(
    "url",
    [
        "https://myapps.microsoft.com",
        "http://myapps.microsoft.com/",
        "HTTPS://MyApps.Microsoft.COM/path?a=1#part",
        "https://myapps.microsoft.com/?next=https://evil.example/@x",
    ],
)
def test_an_allowed_host_is_accepted_in_any_case_and_with_any_path(url: str) -> None:
    assert understood(inviteRedirectUrl=url).request.invite_redirect_url == url


def test_a_request_has_the_same_hash_in_any_notation() -> None:
    plain = parse(ARTICLE, POLICY).request
    document = json.loads(ARTICLE)
    turned = {name: document[name] for name in reversed(document)}
    turned |= {"dryRun": None, "callbackUrl": None, "invitedUserSponsors": [], "requestId": "another"}
    written = parse(json.dumps(turned, indent=4).encode(), POLICY).request
    assert written.body_hash() == plain.body_hash()
    assert written.body() == plain.body()


@pytest.mark.parametrize(
    "changes", [{"dryRun": True}, {"invitedUserEmailAddress": "Anna@fabrikam.com"}, {"sendInvitationMessage": False}]
)
def test_another_request_has_another_hash(changes: dict[str, Any]) -> None:
    assert understood(**changes).request.body_hash() != understood().request.body_hash()


def test_the_queue_message_contains_the_request_and_its_id() -> None:
    request = parse(ARTICLE, POLICY).request
    again = parse(request.message("made-1"), POLICY)
    assert again.request_id == "made-1"
    assert again.request.body_hash() == request.body_hash()
    assert again.request.message("made-1") == request.message("made-1")


def test_the_canonical_body_is_small_sorted_and_without_the_request_id() -> None:
    request = understood(requestId="r", dryRun=True, invitedUserMessageInfo={"ccRecipients": []}).request
    assert request.body() == b'{"dryRun":true,"invitedUser":{"id":"%s"},"invitedUserMessageInfo":{}}' % ANNA.encode()


def test_the_refusal_of_a_name_that_is_too_long_says_the_limits() -> None:
    for name in ("a" * 65 + "@contoso.com", "anna@" + "c" * 256):
        message = refused(body(invitedUser={"userPrincipalName": name})).message
        assert message.endswith("expected name@domain, at most 64 characters before the @ and 255 after it")
