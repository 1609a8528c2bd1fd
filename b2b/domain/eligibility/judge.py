"""Judge a request: ask every rule that is on and applies, and return all findings."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from b2b.domain.eligibility import address
from b2b.domain.eligibility.case import Case
from b2b.domain.eligibility.fact import Fact
from b2b.domain.eligibility.rule import Hit, Rule, Subject
from b2b.domain.eligibility.rules import RULES
from b2b.domain.eligibility.unread import Unread
from b2b.domain.findings import Finding, Profile, Severity, Verdict, verdict_of

FACT_NOT_READABLE: Final = "fact-not-readable"
"""Id of the finding which says that a rule could not be decided. This id is not a rule's, so no setting turns it
off."""
RULE_IDS: Final = tuple(rule.id for rule in RULES)
PINNED: Final = frozenset(rule.id for rule in RULES if rule.pinned)

_GOING_ON: Final = frozenset({Verdict.READY, Verdict.NEEDS_REVIEW})
"""The verdicts of accounts that may be invited, some of them after an approval."""

SET_ON_PREMISES: Final = (
    "Set mail of the account in Active Directory to the person's external address, wait for the synchronisation, then "
    "retry: Graph cannot change a synchronised account."
)
SET_IN_EXCHANGE: Final = (
    "Exchange keeps the mail of this account, and Graph cannot change it: see the finding about its mailbox first. "
    "When the mailbox is gone, set mail to the person's external address, then retry."
)
SET_UNLESS_MAILBOX: Final = (
    "Look the account up in the Exchange admin center (Recipients). If it is a mailbox, do not convert it. If not, "
    "set mail to the person's external address, wait five minutes, then retry."
)


def needed_facts(profile: Profile, overrides: Mapping[str, Severity]) -> frozenset[Fact[Any]]:
    """Return the facts that the active rules need. For a rule that is off, nothing is read."""
    return frozenset(
        fact for rule in RULES if rule.severity(profile, overrides) is not Severity.OFF for fact in rule.needs
    )


def judge(case: Case, overrides: Mapping[str, Severity]) -> tuple[Finding, ...]:
    """Return the findings of every rule that is on and applies. ``overrides`` maps rule ids to severities."""
    return tuple(finding for rule in RULES for finding in _ask(rule, case, rule.severity(case.profile, overrides)))


def may_be_invited(case: Case, overrides: Mapping[str, Severity]) -> bool:
    """Return False if the facts that were read so far forbid an invitation that no person can approve.

    A rule whose facts are not all read yet says nothing, because the default of a missing fact could block.
    """
    decidable = (rule for rule in RULES if all(fact in case.facts for fact in rule.needs))
    found = (finding for rule in decidable for finding in _ask(rule, case, rule.severity(case.profile, overrides)))
    return verdict_of(tuple(found)) in _GOING_ON


def _ask(rule: Rule, case: Case, severity: Severity) -> Iterator[Finding]:
    """Yield the rule's finding, and a finding about unreadable facts if they could have made the result worse.

    They could not if the rule hit at its full severity.
    """
    if severity is Severity.OFF or not _applies(rule, case):
        return
    result = rule.test(case)
    hit = Hit(result) if isinstance(result, str) else result
    if hit is not None:
        yield Finding(rule.id, _weight(severity, hit, case), hit.message, _fix(rule, hit, case), rule.source)
    unread = Unread.of(rule, case)
    if unread and (hit is None or hit.at_most is not None):
        yield Finding(
            FACT_NOT_READABLE,
            _blind_weight(rule, severity),
            f"The rule {rule.id} could not be decided: {unread.said}.",
            f"{unread.advice}{'' if rule.pinned else f', or set the rule {rule.id} to off in B2B_RULE_OVERRIDES'}.",
            "https://learn.microsoft.com/graph/permissions-reference",
        )


def _applies(rule: Rule, case: Case) -> bool:
    there = {
        Subject.REQUEST: True,
        Subject.TENANT: True,
        Subject.ACCOUNT: case.account is not None,
        Subject.ADDRESS: case.address is not None and address.problem(case.address) is None,
    }
    return there[rule.subject] and rule.applies(case)


def _fix(rule: Rule, hit: Hit, case: Case) -> str:
    elsewhere = rule.sets_address and case.account is not None and _set_elsewhere(case)
    return hit.fix or elsewhere or rule.fix_under(case.profile)


def _set_elsewhere(case: Case) -> str | None:
    """Return the fix for an account whose address Graph cannot change; None if Graph can.

    Graph refuses to change it if Active Directory or Exchange is in charge of the account.
    """
    if case.synced:
        return SET_ON_PREMISES
    if case.profile is Profile.LEGACY:
        return None  # the fix sets otherMails, which neither Active Directory nor Exchange is in charge of
    if case.user.has_mailbox:
        return SET_IN_EXCHANGE
    return SET_UNLESS_MAILBOX if case.unlicensed_mailbox else None


def _weight(severity: Severity, hit: Hit, case: Case) -> Severity:
    if severity is Severity.FIX and case.account is not None and _set_elsewhere(case):
        severity = Severity.BLOCK
    order = list(Severity)
    return severity if hit.at_most is None else max(severity, hit.at_most, key=order.index)


def _blind_weight(rule: Rule, severity: Severity) -> Severity:
    """Return the severity of the finding which says that a rule could not be decided.

    It is block for a pinned rule, because approving cannot help if there may be nothing to invite. A rule that only
    warns keeps its severity. If Graph enforces the rule itself, a warning is enough. Any other rule protects something,
    so a person has to decide: a conversion is hard to undo.
    """
    if rule.pinned:
        return Severity.BLOCK
    if severity in {Severity.WARN, Severity.INFO}:
        return severity
    return Severity.WARN if rule.enforced_by_graph else Severity.REVIEW
