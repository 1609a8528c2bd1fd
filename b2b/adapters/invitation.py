"""Convert an invitation to the SDK's model, and Graph's answer to a domain value."""

import json
import math
from contextlib import suppress

import httpx
from msgraph.generated.models.directory_object import DirectoryObject
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.invitation import Invitation as GraphInvitation
from msgraph.generated.models.invited_user_message_info import InvitedUserMessageInfo
from msgraph.generated.models.recipient import Recipient
from msgraph.generated.models.user import User

from b2b.domain.errors import InvitationRefused, OutcomeUnknown, Refusal
from b2b.domain.invitation import Invitation
from b2b.domain.readings import Invited


def graph_invitation(invitation: Invitation) -> GraphInvitation:
    """Convert an invitation to the SDK's model, with a new `User(id=…)` so that the id is always serialised.

    A sponsor is given by id alone, because a `User` would add a type, which is wrong for a group (evidence INV-43).
    """
    info = InvitedUserMessageInfo(
        message_language=invitation.language,
        cc_recipients=[
            Recipient(email_address=EmailAddress(name=name, address=address)) for name, address in invitation.cc
        ]
        or None,
    )
    has_info = invitation.language or invitation.cc
    return GraphInvitation(
        invited_user=User(id=invitation.user_id),
        invited_user_email_address=invitation.address,
        invite_redirect_url=invitation.redirect_url,
        send_invitation_message=invitation.send_message,
        invited_user_message_info=info if has_info else None,
        invited_user_sponsors=[DirectoryObject(id=sponsor) for sponsor in invitation.sponsors] or None,
    )


def invited(content: bytes, user_id: str, used: float, call: str) -> Invited:
    """Read Graph's 2xx answer to an invitation.

    ``used``: the share of its limit that Graph reports as used. ``call``: Graph's id of the call.

    Raises:
        OutcomeUnknown: the answer cannot be read, or reports an error.
        InvitationRefused: Graph invited another account.

    """
    try:
        body = json.loads(content)
        invited_id, status = body["invitedUser"]["id"].lower(), body["status"]
        invitation_id = str(body["id"])
    except (AttributeError, ValueError, KeyError, TypeError) as error:
        raise OutcomeUnknown("Graph's answer to the invitation cannot be read") from error
    if invited_id != user_id.lower():
        # Not an unknown outcome: a retry would mail the other account's person again.
        said = f"Graph invited {invited_id} instead"
        raise InvitationRefused(Refusal(httpx.codes.CREATED, "AnotherObject", said, request_id=call))
    if status == "Error":
        raise OutcomeUnknown("Graph answered with status Error")
    return Invited(invitation_id, status, used, call)


def limit_used(text: str) -> float:
    """Return the share of its limit that Graph reports as used (1.0: all of it); 0 if the header is not a number."""
    with suppress(ValueError):
        used = float(text)
        return used if math.isfinite(used) else 0.0
    return 0.0
