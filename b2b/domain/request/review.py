"""Apply a person's approval or release to an assessment: waive what was shown, and refuse what is new since then."""

from collections.abc import Iterator

from msgspec.structs import replace

from b2b.domain.conversion.assessment import Assessment
from b2b.domain.conversion.records import Conversion
from b2b.domain.findings import Finding, Severity
from b2b.domain.request.approval import NOT_VISIBLE, Approval, approval_of
from b2b.domain.request.record import RequestRecord

CHANGED = "changed-since-judged"
_SOURCE = "https://learn.microsoft.com/entra/external-id/invite-internal-users"


def weighed(assessment: Assessment, record: RequestRecord) -> tuple[Finding, ...]:
    """Return the findings of an assessment after a request's approval or release is applied.

    An approval turns the findings that it covers into warnings. For a released dry run or member, anything that was not
    judged before the release is an additional finding.
    """
    approval = approval_of(record)
    findings = (*assessment.findings, *_new(assessment, record, approval))
    if approval is None or approval.subject != assessment.subject:
        return findings
    return tuple(_waived(finding, approval) for finding in findings)


def not_visible(conversion: Conversion) -> Finding:
    """Return the finding that an account does not show an invitation which Graph accepted."""
    invited = f"{conversion.invited_at:%Y-%m-%d %H:%M} UTC" if conversion.invited_at else "before"
    return Finding(
        NOT_VISIBLE,
        Severity.REVIEW,
        f"Graph accepted an invitation of this account at {invited}, and the account does not show it.",
        "Look at the account in the portal. Approve to send another invitation.",
        _SOURCE,
    )


def _waived(finding: Finding, approval: Approval) -> Finding:
    return replace(finding, severity=Severity.WARN) if approval.covers(finding) else finding


def _new(assessment: Assessment, record: RequestRecord, approval: Approval | None) -> Iterator[Finding]:
    """Yield a finding for what is new since the release or approval, which is valid only for what was judged then."""
    if record.released:
        if assessment.subject != record.judged_as:
            yield _changed("Account or address are not those that were judged.")
        found = sorted({finding.rule for finding in assessment.findings if finding.severity is not Severity.INFO})
        if new := [rule for rule in found if rule not in record.judged_rules]:
            yield _changed(f"New since the request was judged: {', '.join(new)}.")
    elif approval is not None and approval.asks_again and approval.subject != assessment.subject:
        yield _changed("Account or address are not those that were approved.")


def _changed(said: str) -> Finding:
    return Finding(CHANGED, Severity.REVIEW, said, "Look at the findings again, and approve what you see now.", _SOURCE)
