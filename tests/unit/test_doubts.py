"""Each way in which a doubt ends, and what the row says then."""

from dataclasses import replace
from typing import Any

import pytest

from b2b.domain.conversion import doubts
from b2b.domain.conversion.records import Absence, Doubt
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.tenant_fact import Shows
from b2b.domain.conversion.waits import Waiting, WaitReason
from b2b.domain.findings import Severity, Verdict
from tests.unit.cases import user
from tests.unit.protocol import (
    ACCEPTED,
    HOUR,
    MINUTE,
    NOW,
    PENDING,
    REDEEMED_AT,
    SECOND,
    WINDOW,
    conversion,
    doubt,
    finding,
    kinds,
)

FIRST, SECOND_TRY = doubt(2 * HOUR, attempt="a-1"), doubt(HOUR, attempt="a-2")
DOUBTFUL = conversion(
    doubts=(FIRST, SECOND_TRY),
    lease_until=NOW - MINUTE,
    last_error="no answer",
    absence=Absence.GONE,
    absent_since=NOW - MINUTE,
    internal_since=NOW - MINUTE,
)
NOT_AWAY: dict[str, Any] = {"absence": None, "absent_since": None, "internal_since": None}


def test_the_window_starts_at_the_latest_end_of_all_open_tries() -> None:
    assert doubts.window_ends(DOUBTFUL, WINDOW) == SECOND_TRY.until + WINDOW
    waived = replace(DOUBTFUL, doubts=(FIRST, replace_waived(SECOND_TRY.attempt)))
    assert doubts.window_ends(waived, WINDOW) == FIRST.until + WINDOW


def replace_waived(attempt: str) -> Doubt:
    return doubt(HOUR, attempt=attempt, waived=True)


def test_all_silent_is_true_only_if_every_open_try_was_silent() -> None:
    silent, mailed = doubt(HOUR, attempt="s", silent=True), doubt(HOUR, attempt="m")
    assert doubts.all_silent(conversion(doubts=(silent,)))
    assert not doubts.all_silent(conversion(doubts=(silent, mailed)))
    assert doubts.all_silent(conversion(doubts=(silent, doubt(HOUR, attempt="m", waived=True))))


def test_an_account_that_shows_the_invitation_settles_all_doubts() -> None:
    change = doubts.settled(DOUBTFUL, PENDING, NOW)
    assert change.row == replace(
        DOUBTFUL,
        stage=Stage.INVITED,
        invited_at=FIRST.since,
        seen_at=NOW,
        doubts=(),
        lease_until=None,
        last_error="",
        **NOT_AWAY,
    )
    assert kinds(change) == ["invited"]


def test_a_doubt_settled_by_a_redeemed_account_completes_the_conversion() -> None:
    change = doubts.settled(DOUBTFUL, ACCEPTED, NOW)
    assert kinds(change) == ["invited", "accepted", "completed"]
    row = change.row
    assert (row.stage, row.accepted_at, row.completed_at, row.doubts) == (Stage.COMPLETED, REDEEMED_AT, NOW, ())


def test_an_account_that_shows_the_invitation_ends_the_review() -> None:
    other = finding("on-premises-synced", "warn")
    review = doubts.to_review(conversion(doubts=(FIRST,), findings=(other,), verdict=Verdict.READY), Shows.NO, NOW).row
    row = doubts.settled(review, PENDING, NOW).row
    assert (row.stage, row.verdict, row.findings) == (Stage.INVITED, Verdict.READY, (other,))


def test_settling_a_doubt_outside_a_review_keeps_the_verdict() -> None:
    assert doubts.settled(conversion(doubts=(FIRST,), verdict=None), PENDING, NOW).row.verdict is None


def test_an_invitation_that_appears_after_the_end_opens_a_new_generation() -> None:
    ended = replace(DOUBTFUL, stage=Stage.FAILED, generation=3, etag="W/1", sequence=8, joined=2, completed_at=NOW)
    change = doubts.found_later(ended, PENDING, "r-2", NOW)
    row = change.row
    assert (row.stage, row.generation, row.request_id, row.joined) == (Stage.INVITED, 4, "r-2", 0)
    assert (row.invited_at, row.seen_at, row.doubts, row.completed_at) == (FIRST.since, NOW, (), None)
    assert (row.etag, row.sequence, row.absence, row.internal_since) == ("W/1", 8, None, None)
    assert kinds(change) == ["invited"]
    assert kinds(doubts.found_later(ended, ACCEPTED, "r-2", NOW)) == ["invited", "accepted", "completed"]


def test_an_invitation_that_appears_after_a_refusal_removes_the_doubt_finding() -> None:
    review = doubts.to_review(conversion(doubts=(FIRST,), findings=(finding(severity="warn"),)), Shows.NO, NOW).row
    row = doubts.found_later(replace(review, stage=Stage.CANCELLED), PENDING, "r-2", NOW).row
    assert (row.verdict, row.findings) == (Verdict.READY, (finding(severity="warn"),))


def test_a_redemption_records_graphs_time_and_when_the_app_saw_the_account() -> None:
    change = doubts.redeemed(conversion(Stage.INVITED), ACCEPTED, NOW)
    assert kinds(change) == ["accepted", "completed"]
    row = change.row
    assert (row.accepted_at, row.completed_at, row.seen_at) == (REDEEMED_AT, NOW, NOW)
    earlier = doubts.redeemed(conversion(Stage.INVITED, seen_at=NOW - HOUR), ACCEPTED, NOW)
    assert earlier.row.seen_at == NOW - HOUR


def test_a_redemption_starts_a_comparison_if_there_is_a_snapshot() -> None:
    change = doubts.redeemed(conversion(Stage.INVITED, baseline=1, equal_since=NOW - HOUR), ACCEPTED, NOW)
    row = change.row
    assert (kinds(change), row.stage, row.comparing_since, row.equal_since) == (["accepted"], Stage.ACCEPTED, NOW, None)
    assert row.waiting == Waiting(WaitReason.COMPARING, NOW)


def test_a_redemption_without_a_time_from_graph_has_the_apps_time() -> None:
    nameless = user(externalUserState="Accepted")
    assert doubts.redeemed(conversion(Stage.INVITED), nameless, NOW).row.accepted_at == NOW


def test_disproving_the_tries_removes_all_doubts() -> None:
    change = doubts.disproved(DOUBTFUL, NOW)
    assert change.row == replace(DOUBTFUL, doubts=(), lease_until=None, **NOT_AWAY)
    assert kinds(change) == ["nothing-went-out"]


def test_giving_up_on_tries_without_a_mail_fails_the_conversion() -> None:
    change = doubts.given_up(DOUBTFUL, NOW)
    assert (change.row.stage, change.row.lease_until, change.row.completed_at) == (Stage.FAILED, None, NOW)
    assert "without a mail" in change.row.last_error
    assert change.row.error_code == "given-up"
    assert change.row.doubts == DOUBTFUL.doubts, "what shows later is still known to be ours"


@pytest.mark.parametrize(
    ("shows", "said"),
    [
        (Shows.NO, "this tenant does not show pending invitations"),
        (Shows.UNKNOWN, "this tenant is not known to show pending invitations"),
    ],
)
def test_a_review_names_the_tries_and_whether_the_tenant_shows_invitations(shows: Shows, said: str) -> None:
    row = doubts.to_review(replace(DOUBTFUL, doubts=(FIRST,)), shows, NOW).row
    (found,) = row.findings
    assert (row.stage, row.verdict, row.lease_until) == (Stage.NEEDS_REVIEW, Verdict.NEEDS_REVIEW, None)
    assert (found.rule, found.severity) == ("outcome-unknown", Severity.REVIEW)
    assert "with a mail (tries: 2026-11-22 09:59:30 UTC)" in found.message
    assert found.message.endswith(f"The account shows none, and {said}.")
    assert "approve" in found.fix
    assert row.doubts == (FIRST,), "a review stays followed by its doubt"


def test_a_review_of_silent_tries_says_that_no_mail_was_asked_for() -> None:
    silent = conversion(doubts=(doubt(HOUR, silent=True),))
    (found,) = doubts.to_review(silent, Shows.NO, NOW, "Graph refused.").row.findings
    assert "without a mail" in found.message
    assert found.message.endswith("Graph refused.")


def test_a_review_keeps_the_findings_of_the_rules() -> None:
    other = finding("on-premises-synced", "warn")
    row = doubts.to_review(conversion(doubts=(FIRST,), findings=(other,)), Shows.NO, NOW).row
    assert [found.rule for found in row.findings] == ["on-premises-synced", "outcome-unknown"]


@pytest.mark.parametrize("absence", list(Absence))
def test_an_account_that_comes_back_no_longer_waits(absence: Absence) -> None:
    gone = doubts.away(conversion(doubts=(FIRST,)), absence, NOW)
    assert gone.row == conversion(
        doubts=(FIRST,),
        absence=absence,
        absent_since=NOW,
        waiting=Waiting(WaitReason.ACCOUNT_DELETED, NOW),
    )
    assert [(event.kind, event.detail) for event in gone.events] == [("account-away", absence.value)]
    back = doubts.back(gone.row, NOW)
    assert back.row == conversion(doubts=(FIRST,))
    assert kinds(back) == ["account-back"]


@pytest.mark.parametrize("stage", [Stage.INVITING, Stage.INVITED, Stage.NEEDS_REVIEW])
def test_a_permanently_deleted_account_is_cancelled_and_its_doubt_noted(stage: Stage) -> None:
    row = doubts.gone(replace(DOUBTFUL, stage=stage), NOW).row
    assert (row.stage, row.completed_at, row.lease_until) == (Stage.CANCELLED, NOW, None)
    assert row.last_error == "The account was deleted for good, and it is not known whether its invitation went out."
    certain = doubts.gone(conversion(stage, invited_at=NOW), NOW).row
    assert certain.last_error == "The account was deleted for good."


def test_a_waived_doubt_is_not_open_but_stays_recorded() -> None:
    waived = doubts.waived(DOUBTFUL)
    assert replace(DOUBTFUL, doubts=waived).open_doubts == ()
    assert [(each.attempt, each.since, each.until, each.silent) for each in waived] == [
        (each.attempt, each.since, each.until, each.silent) for each in DOUBTFUL.doubts
    ]


def test_a_try_ends_at_the_latest_time_at_which_its_call_can_end() -> None:
    assert FIRST.until - FIRST.since == 30 * SECOND
