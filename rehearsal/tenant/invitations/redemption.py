"""Redeem invitations as the invited person does. Graph has no call for it, so the control plane offers one."""

from hashlib import sha256

from rehearsal.tenant.directory.policies import list_excludes
from rehearsal.tenant.directory.schema import DIRECTORY_AUDIT
from rehearsal.tenant.directory.store import JSON
from rehearsal.tenant.directory.tickets import Ticket
from rehearsal.tenant.invitations.invite import ACCEPTED
from rehearsal.tenant.tenant import Tenant

ACTIVITY = "Redeem external user invite"
WITHOUT_OWN_ID = ("ExternalAzureAD", "MicrosoftAccount")
"""Issuers whose entry in `identities` has no `issuerAssignedId`."""


class NothingToRedeemError(Exception):
    """The user has no redeem link that is alive, or the tenant no longer admits the person."""


def redeem(
    tenant: Tenant, *, user_id: str, provider: str, secret: str | None = None, signed_in: str | None = None
) -> JSON:
    """Redeem an invitation and return the changed user. `secret` selects a link by its ticket; None: the newest one.

    `externalUserState` becomes Accepted and `identities` gets the issuer. Object id, name, groups, app roles, userType
    and creationType do not change (invite-internal-users article). `signed_in` is the address of another person, who
    redeems instead.

    Raises:
        NothingToRedeemError: there is no such link that is alive, or the person is no longer admitted.
    """
    user = tenant.directory.users.get(user_id.lower())
    if user is None:
        raise NothingToRedeemError(f"there is no user {user_id}")
    ticket = _ticket(tenant, user, secret)
    _still_admitted(tenant, user, ticket)
    for used in tenant.tickets.of(user["id"]):
        used.redeemed = True
    person = signed_in or ticket.address
    federated = {"signInType": "federated", "issuer": provider, "issuerAssignedId": _own_id(tenant, provider, person)}
    kept = [identity for identity in user["identities"] if identity["signInType"] != "federated"]
    if tenant.switches["internal-identity"] == "removed":
        kept = []
    changes = {
        "externalUserState": ACCEPTED,
        "externalUserStateChangeDateTime": tenant.clock.stamp(),
        "identities": [*kept, federated],
    }
    tenant.directory.update_user(user["id"], changes)
    tenant.audits.append(_record(tenant, user, ticket, person))
    return tenant.directory.users[user_id.lower()]


def _own_id(tenant: Tenant, provider: str, person: str) -> str | None:
    if provider in WITHOUT_OWN_ID:
        return None
    return person if tenant.switches["issuer-assigned-id"] == "address" else sha256(person.encode()).hexdigest()[:21]


def _record(tenant: Tenant, user: JSON, ticket: Ticket, person: str) -> JSON:
    """What the audit log keeps; the form is that of a record in DataDog/stratus-red-team, docs/attack-techniques."""
    upn = user["userPrincipalName"]
    named = {"signed-in": person, "invited": ticket.address, "account": upn}[tenant.switches["audit-redeemer"]]
    target = f"UPN: {upn}, Email: {ticket.address}, InvitationId: {ticket.secret}, Source: unknown"
    return DIRECTORY_AUDIT.complete(
        {
            "id": f"B2B_{len(tenant.audits) + 1}",
            "activityDateTime": tenant.clock.stamp(),
            "activityDisplayName": ACTIVITY,
            "category": "UserManagement",
            "loggedByService": "B2B Auth",
            "result": "success",
            "initiatedBy": {"user": {"userPrincipalName": named, "ipAddress": "192.0.2.1"}, "app": None},
            "targetResources": [{"id": user["id"], "type": "User", "displayName": target, "userPrincipalName": upn}],
        }
    )


def _ticket(tenant: Tenant, user: JSON, secret: str | None) -> Ticket:
    live = tenant.tickets.open(user["id"])
    if secret is None:
        if not live:
            raise NothingToRedeemError(f"user {user['id']} has no invitation that is open")
        return live[-1]
    chosen = tenant.tickets.find(secret)
    if chosen is None or chosen not in live:
        raise NothingToRedeemError("this redeem link is dead, used, or of another user")
    return chosen


def _still_admitted(tenant: Tenant, user: JSON, ticket: Ticket) -> None:
    """Raise unless sign-in is allowed and the domain still passes the allow or deny list (allow-deny-list article)."""
    if not user["accountEnabled"]:
        raise NothingToRedeemError(f"user {user['id']} is blocked from signing in")
    domain = ticket.address.rpartition("@")[2].lower()
    if list_excludes(tenant.policies.lists, domain):
        raise NothingToRedeemError(f"the tenant does not admit people of {domain}")
