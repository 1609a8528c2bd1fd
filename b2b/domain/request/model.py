"""The conversion request of a caller, as a typed value.

Field names are those of Graph's invitation, so the body in Microsoft's article is a valid request without changes
(https://learn.microsoft.com/entra/external-id/invite-internal-users).
"""

import json
from typing import Any, NamedTuple

import msgspec

from b2b.domain.hashing import digest

MAX_CC_RECIPIENTS = 1
"""Graph: "Currently only one additional recipient is supported" (invitedUserMessageInfo)."""
MAX_SPONSORS = 5
"""Graph accepts at most five sponsors for a user."""
LONGEST_LOCAL_PART, LONGEST_DOMAIN = 64, 255
"""The most characters before and after the @ (RFC 5321)."""
MAX_ADDRESS = LONGEST_LOCAL_PART + len("@") + LONGEST_DOMAIN

TRIMMED = frozenset(
    {
        "requestId",
        "id",
        "userPrincipalName",
        "mail",
        "invitedUserEmailAddress",
        "inviteRedirectUrl",
        "messageLanguage",
        "address",
        "invitedUserSponsors",
        "callbackUrl",
    }
)
"""Fields with identifiers and addresses. White space around them comes from spreadsheets and is removed."""


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """A part of the request. Names are camelCase in JSON; an unknown field is refused by name."""


class InvitedUser(_Part, frozen=True):
    """The account to convert. Exactly one of the fields is set."""

    id: str | None = None
    user_principal_name: str | None = None
    mail: str | None = None


class EmailAddress(_Part, frozen=True):
    """Graph's emailAddress."""

    name: str | None = None
    address: str | None = None


class Recipient(_Part, frozen=True):
    """Graph's recipient."""

    email_address: EmailAddress


class MessageInfo(_Part, frozen=True):
    """Graph's invitedUserMessageInfo. An application's custom text is dropped, and makes Graph ignore the language."""

    message_language: str | None = None
    cc_recipients: list[Recipient] = []
    customized_message_body: str | None = None


class ConversionRequest(_Part, frozen=True):
    """A caller's request to convert one account. ``None`` means that the caller left a field out."""

    invited_user: InvitedUser
    invited_user_email_address: str | None = None
    send_invitation_message: bool | None = None
    invite_redirect_url: str | None = None
    invited_user_message_info: MessageInfo | None = None
    invited_user_sponsors: list[str] = []
    request_id: str | None = None
    dry_run: bool | None = None
    callback_url: str | None = None

    def body(self) -> bytes:
        """Return the canonical JSON without `requestId`. Two requests are the same if these bytes are equal."""
        return _text({name: value for name, value in msgspec.to_builtins(self).items() if name != "requestId"})

    def message(self, request_id: str) -> bytes:
        """Return the canonical JSON with this request id, as the app puts it on the queue."""
        return _text({**msgspec.to_builtins(self), "requestId": request_id})

    def body_hash(self) -> str:
        """Return the SHA-256 of `body` in hex. Two requests with one id are repeats if their hashes are equal."""
        return digest(self.body())


class Parsed(NamedTuple):
    """A request that was understood, and the id that its caller or envelope gave it; None if neither did."""

    request: ConversionRequest
    request_id: str | None


def _text(document: dict[str, Any]) -> bytes:
    """Return JSON in UTF-8 for a queue message. The two characters that XML does not allow are escaped."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff").encode()
