"""Write the page on requests: names and types of fields come from the app's types, limits from its checks."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

from b2b.api import bodies
from b2b.domain.request.body import JSON_TYPES, MAX_BODY_BYTES
from b2b.domain.request.ids import ID_CHARACTERS, LONGEST_ID
from b2b.domain.request.model import (
    LONGEST_DOMAIN,
    LONGEST_LOCAL_PART,
    MAX_ADDRESS,
    MAX_CC_RECIPIENTS,
    MAX_SPONSORS,
    ConversionRequest,
)
from b2b.domain.request.redirect import FORBIDDEN, LONGEST_URL
from reference.pages import MADE
from reference.tables import coded, table


class Field(NamedTuple):
    """What the page says about a field: its meaning, the values it accepts, and an example, which the tests send."""

    meaning: str
    taken: str
    example: Any


_ID = "object id: 8-4-4-4-12 hex digits with hyphens"
_NAME = (
    f"`name@domain`: at most {LONGEST_LOCAL_PART} characters before the `@` and {LONGEST_DOMAIN} after it, no `/` or "
    "`\\`, none that cannot be seen"
)
_BOOLEAN = "`true` or `false`"
_ANNA, _BORIS = "6c1f7c62-6d3b-4a53-8f0c-0d6f0c1f3a11", "0f2b9b0e-97a2-4c8e-9a5d-2f1f6f4f0b22"
NOT_YET = "callbackUrl"
"""A field that the app knows only in order to refuse it with the right reason."""

FIELDS: Mapping[str, Field] = {
    "invitedUser": Field(
        "the account to convert, by one of its names",
        "exactly one of `id`, `userPrincipalName`, `mail`",
        {"userPrincipalName": "anna@contoso.com"},
    ),
    "invitedUser.id": Field("its object id", _ID, _ANNA),
    "invitedUser.userPrincipalName": Field("its user principal name", _NAME, "anna@contoso.com"),
    "invitedUser.mail": Field(
        "an address of it: the one account whose `mail` or `otherMails` holds it", _NAME, "anna@fabrikam.com"
    ),
    "invitedUserEmailAddress": Field(
        "the external address that is invited; without it the account's own: `mail`; under profile `2020` the first "
        "of `otherMails` for cloud-only accounts",
        f"at most {MAX_ADDRESS} characters; what Graph does not take in it is the finding `address-characters`",
        "anna@fabrikam.com",
    ),
    "sendInvitationMessage": Field(
        "whether Microsoft sends its mail; without it `B2B_SEND_INVITATION_MESSAGE`", _BOOLEAN, example=False
    ),
    "inviteRedirectUrl": Field(
        "where the person lands; it is sent byte for byte, except that `http` becomes `https` and an empty "
        "`tenantId=` is filled in; without it `B2B_INVITE_REDIRECT_URL`",
        f"absolute http(s) URL of at most {LONGEST_URL} bytes, without user, password or port, with a host from "
        f"`B2B_ALLOWED_REDIRECT_HOSTS`; none of `{FORBIDDEN}` and no character that cannot be seen",
        "https://myapps.microsoft.com?tenantId=",
    ),
    "invitedUserMessageInfo": Field(
        "what Microsoft's mail is like", "an object of its fields", {"messageLanguage": "de-DE"}
    ),
    "invitedUserMessageInfo.messageLanguage": Field("its language", "a language tag", "de-DE"),
    "invitedUserMessageInfo.ccRecipients": Field(
        "who gets a copy: with the link in it, which opens the account",
        f"at most {MAX_CC_RECIPIENTS}",
        [{"emailAddress": {"address": "sponsor@contoso.com"}}],
    ),
    "invitedUserMessageInfo.ccRecipients[].emailAddress": Field(
        "that person", "an object of its fields", {"name": "Ben Weber", "address": "sponsor@contoso.com"}
    ),
    "invitedUserMessageInfo.ccRecipients[].emailAddress.name": Field("a name", "any text", "Ben Weber"),
    "invitedUserMessageInfo.ccRecipients[].emailAddress.address": Field(
        "an address, required", _NAME, "sponsor@contoso.com"
    ),
    "invitedUserMessageInfo.customizedMessageBody": Field(
        "not sent: Microsoft drops it when an application invites, and it would make Graph ignore the language; the "
        "finding `custom-message-dropped` says so",
        "any text",
        "Welcome",
    ),
    "invitedUserSponsors": Field(
        "users or groups who answer for the person",
        f"at most {MAX_SPONSORS}, each once; {_ID}",
        [_ANNA, _BORIS],
    ),
    "requestId": Field(
        "your idempotency key; the same key with another body is an error",
        f"1 to {LONGEST_ID} of the characters `{ID_CHARACTERS}`, but not `.` or `..`",
        "supplier-4711",
    ),
    "dryRun": Field("assess only", _BOOLEAN, example=True),
    NOT_YET: Field("nothing delivers callbacks yet", "left out", None),
}
_DECISION = f"1 to {bodies.LONGEST_NAME} characters"
_REASON = f"1 to {bodies.LONGEST_REASON} characters"
BODIES: Mapping[str, tuple[type[msgspec.Struct], Mapping[str, Field]]] = {
    "approve": (
        bodies.Approval,
        {
            "approvedBy": Field("who approves", _DECISION, "ops@contoso.com"),
            "reason": Field("why", _REASON, "known supplier"),
        },
    ),
    "refuse": (
        bodies.Refusal,
        {
            "refusedBy": Field("who refuses", _DECISION, "ops@contoso.com"),
            "reason": Field("why", _REASON, "left the company"),
        },
    ),
}


_NAMES = {"StrType": "str", "BoolType": "bool", "ListType": "list", "StructType": "dict"}


class Typed(NamedTuple):
    """A field as the app reads it: its path, the name of its JSON type, and whether it is required."""

    path: str
    type: str
    required: bool


def typed(kind: type[msgspec.Struct]) -> list[Typed]:
    """Return all fields of a type, including those of nested types."""
    return list(_typed(inspect.type_info(kind), ""))


def _typed(kind: Any, prefix: str) -> Iterator[Typed]:
    for field in kind.fields:
        path, inner = f"{prefix}{field.encode_name}", _without_null(field.type)
        yield Typed(path, _json_type(inner), field.required)
        member = inner.item_type if isinstance(inner, inspect.ListType) else inner
        if isinstance(member, inspect.StructType):
            yield from _typed(member, f"{path}{'[]' if member is not inner else ''}.")


def _without_null(kind: Any) -> Any:
    if isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        (kind,) = (each for each in kind.types if not isinstance(each, inspect.NoneType))
    return kind


def _json_type(kind: Any) -> str:
    return JSON_TYPES[_NAMES[type(kind).__name__]]


def _rows(kind: type[msgspec.Struct], fields: Mapping[str, Field]) -> list[list[str]]:
    found = typed(kind)
    if {field.path for field in found} != fields.keys():
        raise ValueError(f"said of no field, or not said: {fields.keys() ^ {field.path for field in found}}")
    return [
        [
            coded(field.path),
            field.type + (", required" if field.required else ""),
            fields[field.path].meaning,
            fields[field.path].taken,
            coded("" if fields[field.path].example is None else json.dumps(fields[field.path].example)),
        ]
        for field in found
    ]


def page() -> str:
    """Return the page docs/reference/request.md."""
    head = ["field", "type", "meaning", "what is taken", "example"]
    decisions = "\n".join(
        f"Body of `POST /api/requests/{{requestId}}/{name}`; who decides is required, unless a person signed in:\n\n"
        f"{table(head, _rows(*body))}"
        for name, body in BODIES.items()
    )
    return f"""{MADE}
# A request

At most {MAX_BODY_BYTES // 1024} KiB of JSON in UTF-8, raw or in base64 (white space inside means nothing), bare or as
`data` or `data_base64` of a CloudEvents 1.0 envelope. `null` means absent, and so does `""` in a field that may be left
out. White space around identifiers and addresses is cut off. A name that is not in the table is refused, and so is one
that is given twice. All that is wrong is told at once, in `details`; a character that is not taken is named.

{table(head, _rows(ConversionRequest, FIELDS))}
## Decisions

{decisions}"""
