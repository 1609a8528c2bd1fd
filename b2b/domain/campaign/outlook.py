"""What keeps a member from being invited: which change would help, if any, and who has to act.

The table has a row for each rule that can block a member, or ask for a decision or a fix. If a rule has no row, the
person who decides about the campaign has to act.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from b2b.domain.campaign.filters import rules_of
from b2b.domain.campaign.member import LISTED_TWICE, Member, MemberStage
from b2b.domain.eligibility.judge import FACT_NOT_READABLE
from b2b.domain.findings import IN_THE_WAY, Finding, Severity, Verdict


class Who(StrEnum):
    """Who has to act."""

    DECIDER = "the person who decides about the campaign"
    USERS = "a user administrator"
    ACTIVE_DIRECTORY = "an administrator of Active Directory"
    EXCHANGE = "an Exchange administrator"
    ROLES = "a privileged role administrator"
    EXTERNAL = "an administrator of External Identities"
    PERMISSIONS = "an administrator of the app's permissions"
    LIST = "the person who keeps the list"


class Change(StrEnum):
    """What has to change before the member can be invited."""

    ADDRESS = "set the external address of the account"
    ADDRESS_ON_PREMISES = "set mail in Active Directory"
    ADDRESS_IN_EXCHANGE = "set mail once Exchange has no mailbox of the account"
    MAILBOX = "remove the mailbox"
    ON_PREMISES_UPN = "empty onPremisesUserPrincipalName"
    UNIT = "take the account out of the administrative unit"
    SCOPE = "add the account to the scope group"
    HOLDER = "free the address from its other holder"
    RESTRICTIONS = "change the tenant's external collaboration settings"
    PERMISSION = "grant the missing permission"
    ENABLE = "enable the account"
    ROW = "correct the row of the list"
    NOTHING = ""
    """No change helps; the account should stay as it is."""


@dataclass(frozen=True)
class Remedy:
    """The change that resolves a finding, and who can make it."""

    change: Change
    who: Who


_C, _W = Change, Who
REMEDIES: Final[dict[str, Remedy]] = {
    "no-external-address": Remedy(_C.ADDRESS, _W.USERS),
    "address-not-on-account": Remedy(_C.ADDRESS, _W.USERS),
    "own-verified-domain": Remedy(_C.ADDRESS, _W.USERS),
    "group-address": Remedy(_C.ADDRESS, _W.USERS),
    "address-characters": Remedy(_C.ROW, _W.LIST),
    "account-not-found": Remedy(_C.ROW, _W.LIST),
    "account-ambiguous": Remedy(_C.ROW, _W.LIST),
    "address-ambiguous": Remedy(_C.ROW, _W.LIST),
    LISTED_TWICE: Remedy(_C.ROW, _W.LIST),
    "sponsor-unusable": Remedy(_C.ROW, _W.LIST),
    "exchange-mailbox": Remedy(_C.MAILBOX, _W.EXCHANGE),
    "on-premises-upn": Remedy(_C.ON_PREMISES_UPN, _W.ACTIVE_DIRECTORY),
    "restricted-management": Remedy(_C.UNIT, _W.ROLES),
    "outside-scope": Remedy(_C.SCOPE, _W.USERS),
    "address-in-use": Remedy(_C.HOLDER, _W.USERS),
    "address-requested-twice": Remedy(_C.HOLDER, _W.USERS),
    "domain-not-allowed": Remedy(_C.RESTRICTIONS, _W.EXTERNAL),
    "cross-tenant-blocked": Remedy(_C.RESTRICTIONS, _W.EXTERNAL),
    "invitations-disabled": Remedy(_C.RESTRICTIONS, _W.EXTERNAL),
    FACT_NOT_READABLE: Remedy(_C.PERMISSION, _W.PERMISSIONS),
    "direct-federation": Remedy(_C.NOTHING, _W.DECIDER),
    "home-account-not-entra": Remedy(_C.NOTHING, _W.DECIDER),
    "already-external": Remedy(_C.NOTHING, _W.DECIDER),
    "invitation-pending": Remedy(_C.NOTHING, _W.DECIDER),
    "excluded-group": Remedy(_C.NOTHING, _W.DECIDER),
    "account-disabled": Remedy(_C.ENABLE, _W.USERS),
    "directory-role": Remedy(_C.NOTHING, _W.ROLES),
}
SETS_ADDRESS: Final = frozenset({_C.ADDRESS, _C.ADDRESS_ON_PREMISES, _C.ADDRESS_IN_EXCHANGE})
_MAILBOXES: Final = frozenset({"exchange-mailbox", "possible-mailbox"})
_ASKED: Final = Remedy(Change.NOTHING, Who.DECIDER)
_BEFORE_INVITATION: Final = frozenset(
    {MemberStage.JUDGED, MemberStage.BLOCKED, MemberStage.NEEDS_REVIEW, MemberStage.FAILED}
)


def remedy_of(member: Member, finding: Finding) -> Remedy:
    """Return the remedy for a finding. If Active Directory or Exchange manages the address, it has to be set there."""
    found = REMEDIES.get(finding.rule, _ASKED)
    if found.change is not Change.ADDRESS:
        return found
    if member.synced:
        return Remedy(Change.ADDRESS_ON_PREMISES, Who.ACTIVE_DIRECTORY)
    return Remedy(Change.ADDRESS_IN_EXCHANGE, Who.EXCHANGE) if rules_of(member) & _MAILBOXES else found


def in_the_way(member: Member) -> tuple[Finding, ...]:
    """Return the findings that keep a member from being invited."""
    return tuple(finding for finding in member.findings if finding.severity in IN_THE_WAY)


class Prospect(StrEnum):
    """Whether a member can be invited and, if not, what is needed."""

    READY = "ready"
    FIXABLE = "fixable"
    NEEDS_A_PERSON = "needsAPerson"
    CANNOT = "cannot"


def prospect_of(member: Member) -> Prospect | None:
    """Return the prospect of a member that is judged, blocked, in review or failed; None in other stages.

    A finding that no change resolves outweighs one that a change resolves, which outweighs one that needs a decision.
    """
    if member.verdict is None or member.stage not in _BEFORE_INVITATION:
        return None
    if member.verdict is Verdict.READY:
        return Prospect.READY
    found = in_the_way(member)
    blocks = [finding for finding in found if finding.severity is not Severity.REVIEW]
    if any(remedy_of(member, finding).change is Change.NOTHING for finding in blocks):
        return Prospect.CANNOT
    return Prospect.FIXABLE if blocks else Prospect.NEEDS_A_PERSON


@dataclass
class Counts:
    """How many people there are of each kind. A person who is on the list twice counts once."""

    people: int = 0
    by_stage: Counter[str] = field(default_factory=Counter)
    by_verdict: Counter[str] = field(default_factory=Counter)
    by_rule: Counter[str] = field(default_factory=Counter)
    by_prospect: Counter[str] = field(default_factory=Counter)
    by_change: Counter[str] = field(default_factory=Counter)
    """Fixable people by change. A person who needs two changes counts for both."""
    by_who: Counter[str] = field(default_factory=Counter)
    """People who need another person's decision, by who has to act."""


def counted(members: Iterable[Member]) -> Counts:
    """Count people. Of two members that are one account, only the member that was judged first counts."""
    counts, seen = Counts(), set[str]()
    for member in members:
        if LISTED_TWICE in rules_of(member):
            counts.by_rule[LISTED_TWICE] += 1
            continue
        seen.add(member.person)
        _count(counts, member)
    counts.people = len(seen)
    return counts


def _count(counts: Counts, member: Member) -> None:
    counts.by_stage[member.stage] += 1
    if member.verdict is None:
        return
    counts.by_verdict[member.verdict] += 1
    counts.by_rule.update(rules_of(member))
    prospect = prospect_of(member)
    if prospect is not None:
        counts.by_prospect[prospect] += 1
    remedies = {(finding.severity is Severity.REVIEW, remedy_of(member, finding)) for finding in in_the_way(member)}
    if prospect is Prospect.FIXABLE:
        counts.by_change.update({remedy.change.value for review, remedy in remedies if not review})
    if prospect is Prospect.NEEDS_A_PERSON:
        counts.by_who.update({remedy.who.value for _, remedy in remedies})
