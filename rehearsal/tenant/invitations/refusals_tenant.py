"""Refuse an invitation because of the caller, the address or the tenant's policies.

Each function returns the error, or None if it does not refuse.
"""

import re

from rehearsal.tenant.directory.addresses import holders
from rehearsal.tenant.directory.policies import inbound_setting, list_excludes
from rehearsal.tenant.directory.store import JSON
from rehearsal.tenant.invitations.attempt import (
    CROSS_TENANT_BLOCKED,
    GUEST_INVITATIONS_NOT_ALLOWED,
    READWRITE,
    VERIFIED_DOMAIN,
    Attempt,
)
from rehearsal.tenant.protocol import errors
from rehearsal.tenant.protocol.errors import GraphError, bad_request, forbidden

_LOCAL_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def no_permission(attempt: Attempt) -> GraphError | None:
    """Refuse a caller without a permission to invite."""
    roles = attempt.call.roles
    if "User.Invite.All" in roles:
        return None
    restricted = attempt.call.tenant.policies.authorization["allowInvitesFrom"] == "adminsAndGuestInviters"
    if roles & READWRITE:
        position = attempt.switch("readwrite-invites")
        allowed = position == "always" or (position == "unless-restricted" and not restricted)
        return None if allowed else forbidden(GUEST_INVITATIONS_NOT_ALLOWED)
    answers = {
        "unauthorized": GraphError(
            401,
            "Unauthorized",
            "Insufficient privileges to perform requested operation by the application "
            "'00000003-0000-0000-c000-000000000000'. ControllerName=MSGraphInviteAPI, ActionName=CreateInvite, "
            f"URL absolute path=/api/{attempt.call.tenant.policies.tenant_id}/invites",
        ),
        "guest-invitations-not-allowed": forbidden(GUEST_INVITATIONS_NOT_ALLOWED),
        "denied": errors.denied(),
    }
    return answers[attempt.switch("invite-without-permission")]


def invitations_off(attempt: Attempt) -> GraphError | None:
    """Refuse if the tenant allows no invitations, or only those by administrators."""
    setting = attempt.call.tenant.policies.authorization["allowInvitesFrom"]
    only_admins = setting == "adminsAndGuestInviters" and attempt.switch("admins-only-invitations") == "refused"
    return forbidden(GUEST_INVITATIONS_NOT_ALLOWED) if setting == "none" or only_admins else None


def bad_address(attempt: Attempt) -> GraphError | None:
    """Refuse an address with characters that the invitation resource does not permit."""
    request = attempt.request
    if _LOCAL_PART.fullmatch(request.local_part) and _DOMAIN.fullmatch(request.domain):
        return None
    return attempt.refusal("The invited user email address is not valid.")


def too_many_copies(attempt: Attempt) -> GraphError | None:
    """Refuse more than one recipient of a copy, if the switch says so."""
    several = len(attempt.request.copies) > 1
    if several and attempt.switch("several-cc-recipients") == "refused":
        return attempt.refusal("Only one additional recipient is supported.")
    return None


def unknown_sponsor(attempt: Attempt) -> GraphError | None:
    """Refuse a sponsor that is neither a user nor a group, unless the switch ignores it."""
    if attempt.switch("unknown-sponsor") == "ignored":
        return None
    directory = attempt.call.tenant.directory
    known = directory.users.keys() | directory.groups.keys()
    strangers = [sponsor for sponsor in attempt.request.sponsors if sponsor.lower() not in known]
    return attempt.refusal(f"Sponsor '{strangers[0]}' does not exist.") if strangers else None


def verified_domain(attempt: Attempt) -> GraphError | None:
    """Refuse an address in a verified domain of the tenant."""
    verified = attempt.call.tenant.policies.verified_domains
    domain = attempt.request.domain
    below = any(domain.endswith(f".{name}") for name in verified)
    if domain in verified:
        return bad_request("Invitee is in inviter tenant" if domain.endswith(".onmicrosoft.com") else VERIFIED_DOMAIN)
    return bad_request(VERIFIED_DOMAIN) if below and attempt.switch("verified-subdomain") == "refused" else None


def domain_lists(attempt: Attempt) -> GraphError | None:
    """Refuse a domain that the tenant's allow or deny list excludes."""
    if not list_excludes(attempt.call.tenant.policies.lists, attempt.request.domain):
        return None
    if attempt.switch("domain-list-refusal") == "bad-request":
        return attempt.refusal("Invitations to this domain are not allowed by the policy of your organization.")
    return forbidden("This invitation is not allowed by the collaboration restrictions of your organization.")


def cross_tenant(attempt: Attempt) -> GraphError | None:
    """Refuse people whose tenant the cross-tenant access settings block. The settings apply to Entra tenants only."""
    home = attempt.call.tenant.policies.home_tenants.get(attempt.request.domain)
    if home is None:
        return None
    setting = inbound_setting(attempt.call.tenant.policies.cross_tenant, home)
    partial = attempt.switch("cross-tenant-partial")
    if all(_admits(setting.get(side), partial) for side in ("usersAndGroups", "applications")):
        return None
    if attempt.switch("cross-tenant-refusal") == "bad-request":
        return bad_request(CROSS_TENANT_BLOCKED)
    return forbidden(CROSS_TENANT_BLOCKED)


def _admits(side: JSON | None, partial: str) -> bool:
    if side is None:
        return True
    everybody = any(target["target"] in ("AllUsers", "AllApplications") for target in side.get("targets") or ())
    if everybody:
        return bool(side["accessType"] == "allowed")
    return partial == "accepted"


def group_address(attempt: Attempt) -> GraphError | None:
    """Refuse an address that a group of the tenant holds."""
    groups = attempt.call.tenant.directory.groups.values()
    return bad_request("Group email address is not supported") if holders(groups, attempt.request.address) else None
