"""An administrator's word on a request: who, why, and exactly which findings of which account and address it covers."""

from datetime import datetime

import msgspec

from b2b.domain.conversion.records import Conversion
from b2b.domain.findings import Finding, Severity
from b2b.domain.request.record import RequestRecord
from b2b.domain.request.subject import subject_of

OUTCOME_UNKNOWN, NOT_VISIBLE, ANOTHER_ACCOUNT = "outcome-unknown", "not-visible", "another-account"
ASKING_AGAIN = frozenset({OUTCOME_UNKNOWN, NOT_VISIBLE, ANOTHER_ACCOUNT})
"""Findings whose approval asks for another invitation."""


class Waived(msgspec.Struct, frozen=True):
    """A finding as it was shown. If the facts change, so does the message, and the waiver no longer fits."""

    rule: str
    message: str


class Approval(msgspec.Struct, frozen=True):
    """What is kept of an approval."""

    by: str
    reason: str
    at: datetime
    subject: str
    """The account and the address that were shown: an approval is for no other."""
    generation: int
    """The account's conversion that was shown: an approval asks for no second invitation of a later one."""
    waived: tuple[Waived, ...]

    def covers(self, finding: Finding) -> bool:
        """Tell whether exactly this finding was shown."""
        return finding.severity is Severity.REVIEW and Waived(finding.rule, finding.message) in self.waived

    @property
    def asks_again(self) -> bool:
        """Whether it asks for another invitation, although one may be out."""
        return any(waived.rule in ASKING_AGAIN for waived in self.waived)


def approval_of(record: RequestRecord) -> Approval | None:
    """Return the approval under which a request runs."""
    return msgspec.json.decode(record.approval, type=Approval) if record.approval else None


def approval_for(record: RequestRecord, conversion: Conversion, by: str, reason: str, now: datetime) -> Approval:
    """Return the approval of what a request shows: its review findings, for the account's address of now.

    What an earlier approval of the same account and address waived stays waived: the request shows it as a warning.
    """
    subject, earlier = subject_of(record.user_id, conversion.invited_user_email_address), approval_of(record)
    kept = earlier.waived if earlier is not None and earlier.subject == subject else ()
    shown = (Waived(item.rule, item.message) for item in record.findings if item.severity is Severity.REVIEW)
    waived = (*kept, *(each for each in shown if each not in kept))
    return Approval(by, reason, now, subject, record.generation or record.left_generation, waived)


def asks_again(record: RequestRecord, conversion: Conversion) -> bool:
    """Tell whether a person was shown this conversion's doubt and wants the invitation sent again."""
    approval = approval_of(record)
    if approval is None or not approval.asks_again or approval.generation != conversion.generation:
        return False
    return approval.subject == subject_of(conversion.user_id, conversion.invited_user_email_address)
