"""What the rules say about an account: findings with a severity, and the verdict they add up to."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

ACCESS_CHANGED = "access-changed"
"""The finding of a conversion whose account has not what it had before: no rule finds it, but the comparison."""

REDEEMED_BY_OTHER = "redeemed-by-other"
"""The finding of a conversion whose invitation another person may have redeemed: the comparison finds it, too."""


class Profile(StrEnum):
    """Which edition of Microsoft's article the rules follow."""

    CURRENT = "current"
    """The article of 2026-04: `mail` is the address, a mailbox or an on-premises UPN blocks."""
    LEGACY = "2020"
    """The original article: its three exclusions, and addresses from `otherMails` or `mail`."""


class Severity(StrEnum):
    """How much a finding weighs, worst first."""

    BLOCK = "block"
    REVIEW = "review"
    FIX = "fix"
    WARN = "warn"
    INFO = "info"
    OFF = "off"


class Verdict(StrEnum):
    """What the findings add up to."""

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
"""Keys from worst to mildest: the verdict is that of the first severity present."""


class Finding(msgspec.Struct, frozen=True):
    """One rule's word about one request: what is so, what would mend it, and where the rule comes from."""

    rule: str
    severity: Severity
    message: str
    fix: str
    source: str


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """Return the verdict of the worst finding; ready where nothing blocks, needs review or can be fixed."""
    present = {finding.severity for finding in findings}
    return next((verdict for severity, verdict in VERDICTS.items() if severity in present), Verdict.READY)


def without(findings: Iterable[Finding], *rules: str) -> tuple[Finding, ...]:
    """Return the findings of all other rules."""
    return tuple(each for each in findings if each.rule not in rules)
