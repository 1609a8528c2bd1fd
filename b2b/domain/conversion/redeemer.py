"""Find out who redeemed an invitation, from the account's identities and the audit log.

A redemption adds an identity to the account. The identity always names its issuer, and for some issuers also the
person's address. The audit log names the person who redeemed, but it may also repeat the invited address or name the
account itself. So the log can show that another person redeemed, but never that the invited person did.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from b2b.domain.account import Account
from b2b.domain.findings import REDEEMED_BY_OTHER, Finding, Severity

SOURCE = "https://learn.microsoft.com/entra/external-id/redemption-experience"
FIX = (
    "Ask the person which account they signed in with. If it is theirs, accept it (POST …/accept). If it is not, reset "
    "the redemption in the portal; the account then waits for its redemption again."
)
FEDERATED = "federated"
"""The sign-in type of an identity that another organisation or provider issues."""
MAILBOXES = frozenset({"mail", "google.com"})
"""Issuers that identify a person by a mailbox. Two addresses are two mailboxes, even in one domain."""
GUEST = "#ext#"
"""Part of a guest's user principal name in the inviting tenant."""


class Matches(StrEnum):
    """Whether the person who redeemed signs in with the invited address."""

    YES = "yes"
    NO = "no"
    CANNOT_TELL = "cannotTell"


_WORST_FIRST = (Matches.NO, Matches.CANNOT_TELL, Matches.YES)


@dataclass(frozen=True)
class Redeemer:
    """What the app knows of the person who redeemed."""

    matches: Matches
    said: str
    """The evidence in words, or why there is none."""
    issuer: str = ""
    """The issuer of the identity with which the person signs in; empty if the account shows none."""


@dataclass(frozen=True)
class Sources:
    """What the app has read besides the account."""

    logged: str = ""
    """The name of the person who redeemed, from the audit log; empty if there is none."""
    log: str = "the audit log is not read"
    """Why ``logged`` is empty."""
    homes: Mapping[str, str | None] = field(default_factory=dict)
    """Domains and their tenants; None if a domain belongs to no tenant. A failed lookup leaves no entry."""


def redeemer(account: Account, invited: str, sources: Sources) -> Redeemer:
    """Return who redeemed. The worst result of an identity counts; if it is `CANNOT_TELL`, the audit log decides."""
    if not invited:
        return Redeemer(Matches.CANNOT_TELL, "the app knows no invited address")
    found = [_judged(name, issuer, invited, sources.homes) for name, issuer in _identities(account)]
    nothing = Redeemer(Matches.CANNOT_TELL, "the account has no identity of another organisation")
    worst = min(found, key=lambda each: _WORST_FIRST.index(each.matches), default=nothing)
    return _with_log(worst, account, invited, sources) if worst.matches is Matches.CANNOT_TELL else worst


def strange_domains(account: Account, invited: str, logged: str = "") -> frozenset[str]:
    """Return the domains whose tenants `redeemer` needs: the invited domain, and those that identities and log name.

    A person may sign in with another domain of the same organisation. Empty if only the invited domain is named.
    """
    named = [name for name, issuer in _identities(account) if issuer not in MAILBOXES]
    if _of_person(logged, account):
        named.append(logged)
    others = {domain for domain in map(_domain, named) if domain and domain != _domain(invited)}
    return frozenset(others | {_domain(invited)}) if others else frozenset()


def finding(found: Redeemer) -> Finding:
    """Return the finding that asks a person to decide about the redemption."""
    return Finding(REDEEMED_BY_OTHER, Severity.REVIEW, f"After the redemption: {found.said}.", FIX, SOURCE)


def _identities(account: Account) -> list[tuple[str, str]]:
    """Return the address and issuer of each federated identity. An address may be empty."""
    federated = (each for each in account.identities or () if (each.sign_in_type or "") == FEDERATED)
    return [(each.issuer_assigned_id or "", each.issuer or "an issuer without a name") for each in federated]


def _judged(name: str, issuer: str, invited: str, homes: Mapping[str, str | None]) -> Redeemer:
    if "@" not in name:
        return Redeemer(Matches.CANNOT_TELL, f"the identity is of {issuer}, and names no address", issuer)
    if name.casefold() == invited.casefold():
        return Redeemer(Matches.YES, f"the identity is {name} of {issuer}, the invited address", issuer)
    another = issuer in MAILBOXES or _apart(name, invited, homes)
    said = f"the identity is {name} of {issuer}, and {invited} was invited"
    return Redeemer(Matches.NO if another else Matches.CANNOT_TELL, said, issuer)


def _with_log(judged: Redeemer, account: Account, invited: str, sources: Sources) -> Redeemer:
    """Add the audit log to a result that the identities leave open. The log can only show another person."""
    name = sources.logged
    if not name:
        return replace(judged, said=f"{judged.said}; {sources.log}")
    said = f"{judged.said}; the audit log names {name}"
    if _of_person(name, account) and _apart(name, invited, sources.homes):
        return replace(judged, matches=Matches.NO, said=f"{said}, and {invited} was invited")
    return replace(judged, said=said)


def _of_person(name: str, account: Account) -> bool:
    """Tell whether a name from the log can be that of the person's home account, and not of the converted account."""
    own = account.user_principal_name.casefold()
    return "@" in name and name.casefold() != own and GUEST not in name.casefold()


def _apart(name: str, invited: str, homes: Mapping[str, str | None]) -> bool:
    """Tell whether two addresses certainly belong to different organisations.

    Within one organisation, a person's sign-in name may differ from the address of the mailbox.
    """
    domains = _domain(name), _domain(invited)
    if domains[0] == domains[1] or not all(domain in homes for domain in domains):
        return False
    first, second = (homes.get(domain) for domain in domains)
    return first is None or first != second


def _domain(address: str) -> str:
    return address.rpartition("@")[2].casefold()


def doubtful(found: Redeemer, *, corrected: bool) -> bool:
    """Tell whether a person must decide about who redeemed.

    ``corrected``: an earlier invitation went to another address, and its link may still have worked.
    """
    return found.matches is Matches.NO or (corrected and found.matches is Matches.CANNOT_TELL)
