"""Find the external address that an invitation goes to, and tell whether Graph can use it."""

import re

from b2b.domain.account import Account
from b2b.domain.characters import shown
from b2b.domain.findings import Profile
from b2b.domain.request.model import LONGEST_DOMAIN, LONGEST_LOCAL_PART, ConversionRequest

LONGEST_LABEL = 63
_FORBIDDEN = re.compile(r"""[~!#$%^&*()+=\[\]{}\\/|;:"<>?,']|[^\x21-\x7e]""")
"""Characters that Graph rejects. Sources: Graph, invitation.invitedUserEmailAddress; "Microsoft Entra doesn't
currently support plus symbols" in
https://learn.microsoft.com/entra/external-id/add-users-administrator."""
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+")


def invited_address(request: ConversionRequest, account: Account | None, profile: Profile) -> str | None:
    """Return the address that an invitation would go to; None if neither request nor account has one.

    A request's own address comes first. Without one, Microsoft's article takes `mail` since 2023; the original article
    takes the first of `otherMails` for cloud-only accounts, and `mail` for synchronised ones.
    """
    if request.invited_user_email_address:
        return request.invited_user_email_address.strip()
    if account is None:
        return None
    own = own_addresses(account, profile)
    return own[0] if own else None


def own_addresses(account: Account, profile: Profile) -> tuple[str, ...]:
    """Return the account's addresses that an invitation may use under this profile."""
    if profile is Profile.LEGACY and not account.synced:
        return tuple(account.other_mails or ())
    return (account.mail,) if account.mail else ()


def problem(address: str) -> str | None:
    """Return why Graph would reject an invited address; None if it would not."""
    if found := _FORBIDDEN.search(address):
        return f"the character {shown(found.group())} is not allowed"
    local, at, domain = address.rpartition("@")
    if not at or not local or "@" in local:
        return "it is not of the form name@domain"
    if local[0] in ".-" or local[-1] in ".-":
        return "the part before the @ starts or ends with a dot or hyphen"
    if not _DOMAIN.fullmatch(domain):
        return "the part after the @ is not a domain name"
    return _too_long(local, domain)


def _too_long(local: str, domain: str) -> str | None:
    """Return which part of an address is too long, by RFC 5321 (around the @) and RFC 1035 (labels of the domain)."""
    if len(local) > LONGEST_LOCAL_PART:
        return f"the part before the @ is longer than {LONGEST_LOCAL_PART} characters"
    if any(len(label) > LONGEST_LABEL for label in domain.split(".")):
        return f"a part of the domain is longer than {LONGEST_LABEL} characters"
    return f"the domain is longer than {LONGEST_DOMAIN} characters" if len(domain) > LONGEST_DOMAIN else None


def domain_of(address: str) -> str:
    """Return the domain of an address in lower case."""
    return address.rpartition("@")[2].lower()
