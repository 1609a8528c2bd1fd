"""Parse the body of `POST /invitations` and check its shape."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.tenant.directory.schema import USER
from rehearsal.tenant.directory.store import JSON
from rehearsal.tenant.protocol import errors

INVITATION_TYPES: Mapping[str, type] = {
    "id": str,
    "inviteRedeemUrl": str,
    "inviteRedirectUrl": str,
    "invitedUser": dict,
    "invitedUserDisplayName": str,
    "invitedUserEmailAddress": str,
    "invitedUserMessageInfo": dict,
    "invitedUserSponsors": list,
    "invitedUserType": str,
    "resetRedemption": bool,
    "sendInvitationMessage": bool,
    "status": str,
}
MESSAGE_INFO_TYPES: Mapping[str, type] = {"ccRecipients": list, "customizedMessageBody": str, "messageLanguage": str}
READ_ONLY = frozenset({"id", "inviteRedeemUrl", "status"})
EMPTY_MESSAGE_INFO: JSON = {
    "messageLanguage": None,
    "customizedMessageBody": None,
    "ccRecipients": [{"emailAddress": {"name": None, "address": None}}],
}
"""The message info in the documented answer to an invitation without any."""


@dataclass(frozen=True, slots=True)
class InvitationRequest:
    """A well-formed invitation. `user_id` is the account to convert; None invites a new guest."""

    address: str
    redirect_url: str
    user_id: str | None
    display_name: str | None
    user_type: str
    send_message: bool
    reset_redemption: bool
    message_info: JSON | None
    sponsors: tuple[str, ...]

    @property
    def domain(self) -> str:
        """The domain of the invited address, in lower case."""
        return self.address.rpartition("@")[2].lower()

    @property
    def local_part(self) -> str:
        """The part of the invited address before the `@`."""
        return self.address.rpartition("@")[0]

    @property
    def copies(self) -> list[JSON]:
        """The recipients of a copy of the mail."""
        return [r for r in (self.message_info or {}).get("ccRecipients") or [] if r.get("emailAddress")]


def parse(body: Any) -> InvitationRequest:
    """Parse the body. Raises `GraphError`, marked as a violation, for an unknown property or a wrong type."""
    if not isinstance(body, dict):
        raise errors.malformed("Unable to read JSON request payload. Please ensure it is valid JSON.")
    given = _checked(body, INVITATION_TYPES, "invitation")
    info = given.get("invitedUserMessageInfo")
    if info is not None:
        _checked(info, MESSAGE_INFO_TYPES, "invitedUserMessageInfo")
    for required in ("invitedUserEmailAddress", "inviteRedirectUrl"):
        if not given.get(required):
            raise errors.malformed(f"Property '{required}' is required.")
    if READ_ONLY & given.keys():
        raise errors.malformed(f"Property '{min(READ_ONLY & given.keys())}' is read-only.")
    user_id = _user_id(given.get("invitedUser"))
    if given.get("resetRedemption") and user_id is None:
        raise errors.malformed("resetRedemption requires the id of the invited user.")
    return InvitationRequest(
        address=given["invitedUserEmailAddress"].strip(),
        redirect_url=given["inviteRedirectUrl"],
        user_id=user_id,
        display_name=given.get("invitedUserDisplayName"),
        user_type=given.get("invitedUserType") or "Guest",
        send_message=bool(given.get("sendInvitationMessage")),
        reset_redemption=bool(given.get("resetRedemption")),
        message_info=info,
        sponsors=_sponsors(body),
    )


def _checked(body: JSON, types: Mapping[str, type], type_name: str) -> JSON:
    given = {name: value for name, value in body.items() if "@" not in name}
    for name, value in given.items():
        if name not in types:
            raise errors.unknown_property(name, type_name)
        if value is not None and not isinstance(value, types[name]):
            raise errors.malformed(f"Property '{name}' has the wrong type.")
    return given


def _user_id(invited_user: JSON | None) -> str | None:
    for name in invited_user or {}:
        if "@" not in name and name not in USER.properties:
            raise errors.unknown_property(name, "user")
    identifier = (invited_user or {}).get("id")
    return str(identifier) if identifier else None


def _sponsors(body: JSON) -> tuple[str, ...]:
    bound = tuple(str(reference).rpartition("/")[2] for reference in body.get("invitedUserSponsors@odata.bind") or ())
    return bound + tuple(str(sponsor.get("id")) for sponsor in body.get("invitedUserSponsors") or ())
