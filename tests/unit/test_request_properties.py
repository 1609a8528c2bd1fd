"""Properties of parsing: any input gives a request or a refusal, and what the app writes it can read."""

import base64
import contextlib
import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from kiota_serialization_json.json_serialization_writer import JsonSerializationWriter

from b2b.adapters.invitation import graph_invitation
from b2b.domain.characters import shown, unseen
from b2b.domain.eligibility import facts
from b2b.domain.errors import MalformedRequest, RequestRefused
from b2b.domain.invitation import Defaults, invitation_for
from b2b.domain.request import ConversionRequest, IntakePolicy, parse
from b2b.domain.request.leftover import keeps_metadata, told_request_id
from tests.unit.cases import ADDRESS, ANNA, CONTOSO

POLICY = IntakePolicy(frozenset({"myapps.microsoft.com"}))
DEFAULTS = Defaults("https://myapps.microsoft.com", send_message=True)
FIELDS = sorted(field.encode_name for field in msgspec.structs.fields(ConversionRequest))
NAMES = st.sampled_from(
    [*FIELDS, "id", "mail", "specversion", "source", "type", "data", "emailAddress", "ccRecipients"]
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=5),
    max_leaves=12,
)
GUIDS = st.uuids().map(str)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
REQUESTS = st.fixed_dictionaries(
    {"invitedUser": GUIDS.map(lambda guid: {"id": guid})},
    optional={
        "requestId": st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True).filter(
            lambda text: text not in {".", ".."}
        ),
        "dryRun": st.booleans() | st.none(),
        "sendInvitationMessage": st.booleans() | st.none(),
        "invitedUserEmailAddress": TEXT.filter(str.strip),
        "inviteRedirectUrl": st.sampled_from(
            ["https://myapps.microsoft.com?tenantId=", "http://myapps.microsoft.com/a"]
        ),
        "invitedUserSponsors": st.lists(GUIDS, max_size=5, unique=True),
        "invitedUserMessageInfo": st.fixed_dictionaries(
            {},
            optional={
                "customizedMessageBody": TEXT,
                "messageLanguage": st.sampled_from(["en", "pt-BR"]),
                "ccRecipients": TEXT.map(lambda name: [{"emailAddress": {"name": name, "address": "b@adatum.com"}}]),
            },
        ),
    },
)


def swallow(raw: bytes) -> None:
    """Parse a body and ignore a refusal; any other error fails the test."""
    with contextlib.suppress(RequestRefused):
        parse(raw, POLICY)
    told_request_id(raw)
    keeps_metadata(raw)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_only_refusals(raw: bytes) -> None:
    swallow(raw)
    swallow(base64.b64encode(raw))


@given(JSON)
def test_arbitrary_json_raises_only_refusals(value: Any) -> None:
    swallow(json.dumps(value).encode())


@given(REQUESTS, st.dictionaries(NAMES, JSON, min_size=1, max_size=2))
def test_a_request_with_any_value_in_any_field_raises_only_refusals(
    request: dict[str, Any], noise: dict[str, Any]
) -> None:
    swallow(json.dumps({**request, **noise}).encode())


@given(TEXT)
def test_any_redirect_address_is_accepted_or_refused_by_its_field(url: str) -> None:
    raw = json.dumps({"invitedUser": {"mail": "a@adatum.com"}, "inviteRedirectUrl": f"https://{url}"}).encode()
    try:
        parse(raw, POLICY)
    except MalformedRequest as error:
        assert error.target == "inviteRedirectUrl"  # noqa: PT017  a refusal is one of two right answers


TAGS = st.sampled_from(["en", "pt-BR", "zh-Hans-CN", "de-AT"])
NAMES_OF_PEOPLE = TEXT.filter(lambda text: text.strip())
PEOPLE = st.fixed_dictionaries({"name": NAMES_OF_PEOPLE, "address": st.emails()})


@given(TAGS, PEOPLE, st.lists(GUIDS, max_size=5, unique=True), st.booleans())
def test_accepted_message_settings_and_sponsors_reach_graph_unchanged(
    language: str,
    copy: dict[str, str],
    sponsors: list[str],
    sends: bool,  # noqa: FBT001 - a column
) -> None:
    assume(unseen(copy["address"]) is None)
    info = {"messageLanguage": language, "ccRecipients": [{"emailAddress": copy}], "customizedMessageBody": "Hi"}
    document = {
        "invitedUser": {"id": ANNA},
        "invitedUserMessageInfo": info,
        "invitedUserSponsors": sponsors,
        "sendInvitationMessage": sends,
    }
    try:
        request = parse(json.dumps(document).encode(), POLICY).request
    except MalformedRequest as error:
        assert "the character" in error.message  # noqa: PT017  an address with a slash
        return
    writer = JsonSerializationWriter()
    writer.write_object_value(None, graph_invitation(invitation_for(request, ANNA, ADDRESS, CONTOSO, DEFAULTS)))
    sent = json.loads(writer.get_serialized_content())
    assert sent["invitedUserMessageInfo"] == {"messageLanguage": language, "ccRecipients": [{"emailAddress": copy}]}
    assert sent.get("invitedUserSponsors", []) == [{"id": sponsor} for sponsor in sponsors]
    assert sent["sendInvitationMessage"] is sends


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters='@"'), max_size=30).filter(str.strip))
def test_an_accepted_name_reaches_graph_unchanged_in_path_and_filter(name: str) -> None:
    """In the path and in the filter, with the escapes of OData and of the URL."""
    for field, path in (("userPrincipalName", True), ("mail", False)):
        raw = json.dumps({"invitedUser": {field: f"{name}@contoso.com"}}).encode()
        try:
            user = parse(raw, POLICY).request.invited_user
        except MalformedRequest as error:
            assert "the character" in error.message  # noqa: PT017  a refusal is one of two right answers
            continue
        (ask,) = [each for each in facts.ACCOUNT.asks if each.placeholders == facts.selector(user).keys()]
        split = urlsplit(ask.url(facts.selector(user)))
        wanted = f"{name}@contoso.com".strip()
        if path:
            asked = unquote(split.path.removeprefix("/users"))
            assert asked in {f"/{wanted}", "('" + wanted.replace("'", "''") + "')"}
        else:
            (text,) = parse_qs(split.query)["$filter"]
            assert text.startswith("mail eq '" + wanted.replace("'", "''") + "' or ")


FOREIGN = st.characters(exclude_categories=["Cs"], exclude_characters="abc-.")


@given(FOREIGN, st.sampled_from(["requestId", "messageLanguage", "id", "sponsor", "userPrincipalName", "cc", "host"]))
def test_a_refusal_because_of_a_character_names_it(character: str, field: str) -> None:
    wrong = f"ab{character}cd"
    documents: dict[str, dict[str, Any]] = {
        "requestId": {"requestId": wrong},
        "messageLanguage": {"invitedUserMessageInfo": {"messageLanguage": wrong}},
        "id": {"invitedUser": {"id": wrong}},
        "sponsor": {"invitedUserSponsors": [wrong]},
        "userPrincipalName": {"invitedUser": {"userPrincipalName": f"{wrong}@contoso.com"}},
        "cc": {"invitedUserMessageInfo": {"ccRecipients": [{"emailAddress": {"address": f"{wrong}@contoso.com"}}]}},
        "host": {"inviteRedirectUrl": f"https://my{wrong}.microsoft.com/"},
    }
    try:
        parse(json.dumps({"invitedUser": {"id": ANNA}, **documents[field]}).encode(), POLICY)
    except MalformedRequest as error:
        said = re.findall(r"the character ('.'|\"'\"|U\+[0-9A-F]{4,6})", error.message)
        belongs = character.isascii() and character.isprintable() and character != " "
        assert said in ([shown(character).split()[0]], [] if belongs else None)


@given(REQUESTS)
def test_a_request_can_be_read_back_from_its_message(document: dict[str, Any]) -> None:
    request, request_id = parse(json.dumps(document).encode(), POLICY)
    again = parse(request.message("made-1"), POLICY)
    assert request_id == document.get("requestId")
    assert again.request_id == "made-1"
    assert again.request.body_hash() == request.body_hash()
    assert msgspec.json.decode(request.body(), type=ConversionRequest) == msgspec.structs.replace(
        request, request_id=None
    )


@given(REQUESTS, st.randoms(use_true_random=False))
def test_the_hash_does_not_depend_on_the_order_of_names_or_on_base64(document: dict[str, Any], random: Any) -> None:
    names = list(document)
    random.shuffle(names)
    shuffled = json.dumps({name: document[name] for name in names}, ensure_ascii=False).encode()
    plain = parse(json.dumps(document).encode(), POLICY).request.body_hash()
    assert parse(shuffled, POLICY).request.body_hash() == plain
    assert parse(base64.b64encode(shuffled), POLICY).request.body_hash() == plain


class Sample(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A structure like those of a request."""

    wanted_name: str
    numbers: list[int] = []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"wantedName": "x", "other": 1}, "Object contains unknown field `other`"),
        ({}, "Object missing required field `wantedName`"),
        ({"wantedName": 7}, "Expected `str`, got `int` - at `$.wantedName`"),
        ({"wantedName": "x", "numbers": [1, "2"]}, "Expected `int`, got `str` - at `$.numbers[1]`"),
        ([], "Expected `object`, got `array`"),
    ],
)
def test_the_error_texts_of_msgspec_are_as_the_refusals_expect(value: Any, text: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(value, Sample)
    assert str(caught.value) == text
