"""`POST /invitations` of the directory in memory. It converts an account, or makes a guest if the body names no
account.
"""

from collections.abc import Mapping
from urllib.parse import quote

from tests.simulation.directory_accounts import ACCEPTED, PENDING, State, complete
from tests.simulation.directory_refusals import AGAINST, AGAINST_ACCOUNT, INVALID, Invite, bad, exists
from tests.simulation.directory_state import Mail, Post, Refused, TenantState, Ticket, not_found
from tests.simulation.directory_tenant import JSON

STRANGER = "ffffffff-0000-4000-8000-ffffffffffff"
_INSTEAD: Mapping[str, tuple[int, str, str] | None] = {
    "refused": (400, "BadRequest", INVALID),
    "denied": (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
    "another": None,
}


class Invitations:
    """Accepts or refuses invitations, and changes the tenant's state accordingly."""

    def __init__(self, state: TenantState) -> None:
        self._state = state

    def take(self, invite: Invite) -> JSON:
        """Carry out an invitation and log it; return the body of the 201.

        Raises:
            Refused: Graph would refuse it.
        """
        status = 201
        try:
            return self._invited(invite)
        except Refused as refused:
            status = refused.status
            raise
        finally:
            self._log(invite, status)

    def replace(self, invite: Invite, answer: str) -> JSON:
        """Answer an invitation as the fault `answer` says, whatever the directory holds: `refused`, `denied` or
        `another`.

        `another` is a success that names an account which nobody asked for; the mail still goes to the address.
        """
        error = _INSTEAD[answer]
        self._log(invite, 201 if error is None else error[0])
        if error is not None:
            raise Refused(*error)
        self._mail(invite, invite.user_id)
        return self._answer(invite, STRANGER, PENDING, self._state.issue(STRANGER, invite.address))

    def _log(self, invite: Invite, status: int) -> None:
        log = self._state.posts if invite.by_app else self._state.by_hand
        log.append(Post(self._state.now(), invite.user_id, invite.address, invite.send_message, invite.body, status))

    def _mail(self, invite: Invite, user_id: str) -> None:
        if invite.send_message and invite.by_app:
            self._state.mails.append(Mail(self._state.now(), user_id.lower(), invite.address, tuple(invite.copies)))

    def _invited(self, invite: Invite) -> JSON:
        state = self._state
        account = state.account(invite.user_id) if invite.user_id else None
        if invite.user_id and account is None:
            bad_request = state.switches["unknown-account"] == "bad-request"
            raise bad(INVALID) if bad_request else not_found(invite.user_id)
        for reason in (*AGAINST, *(AGAINST_ACCOUNT if account is not None else ())):
            if (refused := reason(state, invite, account or {})) is not None:
                raise refused
        if account is None:
            return self._invite(invite, self._guest(invite), PENDING)
        if account["externalUserState"] == ACCEPTED:
            if state.switches["invite-redeemed-account"] == "refused":
                raise exists(account)
            return self._invite(invite, account, "Completed")
        invited = {ticket.address.lower() for ticket in state.tickets_of(account["id"]) if ticket.open}
        if state.switches["corrected-invitation"] == "refused" and invited - {invite.address.lower()}:
            raise exists(account)
        if account["externalUserState"] is None and state.switches["pending-state"] == "pending-acceptance":
            state.update(account, externalUserState=PENDING, externalUserStateChangeDateTime=state.stamp())
        return self._invite(invite, account, PENDING)

    def _invite(self, invite: Invite, account: State, status: str) -> JSON:
        ticket = self._state.issue(account["id"], invite.address)
        ticket.redeemed = status != PENDING
        self._mail(invite, account["id"])
        return self._answer(invite, account["id"], status, ticket)

    def _answer(self, invite: Invite, user_id: str, status: str, ticket: Ticket) -> JSON:
        link = (
            f"https://invitations.microsoft.com/redeem/?tenant={self._state.tenant.tenant_id}&user={user_id}"
            f"&ticket={ticket.secret}&ver=2.0"
        )
        return {
            **invite.body,
            "id": f"1{self._state.issued:07x}-0000-4000-8000-000000000000",
            "status": status,
            "inviteRedeemUrl": f"https://login.microsoftonline.com/redeem?rd={quote(link, safe='')}",
            "invitedUser": {"id": user_id},
        }

    def _guest(self, invite: Invite) -> State:
        """Return the guest with the invited address; make one if nobody has it. Used if no account id is given."""
        state = self._state
        known = state.accounts.holders(invite.address, state.moment())
        guests = [account for account in known if account["externalUserState"] is not None]
        if guests:
            return guests[0]
        if known:
            raise exists(known[0])
        stamp = state.stamp()
        guest = complete(
            {
                "id": f"2{state.issued:07x}-0000-4000-8000-000000000000",
                "userPrincipalName": f"{invite.address.replace('@', '_')}#EXT#@{state.tenant.initial_domain}",
                "displayName": invite.address.rpartition("@")[0],
                "mail": invite.address,
                "otherMails": [invite.address],
                "proxyAddresses": [f"SMTP:{invite.address}"],
                "userType": "Guest",
                "creationType": "Invitation",
                "createdDateTime": stamp,
                "externalUserState": PENDING,
                "externalUserStateChangeDateTime": stamp,
            }
        )
        state.accounts.write(state.moment(), guest)
        return guest
