"""The invitation as Graph's wire has it: from ours into the SDK's model, and from Graph's answer into ours."""

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
    """Translate into the SDK's model: a fresh `User(id=…)`, so that the id is always serialised.

    A sponsor goes by its id alone: as a `User` it would bring a type, which is wrong for a group (evidence INV-43).
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


def invited(content: bytes, user_id: str, used: float) -> Invited:
    """Read a 2xx answer. Anything that is not plainly this account's invitation leaves the outcome in doubt."""
    try:
        body = json.loads(content)
        invited_id, status = body["invitedUser"]["id"].lower(), body["status"]
        invitation_id = str(body["id"])
    except (AttributeError, ValueError, KeyError, TypeError) as error:
        raise OutcomeUnknown("Graph's answer to the invitation cannot be read") from error
    if invited_id != user_id.lower():
        # Graph invited another account. To send the invitation again would mail that person again.
        raise InvitationRefused(Refusal(httpx.codes.CREATED, "AnotherObject", f"Graph invited {invited_id} instead"))
    if status == "Error":
        raise OutcomeUnknown("Graph answered with status Error")
    return Invited(invitation_id, status, used)


def limit_used(text: str) -> float:
    """Read how much of a limit Graph says is used, as a part of it; 0 where that is no number."""
    with suppress(ValueError):
        used = float(text)
        return used if math.isfinite(used) else 0.0
    return 0.0
