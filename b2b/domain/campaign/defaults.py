"""The defaults of a campaign: what each of its requests says unless the member's row says something else."""

from typing import Any, Final

import msgspec

from b2b.domain.errors import MalformedRequest
from b2b.domain.request import IntakePolicy
from b2b.domain.request.parse import parse_document

FIELDS: Final = (
    "sendInvitationMessage",
    "inviteRedirectUrl",
    "invitedUserMessageInfo",
    "invitedUserSponsors",
)
"""The fields that defaults may set: those that do not name an account."""
_ANYBODY: Final = {"invitedUser": {"id": "00000000-0000-0000-0000-000000000000"}}
"""A placeholder account, because defaults name none and a request without an account cannot be parsed."""


def defaults_of(document: dict[str, Any], policy: IntakePolicy) -> bytes:
    """Return defaults as they are stored: canonical JSON, or empty if they set nothing.

    Raises:
        MalformedRequest: fields are wrong; the error names every one of them.

    """
    try:
        request, _ = parse_document({**document, **_ANYBODY}, policy)
    except MalformedRequest as error:
        first, *others = (
            MalformedRequest(each.code, f"defaults.{each.message}", f"defaults.{each.target}")
            for each in (error, *error.others)
        )
        raise first.with_others(others) from error
    said = {name: value for name, value in msgspec.to_builtins(request).items() if name in FIELDS}
    return msgspec.json.encode(said, order="sorted") if said else b""
