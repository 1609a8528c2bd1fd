"""Refuse an invitation because of the account in `invitedUser.id`.

Each function returns the error, or None if it does not refuse. Without an account none refuses.
"""

from rehearsal.tenant.directory.mailboxes import has_mailbox
from rehearsal.tenant.invitations.attempt import (
    ADDRESS_NOT_ON_ACCOUNT,
    GENERIC_AUTHORIZATION,
    GUEST_INVITATIONS_NOT_ALLOWED,
    HELD_BY_INTERNAL,
    READWRITE,
    Attempt,
    already_exists,
)
from rehearsal.tenant.protocol import errors
from rehearsal.tenant.protocol.errors import GraphError, bad_request, forbidden


def held_address(attempt: Attempt) -> GraphError | None:
    """Refuse an address that another user or a deleted user holds. A switch decides for each case."""
    if attempt.account is None:
        return None
    directory = attempt.call.tenant.directory
    found = [user for user in directory.users_holding([attempt.request.address]) if user["id"] != attempt.account["id"]]
    if found and attempt.switch("held-address") == "refused-in-words-of-the-portal":
        return bad_request(HELD_BY_INTERNAL)
    if found and attempt.switch("held-address") == "refused":
        return already_exists(found[0])
    deleted = directory.deleted_users_holding([attempt.request.address])
    if deleted and attempt.switch("deleted-holder") == "refused":
        return already_exists(deleted[0])
    return None


def address_not_on_account(attempt: Attempt) -> GraphError | None:
    """Refuse an address that is neither the account's mail nor in its otherMails."""
    account = attempt.account
    if account is None:
        return None
    own = [account["mail"]]
    if attempt.switch("tenant-version") == "2020":
        own = [account["mail"]] if account["onPremisesSyncEnabled"] else list(account["otherMails"])
    elif attempt.switch("address-match") == "mail-or-other-mails":
        own += account["otherMails"]
    wanted = attempt.request.address
    if attempt.switch("address-case") == "ignored":
        own, wanted = [address.lower() for address in own if address], wanted.lower()
    return None if wanted in own else bad_request(ADDRESS_NOT_ON_ACCOUNT)


def on_premises_upn(attempt: Attempt) -> GraphError | None:
    """Refuse an account with an onPremisesUserPrincipalName (article since 2021, but not its 2020 version)."""
    account = attempt.account
    if account is None or attempt.switch("tenant-version") == "2020" or not account["onPremisesUserPrincipalName"]:
        return None
    return bad_request("Invalid request input.")


def mailbox(attempt: Attempt) -> GraphError | None:
    """Refuse an account with a mailbox, in a 2020 tenant or if the switch says so."""
    if attempt.account is None or not has_mailbox(attempt.account):
        return None
    refused = attempt.switch("tenant-version") == "2020" or attempt.switch("mailbox-account") == "refused"
    return attempt.refusal("A user with a mailbox cannot be converted.") if refused else None


def home_account(attempt: Attempt) -> GraphError | None:
    """Refuse what only the 2020 article excludes: direct federation, and cloud-only accounts with no home in Entra."""
    if attempt.account is None or attempt.switch("tenant-version") != "2020":
        return None
    domain, policies = attempt.request.domain, attempt.call.tenant.policies
    if any(entry["id"].lower() == domain for federation in policies.federations for entry in federation["domains"]):
        return attempt.refusal("A user from a directly federated domain cannot be converted.")
    if not attempt.account["onPremisesSyncEnabled"] and domain not in policies.home_tenants:
        return attempt.refusal("The main account of this user is not in Microsoft Entra ID.")
    return None


def disabled_account(attempt: Attempt) -> GraphError | None:
    """Refuse an account that is blocked from signing in, unless the switch accepts it."""
    account = attempt.account
    if account is None or account["accountEnabled"] or attempt.switch("disabled-account") == "accepted":
        return None
    return already_exists(account)


def restricted_account(attempt: Attempt) -> GraphError | None:
    """Refuse an account in a restricted management administrative unit."""
    if attempt.account is None or not attempt.account["isManagementRestricted"]:
        return None
    return errors.denied() if attempt.switch("restricted-account") == "denied" else forbidden(GENERIC_AUTHORIZATION)


def privileged_account(attempt: Attempt) -> GraphError | None:
    """Refuse to reset the redemption of a role holder. A switch decides about converting one."""
    account, request = attempt.account, attempt.request
    if account is None or not attempt.call.tenant.directory.holds_role(account["id"]):
        return None
    refused = request.reset_redemption or attempt.switch("role-holder") == "refused"
    return forbidden(GENERIC_AUTHORIZATION) if refused else None


def lacks_readwrite(attempt: Attempt) -> GraphError | None:
    """Refuse to reset a redemption without User.ReadWrite.All. A switch decides about converting without it."""
    if attempt.account is None or attempt.call.roles & READWRITE:
        return None
    if attempt.request.reset_redemption:
        generic = attempt.switch("reset-without-readwrite") == "generic-exception"
        return forbidden(GENERIC_AUTHORIZATION if generic else GUEST_INVITATIONS_NOT_ALLOWED)
    return forbidden(GENERIC_AUTHORIZATION) if attempt.switch("conversion-needs-readwrite") == "yes" else None
