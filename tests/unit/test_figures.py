"""The metrics of a written change: each is counted once, with the dimensions that docs/reference/metrics.md names."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from b2b.domain.conversion import outcome
from b2b.domain.conversion.doubts import redeemed, settled
from b2b.domain.conversion.records import Change, Conversion, Event, Source, advance, begin, chain
from b2b.domain.conversion.stages import Stage, may_follow
from b2b.domain.errors import Refusal
from b2b.domain.figures import (
    FINDINGS,
    INVITATIONS,
    METRICS,
    REDEMPTION,
    REQUESTS,
    Figure,
    failure_of,
    figures_of,
)
from b2b.domain.findings import Finding, Severity, Verdict
from b2b.domain.pacing import Pace, pause
from b2b.domain.readings import Invited
from b2b.domain.request.record import RequestRecord, mirrored, move, reopened
from tests.unit.cases import user

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
USER = "0a000000-0000-4000-8000-000000000001"
ROLE = Finding("directory-role", Severity.REVIEW, "anna@fabrikam.com holds a role", "fix", "source")
SYNCED = Finding("on-premises-synced", Severity.WARN, "synced", "fix", "source")
RECORD = RequestRecord(
    request_id="r-1", stage=Stage.REQUESTED, body_hash="ab", source=Source.HTTP, requested_at=NOON, findings=(ROLE,)
)
CLAIM = outcome.claimed(
    Conversion(
        user_id=USER,
        stage=Stage.INVITING,
        request_id="r-1",
        findings=(SYNCED, ROLE),
        invited_at=NOON,
        user_principal_name="anna@contoso.com",
        invited_user_email_address="anna@fabrikam.com",
    ),
    "a-1",
    NOON,
    NOON + timedelta(minutes=2),
    silent=False,
)
EACH = [Figure(FINDINGS, 1, ("on-premises-synced", "warn")), Figure(FINDINGS, 1, ("directory-role", "review"))]


def said(kind: str, row: Conversion = CLAIM) -> Change[Conversion]:
    return Change(row, (Event(kind, NOON, row.stage, "r-1", "a reason"),))


def refusal(rule: str | None) -> Change[Conversion]:
    return outcome.refused(CLAIM, Refusal(400, "BadRequest", "no", rule), NOON)


def of(change: Change[Any], metric: object = None) -> list[Figure]:
    return [figure for figure in figures_of(change) if metric in {None, figure.metric}]


@pytest.mark.parametrize("stage", [stage for stage in Stage if may_follow(RECORD.stage, stage)][1:])
def test_a_request_is_counted_once_in_each_stage_that_it_reaches(stage: Stage) -> None:
    change = move(RECORD, stage, NOON)
    assert of(change, REQUESTS) == [Figure(REQUESTS, 1, (stage, "http"))]


@pytest.mark.parametrize("stage", [Stage.REQUESTED, Stage.REJECTED, Stage.FAILED])
def test_a_new_row_is_counted_in_its_first_stage(stage: Stage) -> None:
    record = replace(RECORD, stage=stage, source=Source.QUEUE, findings=())
    assert of(Change(record, (Event(stage.value, NOON, stage, "r-1"),))) == [Figure(REQUESTS, 1, (stage, "queue"))]


@pytest.mark.parametrize("kind", ["waits", "refused-repeat", "returned-from-poison"])
def test_an_event_without_a_change_of_stage_counts_nothing(kind: str) -> None:
    assert of(Change(RECORD, (Event(kind, NOON, RECORD.stage, "r-1", "why"),))) == []


def test_a_reopened_request_is_not_counted_as_a_new_one() -> None:
    blocked = replace(RECORD, stage=Stage.BLOCKED)
    assert of(reopened(blocked, "retried", NOON, "by key")) == []


def test_a_write_without_an_event_counts_nothing() -> None:
    assert of(Change(RECORD)) == of(Change(CLAIM)) == []


@pytest.mark.parametrize("stage", [Stage.ASSESSED, Stage.BLOCKED])
def test_findings_are_counted_if_the_account_has_no_row(stage: Stage) -> None:
    change = move(RECORD, stage, NOON, Verdict.BLOCKED)
    assert of(change, FINDINGS) == [Figure(FINDINGS, 1, ("directory-role", "review"))]


@pytest.mark.parametrize("stage", [Stage.BLOCKED, Stage.NEEDS_REVIEW, Stage.INVITING, Stage.INVITED])
def test_findings_copied_from_the_accounts_row_are_not_counted_again(stage: Stage) -> None:
    change = move(RECORD, stage, NOON, **mirrored(replace(CLAIM, stage=stage)))
    assert of(change, FINDINGS) == []


@pytest.mark.parametrize(
    "change",
    [
        begin(None, CLAIM, NOON),
        begin(None, replace(CLAIM, stage=Stage.BLOCKED), NOON, Verdict.FIXABLE),
        advance(CLAIM, Stage.NEEDS_REVIEW, NOON, Verdict.NEEDS_REVIEW),
    ],
    ids=["claimed", "fixable", "needs review"],
)
def test_each_finding_of_an_account_is_counted(change: Change[Conversion]) -> None:
    assert of(change) == EACH


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (outcome.invited(CLAIM, Invited("i-1", "PendingAcceptance"), NOON), "sent"),
        (refusal("address-in-use"), "refused"),
        (refusal(None), "refused"),
        (outcome.in_doubt(CLAIM, "no answer", NOON), "unknown"),
        (outcome.not_sent(CLAIM, "not reached", NOON), "not-sent"),
    ],
)
def test_an_invitation_is_counted_by_its_outcome(change: Change[Conversion], word: str) -> None:
    assert of(change, INVITATIONS) == [Figure(INVITATIONS, 1, (word,))]


def test_a_refusal_by_graph_counts_only_its_own_finding() -> None:
    assert of(refusal("address-in-use"), FINDINGS) == [Figure(FINDINGS, 1, ("address-in-use", "block"))]
    assert of(refusal(None), FINDINGS) == []


@pytest.mark.parametrize(
    "change",
    [
        settled(CLAIM, user(externalUserState="PendingAcceptance"), NOON),
        advance(CLAIM, Stage.INVITING, NOON, "again", attempts=2),
        advance(CLAIM, Stage.FAILED, NOON, "given up", last_error="given up after 86400 s: no answer"),
        said("joined", replace(CLAIM, stage=Stage.INVITED)),
        said("not-visible", replace(CLAIM, stage=Stage.INVITED)),
    ],
    ids=["settled by reading", "claimed again", "given up", "joined", "not visible"],
)
def test_an_event_that_ends_no_call_and_has_no_new_verdict_counts_nothing(change: Change[Conversion]) -> None:
    assert of(change) == []


def test_the_redemption_time_runs_from_invitation_to_acceptance() -> None:
    invited = replace(CLAIM, stage=Stage.INVITED)
    accepted = advance(invited, Stage.ACCEPTED, NOON, accepted_at=NOON + timedelta(hours=2))
    assert of(accepted) == [Figure(REDEMPTION, 7200)]
    assert of(chain(accepted, advance(accepted.row, Stage.COMPLETED, NOON))) == [Figure(REDEMPTION, 7200)]
    assert of(redeemed(invited, user(externalUserState="Accepted"), NOON + timedelta(hours=1))) == [
        Figure(REDEMPTION, 3600)
    ]


def test_only_a_failed_request_is_reported_with_its_cause() -> None:
    assert failure_of(move(RECORD, Stage.FAILED, NOON, "given-up", last_error="why")) == ("r-1", "why")
    assert failure_of(move(RECORD, Stage.BLOCKED, NOON)) is None
    assert failure_of(advance(CLAIM, Stage.FAILED, NOON, last_error="why")) is None


def test_a_redemption_time_is_never_negative() -> None:
    invited = replace(CLAIM, stage=Stage.INVITED)
    accepted = advance(invited, Stage.ACCEPTED, NOON, accepted_at=NOON - timedelta(seconds=3))
    assert of(accepted) == [Figure(REDEMPTION, 0)]


def test_a_change_of_the_pace_counts_nothing() -> None:
    change = pause(Pace(), NOON, "429", NOON - timedelta(seconds=60))
    assert change is not None
    assert of(change) == []


def test_no_dimension_contains_an_id_or_an_address() -> None:
    assert {dimension for metric in METRICS for dimension in metric.dimensions} == {
        "stage",
        "source",
        "rule",
        "severity",
        "outcome",
        "queue",
        "part",
        "reason",
    }
    changes: list[Change[Any]] = [
        begin(None, CLAIM, NOON),
        refusal(Stage.BLOCKED),
        move(RECORD, Stage.ASSESSED, NOON, "ready"),
    ]
    words = {word for change in changes for figure in figures_of(change) for word in figure.words}
    assert not {word for word in words if "@" in word or USER in word or "r-1" in word}


def test_a_figure_needs_a_value_for_each_dimension() -> None:
    assert Figure(REQUESTS, 1, ("blocked", "http")).dimensions == {"stage": "blocked", "source": "http"}
    with pytest.raises(ValueError, match="zip"):
        assert Figure(REQUESTS, 1, ("blocked",)).dimensions
