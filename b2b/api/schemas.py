"""Make the JSON schemas of bodies and answers from their structs.

The domain's structs carry no descriptions for callers. Their descriptions are here, with the limits of their values.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from b2b.api.answers import Answer
from b2b.domain.campaign import member
from b2b.domain.campaign.deciding import Choice
from b2b.domain.findings import Finding
from b2b.domain.request import ids
from b2b.domain.request.approval import Waived
from b2b.domain.request.model import (
    MAX_ADDRESS,
    MAX_CC_RECIPIENTS,
    MAX_SPONSORS,
    ConversionRequest,
    EmailAddress,
    InvitedUser,
    MessageInfo,
    Recipient,
)

JSON = dict[str, Any]
TEMPLATE = "#/components/schemas/{name}"

GUID: Final = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
KEY: Final = f"^{member.KEY.pattern}$"
REQUEST_ID: Final[JSON] = {"pattern": f"^{ids.REQUEST_ID.pattern}$", "maxLength": 64}
"""The schema of a request id. Its pattern forbids `.` and `..`."""
_F = Mapping[str, tuple[str, JSON]]
FIELDS: Final[Mapping[type[msgspec.Struct], _F]] = {
    ConversionRequest: {
        "invitedUser": ("The account to convert.", {}),
        "invitedUserEmailAddress": (
            "The external address; left out: the account's own.",
            {"maxLength": MAX_ADDRESS},
        ),
        "sendInvitationMessage": ("Whether Microsoft sends its mail; left out: as the app is set.", {}),
        "inviteRedirectUrl": ("Where the person lands after redeeming; its host must be allowed.", {}),
        "invitedUserMessageInfo": ("What Microsoft's mail says, and who gets a copy.", {}),
        "invitedUserSponsors": ("Object ids of the person's sponsors.", {"maxItems": MAX_SPONSORS}),
        "requestId": ("Your own id: sent again, it is the same request.", REQUEST_ID),
        "dryRun": ("Whether the account is only judged.", {}),
        "callbackUrl": ("Refused: nothing delivers callbacks yet.", {}),
    },
    InvitedUser: {
        "id": ("The object id of the account.", {"pattern": GUID}),
        "userPrincipalName": ("The user principal name of the account.", {}),
        "mail": ("An address that only this account has.", {}),
    },
    MessageInfo: {
        "messageLanguage": ("The language of the mail, such as en-US.", {}),
        "ccRecipients": ("Who gets a copy of the mail.", {"maxItems": MAX_CC_RECIPIENTS}),
        "customizedMessageBody": ("Not sent: Microsoft drops it when an application invites.", {}),
    },
    Recipient: {"emailAddress": ("The recipient's address.", {})},
    EmailAddress: {
        "name": ("The name of the recipient.", {}),
        "address": ("The address of the recipient.", {}),
    },
    Finding: {
        "rule": ("The id of the rule.", {}),
        "severity": ("How much it weighs.", {}),
        "message": ("What is so.", {}),
        "fix": ("What would mend it.", {}),
        "source": ("Where the rule comes from.", {}),
    },
    Choice: {
        "member": ("The key of the member.", {"pattern": KEY}),
        "findings": ("All findings under which the member was shown.", {}),
    },
    Waived: {
        "rule": ("The id of the rule.", {}),
        "message": ("What the finding says, word for word.", {}),
    },
}


def components(kinds: Iterable[type[msgspec.Struct]]) -> dict[str, JSON]:
    """Return the schemas of structs, and of the structs that they contain, by name."""
    wanted = tuple(dict.fromkeys(kinds))
    _, found = msgspec.json.schema_components(wanted, ref_template=TEMPLATE)
    described = {kind.__name__: kind for kind in (*FIELDS, *_answers(Answer))}
    return {name: _told(schema, described.get(name)) for name, schema in sorted(found.items())}


def _answers(kind: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    return [each for child in kind.__subclasses__() for each in (child, *_answers(child))]


def _told(schema: JSON, kind: type[msgspec.Struct] | None) -> JSON:
    schema = _nullable(schema)
    if "description" in schema:
        schema["description"] = schema["description"].partition(" ``")[0]
    if "enum" in schema:
        schema = {"type": "string", **schema}
    if kind is None or "properties" not in schema:
        return schema
    for name, (text, more) in FIELDS.get(kind, {}).items():
        schema["properties"][name] |= {"description": text, **more}
    if issubclass(kind, Answer):
        # A field that may be left out has the default UNSET. Every other field is always present, perhaps as null.
        fields = msgspec.structs.fields(kind)
        schema["required"] = [field.encode_name for field in fields if field.default is not msgspec.UNSET]
    return schema


def _nullable(schema: Any) -> Any:
    """Return a schema that says "this type or null" with a list of types, if it can: *Parse JSON* needs that."""
    if isinstance(schema, list):
        return [_nullable(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    left = {name: _nullable(value) for name, value in schema.items() if name != "default"}
    choices = left.get("anyOf", [])
    if {"type": "null"} in choices:
        others = [each for each in choices if each != {"type": "null"}]
        if len(others) == 1 and isinstance(others[0].get("type"), str):
            rest = {name: value for name, value in left.items() if name != "anyOf"}
            return {**others[0], **rest, "type": [others[0]["type"], "null"]}
    return left
