"""How a call to invite may end, and what each end means for the conversion that made it."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from b2b.domain.conversion import Change, Conversion, Event, Stage, advance
from b2b.domain.eligibility import RULES
from b2b.domain.errors import Refusal
from b2b.domain.findings import Finding, Severity, verdict_of
from b2b.domain.readings import Invited

REFUSED, IN_DOUBT, NOT_SENT = "refused", "outcome-unknown", "not-sent"
"""Events of the calls that did not end in an invitation."""


def invited(row: Conversion, answer: Invited, now: datetime) -> Change[Conversion]:
    """Graph took the invitation."""
    return advance(
        row,
        Stage.INVITED,
        now,
        answer.status,
        invited_at=now,
        invitation_id=answer.invitation_id,
        lease_until=None,
    )


def refused(row: Conversion, refusal: Refusal, now: datetime) -> Change[Conversion]:
    """Graph's reason becomes a finding of the rule it stands for; one that no rule knows ends as failed."""
    said = f"Graph refused the invitation: {refusal.text}"
    event = Event(REFUSED, now, row.stage, row.request_id, f"{refusal.status} {refusal.code}")
    rule = next((rule for rule in RULES if rule.id == refusal.rule), None)
    if rule is None:
        end = advance(row, Stage.FAILED, now, refusal.code, last_error=f"{refusal.status} {refusal.code}: {said}")
    else:
        findings = (*row.findings, Finding(rule.id, Severity.BLOCK, said, rule.fix, rule.source))
        kept: dict[str, Any] = {"findings": findings, "verdict": verdict_of(findings), "last_error": said}
        end = advance(row, Stage.BLOCKED, now, refusal.code, **kept)
    return Change(end.row, (event, *end.events))


def in_doubt(row: Conversion, reason: str, now: datetime) -> Change[Conversion]:
    """The invitation may be out: the intent stays, and its outcome is settled by reading the account."""
    return _released(row, IN_DOUBT, reason, now, row.intent_at)


def not_sent(row: Conversion, reason: str, now: datetime) -> Change[Conversion]:
    """Nothing went out: the next delivery may call at once."""
    return _released(row, NOT_SENT, reason, now, None)


def _released(row: Conversion, kind: str, reason: str, now: datetime, intent_at: datetime | None) -> Change[Conversion]:
    released = replace(row, lease_until=now, last_error=reason, intent_at=intent_at)
    return Change(released, (Event(kind, now, row.stage, row.request_id, reason),))
