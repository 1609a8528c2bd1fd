"""The possible outcomes of an invitation's call to Graph, and how each changes the conversion."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from msgspec import structs

from b2b.domain.conversion import doubts
from b2b.domain.conversion.records import Change, Conversion, Doubt, Event, advance, note
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.tenant_fact import Shows
from b2b.domain.eligibility.rules import RULES
from b2b.domain.errors import Refusal
from b2b.domain.findings import Finding, Severity, Verdict, verdict_of
from b2b.domain.readings import Invited
from b2b.domain.request.subject import address_key

ANOTHER = "AnotherObject"
"""The error code that the app uses if Graph reports success but names another account."""
REFUSED, IN_DOUBT, NOT_SENT = "refused", "outcome-unknown", "not-sent"
"""The kinds of event for calls that did not clearly end in an invitation."""


@dataclass(frozen=True)
class Taken:
    """Graph accepted the invitation."""

    answer: Invited


@dataclass(frozen=True)
class Refused:
    """Graph refused the invitation, or answered with another account."""

    refusal: Refusal


@dataclass(frozen=True)
class InDoubt:
    """The invitation may have been sent."""

    reason: str


@dataclass(frozen=True)
class NotSent:
    """The invitation was certainly not sent."""

    reason: str


Outcome = Taken | Refused | InDoubt | NotSent


def ended(row: Conversion, outcome: Outcome, now: datetime) -> Change[Conversion]:
    """Apply the outcome of the call to a conversion that is `inviting`."""
    match outcome:
        case Taken(answer):
            return invited(row, answer, now)
        case Refused(refusal):
            return refused(row, refusal, now)
        case InDoubt(reason):
            return in_doubt(row, reason, now)
        case NotSent(reason):
            return not_sent(row, reason, now)


def invited(row: Conversion, answer: Invited, now: datetime) -> Change[Conversion]:
    """Record that Graph accepted the invitation. This ends all doubts, because an account has only one invitation."""
    return advance(
        row,
        Stage.INVITED,
        now,
        answer.status,
        call=answer.request_id,
        invited_at=now,
        invitation_id=answer.invitation_id,
        lease_until=None,
        doubts=(),
    )


def refused(row: Conversion, refusal: Refusal, now: datetime) -> Change[Conversion]:
    """Record that Graph refused the invitation.

    If an earlier attempt is in doubt, a person decides, because that attempt may have sent an invitation which is the
    reason for the refusal. Otherwise the conversion ends blocked, with a finding of the rule that covers Graph's
    reason, or failed if no rule covers it.
    """
    said = f"Graph refused the invitation: {refusal.text}"
    answered, call = f"{refusal.status} {refusal.code}", refusal.request_id
    event = Event(REFUSED, now, row.stage, row.request_id, answered, graph_request_id=call)
    if refusal.code == ANOTHER:
        return _another(row, refusal, event, now)
    kept: dict[str, Any] = {"doubts": _without(row), "lease_until": None}
    if any(not doubt.waived for doubt in kept["doubts"]):
        review = doubts.to_review(replace(row, doubts=kept["doubts"]), Shows.UNKNOWN, now, said)
        return Change(review.row, (event, *review.events))
    rule = next((rule for rule in RULES if rule.id == refusal.rule), None)
    if rule is None:
        error = f"{refusal.status} {refusal.code}: {said}"
        end = advance(row, Stage.FAILED, now, refusal.code, last_error=error, **kept)
    else:
        others = (each for each in row.findings if each.rule != rule.id)
        findings = (*others, Finding(rule.id, Severity.BLOCK, said, rule.fix_after_refusal, rule.source))
        kept |= {"findings": findings, "verdict": verdict_of(findings), "last_error": said}
        end = advance(row, Stage.BLOCKED, now, refusal.code, **kept)
    return Change(end.row, (event, *end.events))


def _another(row: Conversion, refusal: Refusal, event: Event, now: datetime) -> Change[Conversion]:
    """Record that Graph reported success for another account. A mail may have been sent, so a person decides.

    The doubt stays open. Only a person can end it, because this conversion's account will not show the invitation.
    """
    fix = "Look at both accounts in the portal. Approve to send another invitation for this one."
    said = f"{refusal.text}; a mail may have been sent."
    finding = Finding(doubts.ANOTHER_ACCOUNT, Severity.REVIEW, said, fix, doubts.SOURCE)
    end = advance(
        row,
        Stage.NEEDS_REVIEW,
        now,
        doubts.ANOTHER_ACCOUNT,
        findings=(*row.findings, finding),
        verdict=Verdict.NEEDS_REVIEW,
        lease_until=None,
        doubts=tuple(_ended(doubt, row.attempt_id, now, elsewhere=True) for doubt in row.doubts),
    )
    return Change(end.row, (event, *end.events))


def in_doubt(row: Conversion, reason: str, now: datetime) -> Change[Conversion]:
    """Record that the outcome is unknown: the invitation may have been sent.

    The doubt stays open, and its window starts at the end of the call.
    """
    ended = tuple(_ended(doubt, row.attempt_id, now) for doubt in row.doubts)
    return note(row, IN_DOUBT, now, reason, doubts=ended, lease_until=None, last_error=reason)


def not_sent(row: Conversion, reason: str, now: datetime) -> Change[Conversion]:
    """Record that this attempt sent nothing. Its doubt is removed; doubts about earlier attempts stay open."""
    return note(row, NOT_SENT, now, reason, doubts=_without(row), lease_until=None, last_error=reason)


def claimed(row: Conversion, attempt: str, now: datetime, until: datetime, *, silent: bool) -> Conversion:
    """Return the row with a claim in it. The attempt counts as a doubt until its outcome is written."""
    doubt = Doubt(attempt, now, until, silent, address_key(row.invited_user_email_address))
    return replace(
        row,
        attempt_id=attempt,
        lease_until=until,
        doubts=(*row.doubts, doubt),
        silent=silent,
        attempts=row.attempts + 1,
    )


def _ended(doubt: Doubt, attempt: str, now: datetime, *, elsewhere: bool = False) -> Doubt:
    if doubt.attempt != attempt or doubt.waived:
        return doubt
    return structs.replace(doubt, until=min(now, doubt.until), elsewhere=elsewhere)


def _without(row: Conversion) -> tuple[Doubt, ...]:
    return tuple(doubt for doubt in row.doubts if doubt.attempt != row.attempt_id)
