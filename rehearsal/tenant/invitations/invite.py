"""`POST /invitations`: converts the account in `invitedUser.id`, or creates a new guest if the request names no id.

A client that forgets the id thus creates a duplicate account, in this double as in Graph.
"""

from uuid import uuid4

from rehearsal.tenant.directory.schema import USER
from rehearsal.tenant.directory.store import JSON
from rehearsal.tenant.directory.tickets import Ticket
from rehearsal.tenant.gateway.routing import Call, Route
from rehearsal.tenant.invitations.attempt import Attempt, already_exists
from rehearsal.tenant.invitations.body import EMPTY_MESSAGE_INFO, InvitationRequest, parse
from rehearsal.tenant.invitations.refusals import refuse
from rehearsal.tenant.protocol import errors, permissions
from rehearsal.tenant.protocol.messages import Answer

CREATED = 201
PENDING, ACCEPTED = "PendingAcceptance", "Accepted"


def create_invitation(call: Call) -> Answer:
    """Refuse the invitation, or else write the state, make a redeem link, send the mail, and answer 201."""
    request = parse(call.request.body)
    account = _target(call, request)
    refuse(Attempt(call, request, account))
    if account is None:
        account = _existing_guest(call, request) or _new_guest(call, request)
    elif account["externalUserState"] == ACCEPTED and not request.reset_redemption:
        return _already_redeemed(call, request, account)
    else:
        _refuse_another_address(call, request, account)
        _mark_pending(call, request, account)
    if request.sponsors:
        sponsors = [sponsor.lower() for sponsor in request.sponsors]
        call.tenant.directory.relate(account["id"], "sponsors", sponsors)
    return _invite(call, request, account, status=PENDING)


def _target(call: Call, request: InvitationRequest) -> JSON | None:
    if request.user_id is None:
        return None
    account = call.tenant.directory.users.get(request.user_id.lower())
    if account is None and call.tenant.switches["unknown-account"] == "bad-request":
        raise errors.bad_request("Invalid request input.")
    if account is None:
        raise errors.resource_not_found(request.user_id)
    return account


def _existing_guest(call: Call, request: InvitationRequest) -> JSON | None:
    """Return the guest that holds the address, or None if nobody holds it. Used if the request names no account.

    Refuse if only users who are no guests hold the address.
    """
    known = call.tenant.directory.users_holding([request.address])
    guests = [user for user in known if user["externalUserState"] is not None]
    if known and not guests:
        raise already_exists(known[0])
    return guests[0] if guests else None


def _new_guest(call: Call, request: InvitationRequest) -> JSON:
    domain = call.tenant.policies.initial_domain
    upn = f"{request.address.replace('@', '_')}#EXT#@{domain}"
    now = call.tenant.clock.stamp()
    guest = USER.complete(
        {
            "id": str(uuid4()),
            "userPrincipalName": upn,
            "displayName": request.display_name or request.local_part,
            "mail": request.address,
            "mailNickname": upn.partition("@")[0],
            "otherMails": [request.address],
            "proxyAddresses": [f"SMTP:{request.address}"],
            "userType": request.user_type,
            "accountEnabled": True,
            "creationType": "Invitation",
            "createdDateTime": now,
            "externalUserState": PENDING,
            "externalUserStateChangeDateTime": now,
            "identities": [{"signInType": "userPrincipalName", "issuer": domain, "issuerAssignedId": upn}],
        }
    )
    call.tenant.directory.add_user(guest)
    return guest


def _refuse_another_address(call: Call, request: InvitationRequest, account: JSON) -> None:
    """Refuse to invite a pending account with another address, if the switch says that Graph does so."""
    if call.tenant.switches["corrected-invitation"] == "accepted" or request.reset_redemption:
        return
    invited = {ticket.address.lower() for ticket in call.tenant.tickets.open(account["id"])}
    if invited - {request.address.lower()}:
        raise already_exists(account)


def _mark_pending(call: Call, request: InvitationRequest, account: JSON) -> None:
    hidden = call.tenant.switches["pending-state"] == "unset" and account["externalUserState"] is None
    repeated = account["externalUserState"] == PENDING and not request.reset_redemption
    if not hidden and not repeated:
        changes = {"externalUserState": PENDING, "externalUserStateChangeDateTime": call.tenant.clock.stamp()}
        call.tenant.directory.update_user(account["id"], changes)


def _already_redeemed(call: Call, request: InvitationRequest, account: JSON) -> Answer:
    if call.tenant.switches["invite-redeemed-account"] == "refused":
        raise already_exists(account)
    return _invite(call, request, account, status="Completed")


def _invite(call: Call, request: InvitationRequest, account: JSON, *, status: str) -> Answer:
    tenant = call.tenant
    kill_older = tenant.switches["old-redeem-link"] == "dead"
    ticket = tenant.tickets.issue(account["id"], request.address, kill_older=kill_older)
    ticket.redeemed = status != PENDING
    if request.send_message:
        tenant.outbox.send(
            time=tenant.clock.stamp(),
            user_id=account["id"],
            address=request.address,
            info=request.message_info,
            preferred=account["preferredLanguage"],
            ticket=ticket.secret,
        )
    return Answer(CREATED, _shown(call, request, account, ticket) | {"status": status})


def _shown(call: Call, request: InvitationRequest, account: JSON, ticket: Ticket) -> JSON:
    return {
        "@odata.context": call.context("invitations/$entity"),
        "id": str(uuid4()),
        "inviteRedeemUrl": ticket.url(call.tenant.policies.tenant_id),
        "invitedUserDisplayName": request.display_name,
        "invitedUserType": request.user_type,
        "invitedUserEmailAddress": request.address,
        "sendInvitationMessage": request.send_message,
        "resetRedemption": request.reset_redemption,
        "inviteRedirectUrl": request.redirect_url,
        "invitedUserMessageInfo": EMPTY_MESSAGE_INFO | (request.message_info or {}),
        "invitedUser": {"id": account["id"]},
    }


ROUTES = (Route("POST", "/invitations", create_invitation, permissions.ANY),)
