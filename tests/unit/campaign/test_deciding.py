"""Decisions about several members apply to exactly the members and findings that were shown."""

import pytest

from b2b.domain.actors import Actor, ActorKind
from b2b.domain.campaign.deciding import ALONE, Answer, Choice, approval_of, asked, check, decided, grouped
from b2b.domain.campaign.member import MemberStage
from b2b.domain.errors import RequestRefused
from b2b.domain.findings import Severity, Verdict
from b2b.domain.request.approval import Waived
from b2b.domain.request.decision import Decision
from tests.unit.campaign.people import NOON, finding, member

ODD = finding("address-unlikely", Severity.REVIEW)
WORKS_HERE = finding("looks-like-employee", Severity.REVIEW)
NOTE = finding("resource-account", Severity.WARN)
SHOWN = (Waived(ODD.rule, ODD.message),)
BY = Decision(Actor(ActorKind.STATED, name="ciso@contoso.com"), "ticket 4711")


def choice(number: int, *shown: Waived) -> Choice:
    return Choice(member(number).key, shown or SHOWN)


def code(one: Choice, *others: Choice) -> str:
    people = [member(1, ODD, NOTE), member(2, ODD, WORKS_HERE), member(3), member(4, ODD, stage=MemberStage.INVITED)]
    people += [member(number, finding(rule, Severity.REVIEW)) for number, rule in enumerate(sorted(ALONE), 5)]
    with pytest.raises(RequestRefused) as refused:
        check(Answer.APPROVE, one, (one, *others), {each.key: each for each in people})
    return refused.value.code


def test_members_waiting_for_a_decision_are_grouped_by_rule() -> None:
    groups = grouped([member(1, ODD), member(2, ODD, WORKS_HERE), member(3), member(4, ODD, stage=MemberStage.INVITED)])
    assert [(group.rule, len(group.members), group.alone) for group in groups] == [
        ("address-unlikely", 2, False),
        ("looks-like-employee", 1, False),
    ]


def test_a_decision_needs_exactly_the_findings_that_were_shown() -> None:
    one = choice(1)
    row = member(1, ODD, NOTE)
    assert check(Answer.APPROVE, one, (one,), {row.key: row}) is row
    assert code(choice(2)) == "FindingsChanged"
    assert code(choice(1, *SHOWN, Waived("looks-like-employee", "it is so"))) == "FindingsChanged"
    assert code(choice(1, Waived(ODD.rule, "another reason"))) == "FindingsChanged"
    assert code(choice(3)) == code(choice(4)) == "NotAwaitingDecision"
    assert code(Choice("f" * 32, SHOWN)) == "MemberNotFound"


@pytest.mark.parametrize(("number", "rule"), list(enumerate(sorted(ALONE), 5)))
def test_some_findings_need_a_decision_for_each_member_alone(number: int, rule: str) -> None:
    one = choice(number, Waived(rule, "it is so"))
    assert code(one, choice(1)) == "DecideAlone"
    row = member(number, finding(rule, Severity.REVIEW))
    assert check(Answer.APPROVE, one, (one,), {row.key: row}) is row


@pytest.mark.parametrize("stage", list(MemberStage))
def test_unreleased_members_can_be_refused_but_only_waiting_ones_approved(stage: MemberStage) -> None:
    ready = member(1, NOTE, stage=stage)
    none = Choice(ready.key, ())
    for answer in Answer:
        if answer is Answer.REFUSE and stage in {"listed", "judged", "blocked", "failed"}:
            assert check(answer, none, (none,), {ready.key: ready}) is ready
            continue
        with pytest.raises(RequestRefused) as refused:
            check(answer, none, (none,), {ready.key: ready})
        assert refused.value.code == "NotAwaitingDecision"


def test_an_approval_keeps_its_person_and_reason_and_applies_to_the_request() -> None:
    change = decided(member(1, ODD, NOTE), Answer.APPROVE, BY, NOON)
    row = change.row
    assert (row.verdict, asked(row), row.stage) == (Verdict.READY, (), MemberStage.JUDGED)
    assert (row.decided_by, row.decided_because, row.decided_at) == (BY.by, BY.reason, NOON)
    assert change.events[0].detail == "by ciso@contoso.com: ticket 4711; waived: address-unlikely"
    approval = approval_of(row)
    assert approval is not None
    assert (approval.subject, approval.waived, approval.by) == (row.judged_as, SHOWN, BY.by)
    assert approval_of(member(1, ODD)) is None


def test_a_refusal_cancels_the_member_with_a_reason() -> None:
    change = decided(member(1, ODD), Answer.REFUSE, BY, NOON)
    assert change.row.stage is MemberStage.CANCELLED
    assert change.row.last_error == "Refused by ciso@contoso.com: ticket 4711."
    assert [event.kind for event in change.events] == ["refused"]
