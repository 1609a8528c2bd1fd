"""Filters that select the members to show, to judge or to release."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from b2b.domain.campaign.member import Member, MemberStage
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.findings import Severity, Verdict

_SAYS_NOTHING = frozenset({Severity.INFO, Severity.OFF})


@dataclass(frozen=True)
class Filter:
    """Conditions for members. A member must meet each condition that is set."""

    stage: MemberStage | None = None
    verdict: Verdict | None = None
    rule: str = ""
    domain: str = ""
    waiting: WaitReason | None = None
    waits_longer_than: timedelta | None = None

    def takes(self, member: Member, now: datetime) -> bool:
        """Tell whether a member meets all conditions."""
        return all(condition(member) for condition in self._conditions(now))

    @property
    def by_stage_alone(self) -> bool:
        """Whether the filter is at most a stage. Then one stored list holds exactly the members that match it."""
        return self == Filter(stage=self.stage)

    def _conditions(self, now: datetime) -> list[Callable[[Member], bool]]:
        conditions: tuple[tuple[object, Callable[[Member], bool]], ...] = (
            (self.stage, lambda member: member.stage is self.stage),
            (self.verdict, lambda member: member.verdict is self.verdict),
            (self.rule, lambda member: self.rule in rules_of(member)),
            (self.domain, lambda member: member.domain == self.domain.lower()),
            (self.waiting, lambda member: member.waiting is not None and member.waiting.reason is self.waiting),
            (self.waits_longer_than, lambda member: _waits_longer(member, self.waits_longer_than, now)),
        )
        return [condition for value, condition in conditions if value not in (None, "")]


def rules_of(member: Member) -> frozenset[str]:
    """Return the rules that have findings about a member, apart from informational ones."""
    return frozenset(finding.rule for finding in member.findings if finding.severity not in _SAYS_NOTHING)


def waits_since(member: Member) -> datetime | None:
    """Return since when a member waits for a service, a decision or the person's redemption; None if not waiting."""
    if member.waiting is not None:
        return member.waiting.since
    return {MemberStage.INVITED: member.invited_at, MemberStage.JUDGED: member.judged_at}.get(member.stage)


def _waits_longer(member: Member, than: timedelta | None, now: datetime) -> bool:
    since = waits_since(member)
    return since is not None and than is not None and now - since > than
