"""Why Graph refuses an invitation: checks of the request and of the account, in the order in which they run.

The texts are Microsoft's (MicrosoftDocs/azure-docs#71825 and #107086, microsoftgraph/msgraph-beta-sdk-dotnet#798, the
troubleshooting page of External ID). If no text is known, `Invalid request input.` is used.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulation.directory_accounts import State, holding
from tests.simulation.directory_state import Refused, TenantState
from tests.simulation.directory_tenant import JSON, READWRITE

_BODY = frozenset(
    {
        "inviteRedirectUrl",
        "invitedUser",
        "invitedUserEmailAddress",
        "invitedUserMessageInfo",
        "invitedUserSponsors",
        "sendInvitationMessage",
    }
)
_MAILBOX_PLANS = frozenset(
    {
        "efb87545-963c-4e0d-99df-69c6916d9eb0",
        "9aaf7827-d63c-4b61-89c3-182f06f82e5c",
        "4a82b400-a79f-41a4-b4e2-e94f5787b113",
        "1126bef5-da20-4f07-b45e-ad25d2581aa8",
        "d42bdbd6-c335-4231-ab3d-c8f348d5aff5",
        "fc52cc4b-ed7d-472d-bbe7-b081c23ecc56",
        "90927877-dcff-4af6-b346-2332c0b15bb7",
        "8c3069c0-ccdb-44be-ab77-986203a67df2",
        "e9b4930a-925f-45e2-ac2a-3f7788ca6fdd",
        "88f4d7ef-a73b-4246-8047-516022144c9f",
    }
)
"""Ids of the service plans that include an Exchange mailbox, from Microsoft's list of products and service plans."""
_LOCAL_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
INVALID = "Invalid request input."
_NOT_ALLOWED = "Guest invitations not allowed for your company. Contact your company administrator for more details."
_NOT_ON_ACCOUNT = (
    "The email you\N{RIGHT SINGLE QUOTATION MARK}re using to invite this user doesn\N{RIGHT SINGLE QUOTATION MARK}t"
    " match any emails on the user object. Please add this email to the user object and try again."
)
_HELD_BY_INTERNAL = "Non-external user already exists with the given mail address and can't be invited."
_VERIFIED = (
    "This user cannot be invited because the domain of the user's email address is a verified domain of this directory."
)
_CROSS_TENANT = (
    "This invitation is blocked by cross-tenant access settings. Admins in both your organization and the invited"
    " user's organization must configure cross-tenant access settings to allow the invitation."
)


@dataclass(frozen=True, slots=True)
class Invite:
    """One invitation as it was requested, by the app or by a person in the portal."""

    user_id: str
    address: str
    send_message: bool
    body: Mapping[str, Any]
    by_app: bool = True

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> "Invite":
        """Read the body of a POST. A property that Graph does not know, or a missing one that the app always sends,
        fails the test.
        """
        given = {name: value for name, value in body.items() if not name.startswith("@")}
        assert given.keys() <= _BODY, f"the body of an invitation has {', '.join(sorted(given.keys() - _BODY))}"
        for name in ("inviteRedirectUrl", "invitedUserEmailAddress"):
            assert given.get(name), f"the body of an invitation has no {name}"
        user_id = str((given.get("invitedUser") or {}).get("id") or "").lower()
        address = given["invitedUserEmailAddress"].strip()
        return cls(user_id, address, bool(given.get("sendInvitationMessage")), body)

    @property
    def domain(self) -> str:
        """The domain of the address, in lower case."""
        return self.address.rpartition("@")[2].lower()

    @property
    def copies(self) -> list[str]:
        """The addresses that get a copy of the mail."""
        recipients = (self.body.get("invitedUserMessageInfo") or {}).get("ccRecipients") or ()
        found = [(recipient.get("emailAddress") or {}).get("address") for recipient in recipients]
        return [address for address in found if address]


def has_mailbox(account: State) -> bool:
    """Tell whether a licence of the account includes an Exchange mailbox."""
    return any(
        plan["servicePlanId"].lower() in _MAILBOX_PLANS and plan["capabilityStatus"] != "Deleted"
        for plan in account["assignedPlans"]
    )


def bad(message: str) -> Refused:
    """Return the 400 of the invitation service with this message."""
    return Refused(400, "BadRequest", message)


def _forbidden(message: str) -> Refused:
    return Refused(403, "Forbidden", message)


def exists(account: State) -> Refused:
    """Return the 400 that says that the address belongs to an account which cannot be invited."""
    start = f"The invited user already exists in the directory as object ID: {account['id']}"
    end = "they can use that account to sign in to shared apps and resources."
    if account["accountEnabled"]:
        return bad(f"{start}. {end.capitalize()}")
    return bad(f"{start}, but the account is blocked from signing in. If the account is unblocked, {end}")


Reason = Callable[[TenantState, Invite, State], Refused | None]


def _no_permission(state: TenantState, invite: Invite, _account: State) -> Refused | None:
    if not invite.by_app or "User.Invite.All" in state.permissions:
        return None
    if READWRITE & state.permissions:
        restricted = state.tenant.allow_invites_from == "adminsAndGuestInviters"
        return _forbidden(_NOT_ALLOWED) if restricted else None
    return Refused(401, "Unauthorized", "Insufficient privileges to perform requested operation by the application.")


def _invitations_off(state: TenantState, _invite: Invite, _account: State) -> Refused | None:
    return _forbidden(_NOT_ALLOWED) if state.tenant.allow_invites_from == "none" else None


def _malformed_address(_state: TenantState, invite: Invite, _account: State) -> Refused | None:
    local, _, domain = invite.address.rpartition("@")
    return None if _LOCAL_PART.fullmatch(local) and _DOMAIN.fullmatch(domain) else bad(INVALID)


def _several_copies(_state: TenantState, invite: Invite, _account: State) -> Refused | None:
    return bad(INVALID) if len(invite.copies) > 1 else None


def _unknown_sponsor(state: TenantState, invite: Invite, _account: State) -> Refused | None:
    sponsors = [sponsor["id"] for sponsor in invite.body.get("invitedUserSponsors") or ()]
    groups = {group["id"].lower() for group in state.tenant.groups}
    unknown = [sponsor for sponsor in sponsors if state.account(sponsor) is None and sponsor.lower() not in groups]
    return bad(INVALID) if unknown else None


def _own_domain(state: TenantState, invite: Invite, _account: State) -> Refused | None:
    own = state.tenant.verified_domains
    if invite.domain in own and invite.domain.endswith(".onmicrosoft.com"):
        return bad("Invitee is in inviter tenant")
    return bad(_VERIFIED) if any(f".{invite.domain}".endswith(f".{name}") for name in own) else None


def _excluded_domain(state: TenantState, invite: Invite, _account: State) -> Refused | None:
    if not state.tenant.excludes(invite.domain):
        return None
    return _forbidden("This invitation is not allowed by the collaboration restrictions of your organization.")


def _blocked_partner(state: TenantState, invite: Invite, _account: State) -> Refused | None:
    home = state.tenant.home_tenants.get(invite.domain)
    if home is None:
        return None
    setting = state.tenant.inbound_for(home)
    closed = any(_blocks(setting.get(side)) for side in ("usersAndGroups", "applications"))
    return _forbidden(_CROSS_TENANT) if closed else None


def _blocks(side: JSON | None) -> bool:
    """Tell whether one side of a cross-tenant setting blocks everybody; blocking only some counts as open."""
    targets = {target["target"] for target in (side or {}).get("targets") or ()}
    return side is not None and side["accessType"] != "allowed" and bool(targets & {"AllUsers", "AllApplications"})


def _address_of_group(state: TenantState, invite: Invite, _account: State) -> Refused | None:
    found = holding(state.tenant.groups, invite.address)
    return bad("Group email address is not supported") if found else None


def _restricted(_state: TenantState, _invite: Invite, account: State) -> Refused | None:
    return _forbidden("Generic authorization exception.") if account["isManagementRestricted"] else None


def _disabled(state: TenantState, _invite: Invite, account: State) -> Refused | None:
    open_to_it = account["accountEnabled"] or state.switches["disabled-account"] == "accepted"
    return None if open_to_it else exists(account)


def _on_premises_name(_state: TenantState, _invite: Invite, account: State) -> Refused | None:
    return bad(INVALID) if account["onPremisesUserPrincipalName"] else None


def _mailbox(state: TenantState, _invite: Invite, account: State) -> Refused | None:
    return bad(INVALID) if has_mailbox(account) and state.switches["mailbox-account"] == "refused" else None


def _not_on_account(state: TenantState, invite: Invite, account: State) -> Refused | None:
    others = account["otherMails"] if state.switches["address-match"] == "mail-or-other-mails" else ()
    compared = str if state.switches["address-case"] == "exact" else str.lower
    own = {compared(address) for address in (account["mail"], *others) if address}
    return None if compared(invite.address) in own else bad(_NOT_ON_ACCOUNT)


def _held(state: TenantState, invite: Invite, account: State) -> Refused | None:
    found = state.accounts.holders(invite.address, state.moment())
    others = [holder for holder in found if holder["id"] != account["id"]]
    if others and state.switches["held-address"] != "accepted":
        return exists(others[0]) if state.switches["held-address"] == "refused" else bad(_HELD_BY_INTERNAL)
    deleted = state.accounts.deleted_holders(invite.address, state.moment())
    return exists(deleted[0]) if deleted and state.switches["deleted-holder"] == "refused" else None


AGAINST: tuple[Reason, ...] = (
    _no_permission,
    _invitations_off,
    _malformed_address,
    _several_copies,
    _unknown_sponsor,
    _own_domain,
    _excluded_domain,
    _blocked_partner,
    _address_of_group,
)
"""Checks of every invitation, in the order in which they run; Graph's own order is not documented."""
AGAINST_ACCOUNT: tuple[Reason, ...] = (_restricted, _disabled, _on_premises_name, _mailbox, _not_on_account, _held)
"""Checks of an invitation of an existing account, in the order in which they run."""
