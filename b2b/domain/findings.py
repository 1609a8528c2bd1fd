"""The findings of the rules, their severities, and the verdict that follows from them."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

ACCESS_CHANGED = "access-changed"
"""The finding that the account lost or gained something since its invitation. The comparison finds it, not a rule."""

REDEEMED_BY_OTHER = "redeemed-by-other"
"""The finding that another person may have redeemed the invitation. The comparison finds it, not a rule."""


class Profile(StrEnum):
    """Which edition of Microsoft's article the rules follow."""

    CURRENT = "current"
    """The article of 2026-04: the address is in `mail`, and a mailbox or an on-premises UPN blocks."""
    LEGACY = "2020"
    """The original article: it has three exclusions, and the address is in `otherMails` or `mail`."""


class Severity(StrEnum):
    """How much a finding weighs, worst first."""

    BLOCK = "block"
    REVIEW = "review"
    FIX = "fix"
    WARN = "warn"
    INFO = "info"
    OFF = "off"


IN_THE_WAY = frozenset({Severity.BLOCK, Severity.REVIEW, Severity.FIX})
"""The severities of findings that prevent an invitation."""


class Verdict(StrEnum):
    """The overall result of the findings."""

    BLOCKED = "blocked"
    NEEDS_REVIEW = "needsReview"
    FIXABLE = "fixable"
    READY = "ready"


VERDICTS = {
    Severity.BLOCK: Verdict.BLOCKED,
    Severity.REVIEW: Verdict.NEEDS_REVIEW,
    Severity.FIX: Verdict.FIXABLE,
    Severity.WARN: Verdict.READY,
    Severity.INFO: Verdict.READY,
}
"""The verdict of each severity, worst first. The worst severity of the findings decides."""


class Finding(msgspec.Struct, frozen=True):
    """What one rule found about one request, how to fix it, and the source of the rule."""

    rule: str
    severity: Severity
    message: str
    fix: str
    source: str


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """Return the verdict of the worst finding; `ready` if there is no finding."""
    present = {finding.severity for finding in findings}
    return next((verdict for severity, verdict in VERDICTS.items() if severity in present), Verdict.READY)


def without(findings: Iterable[Finding], *rules: str) -> tuple[Finding, ...]:
    """Return the findings of all rules except these."""
    return tuple(each for each in findings if each.rule not in rules)


def held_up_by(findings: Iterable[Finding]) -> str:
    """Return the rules whose findings prevent an invitation, as text; empty if there are none."""
    return ", ".join(dict.fromkeys(finding.rule for finding in findings if finding.severity in IN_THE_WAY))


def in_short(verdict: Verdict, findings: Iterable[Finding]) -> str:
    """Return a verdict and the rules that led to it, as the detail of the event that records an assessment."""
    return ": ".join(filter(None, (verdict, held_up_by(findings))))
