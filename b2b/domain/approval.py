"""A person's word on a request that needs review: who, why, and exactly which findings it covers."""

from datetime import datetime

import msgspec

from b2b.domain.conversion import Change, Conversion, Event, RequestRecord, Stage, advance_request
from b2b.domain.envelope import convert, digest, document, names
from b2b.domain.errors import MalformedRequest
from b2b.domain.findings import Finding, Severity

LONGEST_NAME, LONGEST_REASON = 200, 1000


class Waived(msgspec.Struct, frozen=True):
    """A finding as it was shown. Should the facts change, so does the message, and the waiver no longer fits.

    Nor does it after an upgrade that words the message anew: such a request asks for review once more.
    """

    rule: str
    message: str


class Approval(msgspec.Struct, frozen=True):
    """What is kept of an approval."""

    by: str
    reason: str
    at: datetime
    subject: str
    """The account and the address that were shown: an approval is for no other."""
    waived: tuple[Waived, ...]


class _Body(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    approved_by: str
    reason: str


def parse_approval(raw: bytes) -> tuple[str, str]:
    """Return who approves and why.

    Raises:
        MalformedRequest: names the field and what was expected.

    """
    body = convert(document(raw), _Body, names(_Body))
    for target, text, longest in (
        ("approvedBy", body.approved_by, LONGEST_NAME),
        ("reason", body.reason, LONGEST_REASON),
    ):
        if not 0 < len(text.strip()) <= len(text) <= longest:
            raise MalformedRequest("InvalidValue", f"{target}: expected 1 to {longest} characters", target)
    return body.approved_by, body.reason


def reopened(
    record: RequestRecord, over: Conversion | None, kind: str, now: datetime, detail: str = "", approval: str = ""
) -> Change[RequestRecord]:
    """Begin a request again from its stored body, as if it had just come in. ``over``: its account's row now.

    Raises:
        IllegalTransition: it is under way, or was never understood.

    """
    change = advance_request(
        record,
        Stage.REQUESTED,
        now,
        generation=0,
        verdict=None,
        findings=(),
        completed_at=None,
        invited_at=None,
        attempts=0,
        last_error="",
        poison_returns=0,
        trouble_since=None,
        due_at=now,
        reopened_over=over.sequence if over else 0,
        approval=approval,
    )
    return Change(change.row, (Event(kind, now, Stage.REQUESTED, record.request_id, detail),))


def approved(record: RequestRecord, over: Conversion, by: str, reason: str, now: datetime) -> Change[RequestRecord]:
    """Begin again a request that needs review, with what was shown waived, for the address that it was shown with.

    ``over`` is its account's row now, which has to be about this very request.
    """
    subject = subject_of(record.user_id, over.invited_user_email_address)
    shown = tuple(Waived(item.rule, item.message) for item in record.findings if item.severity is Severity.REVIEW)
    approval = Approval(by, reason, now, subject, shown)
    return reopened(record, over, "approved", now, f"by {by}: {reason}", msgspec.json.encode(approval).decode())


def subject_of(user_id: str, address: str) -> str:
    """Name what is approved: this account, with this address."""
    return digest(f"{user_id.lower()}\n{address.lower()}".encode())


def waive(findings: tuple[Finding, ...], approval: str, subject: str) -> tuple[Finding, ...]:
    """Turn the findings that an approval covers from review to warn; everything else stays as it is."""
    if not approval:
        return findings
    given = msgspec.json.decode(approval, type=Approval)
    waived = set(given.waived) if given.subject == subject else set[Waived]()
    return tuple(
        msgspec.structs.replace(item, severity=Severity.WARN)
        if item.severity is Severity.REVIEW and Waived(item.rule, item.message) in waived
        else item
        for item in findings
    )
