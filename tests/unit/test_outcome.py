"""Each way in which an invitation call can end, and what that means for the doubt of its claim."""

from dataclasses import replace

import pytest
from msgspec import structs

from b2b.domain.conversion import doubts, outcome
from b2b.domain.conversion.stages import Stage
from b2b.domain.errors import Refusal
from b2b.domain.findings import Severity, Verdict
from b2b.domain.readings import Invited
from tests.unit.protocol import HOUR, MINUTE, NOW, SECOND, conversion, doubt, finding, kinds

EARLIER = doubt(2 * HOUR, attempt="a-0")
CLAIM = outcome.claimed(conversion(findings=(finding("on-premises-synced", "warn"),)), "a-1", NOW, NOW + 2 * MINUTE,
                        silent=False)  # fmt: skip
SECOND_CLAIM = outcome.claimed(conversion(doubts=(EARLIER,), attempts=1), "a-1", NOW, NOW + 2 * MINUTE, silent=False)
LATER = NOW + 20 * SECOND


def refusal(rule: str | None = None, code: str = "BadRequest", status: int = 400) -> Refusal:
    return Refusal(status, code, "the text", rule)


def test_a_claim_records_a_doubt_until_its_outcome_is_written() -> None:
    (tried,) = CLAIM.doubts
    assert (tried.attempt, tried.since, tried.until, tried.silent, tried.waived) == (
        "a-1",
        NOW,
        NOW + 2 * MINUTE,
        False,
        False,
    )
    assert (CLAIM.attempt_id, CLAIM.lease_until, CLAIM.attempts, CLAIM.silent) == ("a-1", NOW + 2 * MINUTE, 1, False)


@pytest.mark.parametrize("silent", [False, True])
def test_a_later_claim_keeps_every_earlier_doubt(silent: bool) -> None:  # noqa: FBT001 - a column
    row = outcome.claimed(conversion(doubts=(EARLIER,), attempts=1), "a-1", NOW, NOW + MINUTE, silent=silent)
    assert [each.attempt for each in row.doubts] == ["a-0", "a-1"]
    assert (row.attempts, row.silent, row.doubts[1].silent) == (2, silent, silent)


def test_an_invitation_settles_every_doubt() -> None:
    change = outcome.invited(SECOND_CLAIM, Invited("i-1", "PendingAcceptance"), LATER)
    row = change.row
    assert (row.stage, row.invited_at, row.invitation_id, row.doubts, row.lease_until) == (
        Stage.INVITED,
        LATER,
        "i-1",
        (),
        None,
    )
    assert [(event.kind, event.detail) for event in change.events] == [("invited", "PendingAcceptance")]


def test_graphs_id_of_the_call_is_recorded_with_its_outcome() -> None:
    taken = outcome.invited(CLAIM, Invited("i-1", "PendingAcceptance", request_id="g-1"), LATER)
    assert [event.graph_request_id for event in taken.events] == ["g-1"]
    refused = outcome.refused(CLAIM, Refusal(400, "BadRequest", "no", request_id="g-2"), LATER)
    assert refused.events[0].graph_request_id == "g-2"


def test_a_call_without_an_answer_leaves_a_doubt_with_the_calls_end_time() -> None:
    change = outcome.in_doubt(SECOND_CLAIM, "no answer", LATER)
    assert [(each.attempt, each.until) for each in change.row.doubts] == [("a-0", EARLIER.until), ("a-1", LATER)]
    assert change.row.doubts[1].since == NOW
    assert (change.row.stage, change.row.lease_until, change.row.last_error) == (Stage.INVITING, None, "no answer")
    assert kinds(change) == [outcome.IN_DOUBT]


def test_the_end_of_a_call_is_not_later_than_its_lease() -> None:
    """A process that was frozen writes late, but its call cannot have lasted that long."""
    row = outcome.in_doubt(CLAIM, "no answer", NOW + HOUR).row
    assert row.doubts[0].until == CLAIM.doubts[0].until


def test_a_try_that_was_not_sent_removes_only_its_own_doubt() -> None:
    change = outcome.not_sent(SECOND_CLAIM, "not reached", LATER)
    assert change.row.doubts == (EARLIER,)
    assert (change.row.lease_until, change.row.last_error) == (None, "not reached")
    assert kinds(change) == [outcome.NOT_SENT]


def test_a_call_without_an_answer_does_not_move_the_end_time_of_a_waived_doubt() -> None:
    waived = replace(CLAIM, doubts=(doubt(HOUR, attempt="a-1", waived=True),))
    assert outcome.in_doubt(waived, "no answer", LATER).row.doubts == waived.doubts


def test_a_refusal_that_a_rule_explains_becomes_its_finding() -> None:
    change = outcome.refused(CLAIM, refusal("address-in-use"), LATER)
    row = change.row
    assert (row.stage, row.verdict, row.doubts, row.lease_until) == (Stage.BLOCKED, Verdict.BLOCKED, (), None)
    assert [(found.rule, found.severity) for found in row.findings] == [
        ("on-premises-synced", Severity.WARN),
        ("address-in-use", Severity.BLOCK),
    ]
    assert row.last_error == row.findings[-1].message == "Graph refused the invitation: the text"
    assert row.findings[-1].fix
    assert [(event.kind, event.detail) for event in change.events] == [
        ("refused", "400 BadRequest"),
        ("blocked", "BadRequest"),
    ]


def test_a_refusal_replaces_the_earlier_finding_of_its_rule() -> None:
    """An approval waived `account-disabled`, but Graph refused: the rule must not appear twice."""
    warned = replace(CLAIM, findings=(finding("account-disabled", "warn"), finding("on-premises-synced", "warn")))
    found = outcome.refused(warned, refusal("account-disabled"), LATER).row.findings
    assert [(each.rule, each.severity) for each in found] == [
        ("on-premises-synced", Severity.WARN),
        ("account-disabled", Severity.BLOCK),
    ]


def test_a_refusal_that_no_rule_explains_fails_the_conversion() -> None:
    change = outcome.refused(CLAIM, refusal(code="Forbidden", status=403), LATER)
    assert (change.row.stage, change.row.doubts) == (Stage.FAILED, ())
    assert change.row.last_error == "403 Forbidden: Graph refused the invitation: the text"
    assert kinds(change) == ["refused", "failed"]


@pytest.mark.parametrize("rule", ["address-in-use", None])
def test_a_refusal_after_a_doubt_is_a_review_as_the_doubtful_try_may_be_its_cause(rule: str | None) -> None:
    change = outcome.refused(SECOND_CLAIM, refusal(rule), LATER)
    row = change.row
    assert (row.stage, row.verdict, row.lease_until) == (Stage.NEEDS_REVIEW, Verdict.NEEDS_REVIEW, None)
    assert row.doubts == (EARLIER,), "the refused try leaves no doubt; the earlier one may have been sent"
    assert "Graph refused the invitation: the text" in row.findings[-1].message
    assert kinds(change) == ["refused", "needsReview"]


def test_a_refusal_after_a_waived_doubt_is_no_review() -> None:
    waived = doubt(HOUR, attempt="a-0", waived=True)
    claim = outcome.claimed(conversion(doubts=(waived,)), "a-1", NOW, NOW + MINUTE, silent=False)
    assert outcome.refused(claim, refusal(), LATER).row.stage is Stage.FAILED


def test_an_answer_about_another_account_requires_review_and_keeps_its_doubt() -> None:
    """A mail may have been sent to a person whom it was not meant for; another try would mail that person again."""
    change = outcome.refused(CLAIM, refusal(code=outcome.ANOTHER, status=201), LATER)
    row = change.row
    assert (row.stage, row.verdict, row.lease_until) == (Stage.NEEDS_REVIEW, Verdict.NEEDS_REVIEW, None)
    assert (row.findings[-1].rule, row.findings[-1].severity) == ("another-account", Severity.REVIEW)
    assert row.doubts == (structs.replace(CLAIM.doubts[0], until=LATER, elsewhere=True),)
    assert kinds(change) == ["refused", "needsReview"]


def test_an_answer_about_another_account_is_shown_even_after_an_earlier_doubt() -> None:
    row = outcome.refused(SECOND_CLAIM, refusal(code=outcome.ANOTHER, status=201), LATER).row
    assert row.findings[-1].rule == "another-account"
    assert [(each.attempt, each.elsewhere) for each in row.doubts] == [("a-0", False), ("a-1", True)]
    assert not doubts.can_be_disproved(row), "this account does not show an invitation of another account"
