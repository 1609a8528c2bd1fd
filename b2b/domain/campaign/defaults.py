"""What every request of a campaign says unless its row says something else."""

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
"""What a request may say without naming an account."""
_ANYBODY: Final = {"invitedUser": {"id": "00000000-0000-0000-0000-000000000000"}}
"""An account for the judgement of defaults, which name none."""


def defaults_of(document: dict[str, Any], policy: IntakePolicy) -> bytes:
    """Return defaults as they are stored: canonical JSON, empty where they say nothing.

    Raises:
        MalformedRequest: names every field that is wrong.

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
