"""The external address: which one an invitation goes to, and whether Graph can use it."""

import re

from b2b.domain.account import Account
from b2b.domain.findings import Profile
from b2b.domain.request import MAX_ADDRESS, ConversionRequest

_FORBIDDEN = re.compile(r"""[~!#$%^&*()+=\[\]{}\\/|;:"<>?,']|[^\x21-\x7e]""")
"""Graph, invitation.invitedUserEmailAddress; "Microsoft Entra doesn't currently support plus symbols" stands in
https://learn.microsoft.com/entra/external-id/add-users-administrator."""
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+")


def invited_address(request: ConversionRequest, account: Account | None, profile: Profile) -> str | None:
    """Return the address an invitation would go to; None where neither the request nor the account has one.

    The article of 2023 and later takes `mail` for everybody; the original took the first of `otherMails` for cloud-only
    accounts and `mail` for synced ones.
    """
    if request.invited_user_email_address:
        return request.invited_user_email_address.strip()
    if account is None:
        return None
    own = own_addresses(account, profile)
    return own[0] if own else None


def own_addresses(account: Account, profile: Profile) -> tuple[str, ...]:
    """Return the addresses of the account that the profile lets an invitation use."""
    if profile is Profile.LEGACY and not account.synced:
        return tuple(account.other_mails or ())
    return (account.mail,) if account.mail else ()


def problem(address: str) -> str | None:
    """Say which character or form Graph does not take in an invited address; None where it is fine."""
    if found := _FORBIDDEN.search(address):
        return f"the character {found.group()!a} is not allowed"
    local, at, domain = address.rpartition("@")
    if not at or not local or "@" in local:
        return "it is not of the form name@domain"
    if local[0] in ".-" or local[-1] in ".-":
        return "the part before the @ starts or ends with a dot or hyphen"
    if not _DOMAIN.fullmatch(domain):
        return "the part after the @ is not a domain name"
    return f"it is longer than {MAX_ADDRESS} characters" if len(address) > MAX_ADDRESS else None


def domain_of(address: str) -> str:
    """Return the domain of an address, lower case."""
    return address.rpartition("@")[2].lower()
