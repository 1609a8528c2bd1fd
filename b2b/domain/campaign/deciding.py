"""Decisions about several members at once. A decision names the members and findings that a person was shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from b2b.domain.campaign.member import Member, MemberStage
from b2b.domain.conversion.records import Change, Event
from b2b.domain.errors import RequestRefused
from b2b.domain.findings import Finding, Severity, Verdict, verdict_of
from b2b.domain.request.approval import OUTCOME_UNKNOWN, Approval, Waived
from b2b.domain.request.decision import Decision

ALONE: Final = frozenset({"directory-role", "copy-recipient", OUTCOME_UNKNOWN})
"""Findings that a person decides about for one member at a time.

They say that the account is privileged, that a second person gets a copy of the mail, or that the person may get a
second mail.
"""

ENDED: Final = "the campaign ended"
"""The reason that is stored with a cancelled member if the caller gave none."""


class Answer(StrEnum):
    """What a person decides."""

    APPROVE = "approve"
    REFUSE = "refuse"


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member, and the findings under which it was shown."""

    member: str
    findings: tuple[Waived, ...]


@dataclass(frozen=True)
class Group:
    """Members that wait for a decision because of the same rule."""

    rule: str
    alone: bool
    members: tuple[Member, ...]


def asked(member: Member) -> tuple[Finding, ...]:
    """Return the findings of a member that a person has to decide about."""
    return tuple(finding for finding in member.findings if finding.severity is Severity.REVIEW)


WAITS_IN: Final = (MemberStage.NEEDS_REVIEW, MemberStage.JUDGED)
"""Stages in which a member may wait for a decision: after its release, and before it."""


def waits(member: Member) -> bool:
    """Tell whether a member waits for a decision."""
    return member.stage in WAITS_IN and member.verdict is Verdict.NEEDS_REVIEW


def grouped(members: Iterable[Member]) -> tuple[Group, ...]:
    """Group the members that wait for a decision by rule, the largest group first.

    If two rules ask for a decision about a member, the member is in two groups.
    """
    found: dict[str, list[Member]] = {}
    for member in members:
        if waits(member):
            for rule in dict.fromkeys(finding.rule for finding in asked(member)):
                found.setdefault(rule, []).append(member)
    groups = (Group(rule, rule in ALONE, tuple(waiting)) for rule, waiting in found.items())
    return tuple(sorted(groups, key=lambda group: (-len(group.members), group.rule)))


def check(answer: Answer, choice: Choice, among: Sequence[Choice], members: Mapping[str, Member]) -> Member:
    """Return the member of a choice, if it may be decided about.

    Any member that is not released may be refused, because its row may be wrong.

    Raises:
        RequestRefused: the member does not exist, cannot be decided about, now has other findings, or has to be
                decided about alone.

    """
    member = members.get(choice.member)
    if member is None:
        raise RequestRefused("MemberNotFound", f"The campaign has no member {choice.member}.")
    if not waits(member) and not (answer is Answer.REFUSE and member.stage.judged_again):
        said = f"The member is {member.stage}, and its verdict {member.verdict or 'open'}; it waits for no decision."
        raise RequestRefused("NotAwaitingDecision", said)
    now = {Waived(finding.rule, finding.message) for finding in asked(member)}
    if now != set(choice.findings):
        raise RequestRefused("FindingsChanged", "The member now has other findings: read them and decide again.")
    if len(among) > 1 and (alone := sorted({finding.rule for finding in now} & ALONE)):
        raise RequestRefused("DecideAlone", f"Decide about this member alone, because of {', '.join(alone)}.")
    return member


def decided(member: Member, answer: Answer, decision: Decision, now: datetime) -> Change[Member]:
    """Record a decision about a member that is not released. An approval later applies to the member's request."""
    said: dict[str, Any] = {"decided_by": decision.by, "decided_because": decision.reason, "decided_at": now}
    if answer is Answer.REFUSE:
        row = replace(member, stage=MemberStage.CANCELLED, waiting=None, last_error=f"Refused {decision}.", **said)
        return Change(row, (Event("refused", now, detail=str(decision)),))
    waived = asked(member)
    findings = tuple(
        msgspec.structs.replace(finding, severity=Severity.WARN) if finding in waived else finding
        for finding in member.findings
    )
    row = replace(member, findings=findings, verdict=verdict_of(findings), waived=(*member.waived, *waived), **said)
    rules = ", ".join(sorted({finding.rule for finding in waived}))
    return Change(row, (Event("approved", now, detail=f"{decision}; waived: {rules}"),))


def called_off(member: Member, decision: Decision, now: datetime) -> Change[Member]:
    """Cancel a member that is not released, because its campaign ended."""
    change = decided(member, Answer.REFUSE, decision, now)
    return replace(change, row=replace(change.row, last_error=f"Cancelled {decision}."))


def approval_of(member: Member) -> Approval | None:
    """Return the approval that the request of a released member gets; None if no finding of the member was waived.

    The approval is valid for the account and the address that were judged.
    """
    if not member.waived or member.decided_at is None:
        return None
    waived = tuple(Waived(finding.rule, finding.message) for finding in member.waived)
    by, because = member.decided_by, member.decided_because
    return Approval(by, because, member.decided_at, member.judged_as, 0, waived)
