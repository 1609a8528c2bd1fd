"""An administrator's approval of a request: who, why, and which findings about which account and address it covers."""

from datetime import datetime

import msgspec

from b2b.domain.conversion.records import Conversion
from b2b.domain.findings import Finding, Severity
from b2b.domain.request.record import RequestRecord
from b2b.domain.request.subject import subject_of

OUTCOME_UNKNOWN, NOT_VISIBLE, ANOTHER_ACCOUNT = "outcome-unknown", "not-visible", "another-account"
ASKING_AGAIN = frozenset({OUTCOME_UNKNOWN, NOT_VISIBLE, ANOTHER_ACCOUNT})
"""Findings for which an approval asks the app to send another invitation."""


class Waived(msgspec.Struct, frozen=True):
    """A finding as the approver saw it. If the facts change, so does its message, and the new finding is not waived."""

    rule: str
    message: str


class Approval(msgspec.Struct, frozen=True):
    """An approval, as a request's row keeps it."""

    by: str
    reason: str
    at: datetime
    subject: str
    """Key of the account and address that were shown. The approval is valid for this pair only."""
    generation: int
    """Generation of the conversion that was shown. The approval asks for no other invitation in a later generation."""
    waived: tuple[Waived, ...]

    def covers(self, finding: Finding) -> bool:
        """Tell whether this finding needs a review and was shown in the same words."""
        return finding.severity is Severity.REVIEW and Waived(finding.rule, finding.message) in self.waived

    @property
    def asks_again(self) -> bool:
        """Whether the approval asks for another invitation although one may have been sent."""
        return any(waived.rule in ASKING_AGAIN for waived in self.waived)


def approval_of(record: RequestRecord) -> Approval | None:
    """Return the approval of a request; None if it has none."""
    return msgspec.json.decode(record.approval, type=Approval) if record.approval else None


def approval_for(record: RequestRecord, conversion: Conversion, by: str, reason: str, now: datetime) -> Approval:
    """Return an approval of the review findings that a request shows, for the account and its present address.

    Findings that an earlier approval of this account and address waived stay waived. The request shows them as
    warnings.
    """
    subject, earlier = subject_of(record.user_id, conversion.invited_user_email_address), approval_of(record)
    kept = earlier.waived if earlier is not None and earlier.subject == subject else ()
    shown = (Waived(item.rule, item.message) for item in record.findings if item.severity is Severity.REVIEW)
    waived = (*kept, *(each for each in shown if each not in kept))
    return Approval(by, reason, now, subject, record.generation or record.left_generation, waived)


def asks_again(record: RequestRecord, conversion: Conversion) -> bool:
    """Tell whether a request's approval asks for another invitation in this conversion, to its present address."""
    approval = approval_of(record)
    if approval is None or not approval.asks_again or approval.generation != conversion.generation:
        return False
    return approval.subject == subject_of(conversion.user_id, conversion.invited_user_email_address)
