"""Which stage may follow which, for accounts and for requests, and what a change writes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from b2b.domain.conversion import (
    ACTIVE,
    CONVERSION_FOLLOWS,
    ENDED,
    REQUEST_FOLLOWS,
    WORKING,
    Conversion,
    RequestRecord,
    Source,
    Stage,
    advance,
    advance_request,
    may_show,
    mirrored,
    start,
)
from b2b.domain.errors import IllegalTransition
from b2b.domain.findings import Finding, Severity, Verdict
from tests.unit.cases import ANNA

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NO_ACCOUNT_STAGES = {Stage.REQUESTED, Stage.REJECTED, Stage.ASSESSED}
"""A request may stand here, an account's conversion never does."""
AGAIN = {"blocked", "needsReview", "inviting", "failed"}
CONVERSIONS = {
    "blocked": AGAIN,
    "needsReview": AGAIN,
    "failed": AGAIN,
    "lapsed": AGAIN,
    "cancelled": AGAIN,
    "inviting": AGAIN | {"invited"},
    "invited": {"accepted", "lapsed", "failed", "cancelled"},
    "accepted": {"completed"},
    "completed": set[str](),
}
"""DESIGN: requested -> blocked or claim -> invited -> accepted -> completed; after an end a new request starts over."""


def conversion(stage: Stage, **changes: object) -> Conversion:
    fields: dict[str, object] = {"user_id": ANNA, "stage": stage, "request_id": "r-1", **changes}
    return Conversion(**fields)  # type: ignore[arg-type]


def record(stage: Stage, **changes: object) -> RequestRecord:
    fields: dict[str, object] = {
        "request_id": "r-1",
        "stage": stage,
        "body_hash": "h",
        "source": Source.HTTP,
        "requested_at": NOW,
        **changes,
    }
    return RequestRecord(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("before", [stage for stage in Stage if stage not in NO_ACCOUNT_STAGES])
@pytest.mark.parametrize("after", list(Stage))
def test_an_accounts_conversion_moves_only_as_the_table_allows(before: Stage, after: Stage) -> None:
    if after.value not in CONVERSIONS[before.value]:
        with pytest.raises(IllegalTransition, match=f"{after.value} may not follow {before.value}"):
            advance(conversion(before), after, NOW)
        return
    change = advance(conversion(before), after, NOW, "detail", last_error="e")
    assert (change.row.stage, change.row.last_error) == (after, "e")
    (event,) = change.events
    assert (event.kind, event.at, event.stage, event.request_id, event.detail) == (after, NOW, after, "r-1", "detail")


def test_every_stage_is_in_the_tables() -> None:
    assert set(CONVERSION_FOLLOWS) == {None} | (set(Stage) - NO_ACCOUNT_STAGES)
    assert set(REQUEST_FOLLOWS) == {None} | set(Stage)
    reached = frozenset().union(*CONVERSION_FOLLOWS.values())
    assert reached <= set(CONVERSION_FOLLOWS)
    assert not reached & NO_ACCOUNT_STAGES


@pytest.mark.parametrize("stage", sorted(NO_ACCOUNT_STAGES))
def test_a_conversion_in_a_stage_of_requests_is_an_illegal_transition_too(stage: Stage) -> None:
    with pytest.raises(IllegalTransition):
        advance(conversion(stage), Stage.INVITING, NOW)


@pytest.mark.parametrize("before", list(Stage))
@pytest.mark.parametrize("after", list(Stage))
def test_a_request_moves_only_as_the_table_allows(before: Stage, after: Stage) -> None:
    if before is after:
        change = advance_request(record(before), after, NOW, attempts=3)
        assert (change.row.stage, change.row.attempts, change.events) == (after, 3, ())
    elif after in REQUEST_FOLLOWS[before]:
        change = advance_request(record(before), after, NOW, "detail")
        assert change.row.stage is after
        assert [(event.kind, event.detail) for event in change.events] == [(after.value, "detail")]
        assert change.row.completed_at == (NOW if after in ENDED else None)
    else:
        with pytest.raises(IllegalTransition):
            advance_request(record(before), after, NOW)


def test_a_request_that_ended_stays_ended_unless_a_person_opens_it_again() -> None:
    opened = {Stage.NEEDS_REVIEW, Stage.BLOCKED, Stage.FAILED}
    assert {stage for stage in Stage if not REQUEST_FOLLOWS[stage]} == ENDED - opened
    own_end = {Stage.INVITED, Stage.ACCEPTED, Stage.COMPLETED}  # a request given up on still shows what became of it
    assert {stage: set(REQUEST_FOLLOWS[stage]) - own_end for stage in opened} == {
        stage: {Stage.REQUESTED} for stage in opened
    }


def test_a_request_follows_wherever_its_own_conversion_goes() -> None:
    """It may not have seen the stages in between: each way through one conversion is open to the request too."""
    way = {Stage.INVITING, Stage.INVITED, Stage.ACCEPTED}
    missing = []
    for before in way:
        reached, todo = set[Stage](), [before]
        while todo:
            for after in CONVERSION_FOLLOWS[todo.pop()] - reached - {before}:
                reached.add(after)
                todo += [after] if after in way else []
        missing += [(before, after) for after in reached if after not in REQUEST_FOLLOWS[before]]
    assert missing == []


def test_an_end_keeps_the_time_that_it_is_given() -> None:
    seen = NOW - timedelta(hours=1)
    change = advance_request(record(Stage.INVITED), Stage.COMPLETED, NOW, completed_at=seen)
    assert change.row.completed_at == seen


@pytest.mark.parametrize("after", [Stage.BLOCKED, Stage.NEEDS_REVIEW, Stage.INVITED, Stage.FAILED])
def test_a_new_stage_says_whether_it_is_an_end_and_forgets_an_earlier_trouble(after: Stage) -> None:
    earlier: dict[str, Any] = {"last_error": "Graph: throttled", "completed_at": NOW - timedelta(hours=1)}
    for row in (
        advance(conversion(Stage.INVITING, **earlier), after, NOW).row,
        advance_request(record(Stage.INVITING, **earlier), after, NOW).row,
    ):
        assert (row.completed_at, row.last_error) == (NOW if after in ENDED else None, "")


def test_a_conversion_that_begins_with_its_end_says_when() -> None:
    assert start(None, conversion(Stage.BLOCKED), NOW).row.completed_at == NOW
    assert start(None, conversion(Stage.NEEDS_REVIEW), NOW).row.completed_at is None


def test_a_failed_request_that_shows_an_invitation_after_all_has_not_ended() -> None:
    led = conversion(Stage.INVITED, invited_at=NOW)
    failed = record(Stage.FAILED, completed_at=NOW - timedelta(hours=1))
    assert advance_request(failed, led.stage, NOW, **mirrored(led)).row.completed_at is None


def test_the_sets_of_stages_say_who_waits_for_whom() -> None:
    assert {"inviting", "invited", "accepted", "completed"} == ACTIVE
    assert {"requested", "inviting"} == WORKING
    assert set(Stage) - WORKING - {Stage.NEEDS_REVIEW, Stage.INVITED, Stage.ACCEPTED} == ENDED


def test_a_conversion_begins_where_nothing_was() -> None:
    change = start(None, conversion(Stage.INVITING), NOW, "claim")
    assert change.row == conversion(Stage.INVITING)
    assert [(event.kind, event.detail) for event in change.events] == [("inviting", "claim")]


@pytest.mark.parametrize("opening", [stage for stage in Stage if stage.value not in AGAIN])
def test_a_conversion_begins_with_no_other_stage(opening: Stage) -> None:
    with pytest.raises(IllegalTransition):
        start(None, conversion(opening), NOW)


@pytest.mark.parametrize("ended", [Stage.BLOCKED, Stage.NEEDS_REVIEW, Stage.FAILED, Stage.LAPSED, Stage.CANCELLED])
def test_a_conversion_that_starts_over_keeps_nothing_but_its_row(ended: Stage) -> None:
    before = conversion(
        ended, request_id="r-0", generation=4, sequence=9, etag="W/1", attempts=3, last_error="e", invited_at=NOW
    )
    row = start(before, conversion(Stage.INVITING), NOW).row
    assert (row.generation, row.sequence, row.etag, row.request_id) == (5, 9, "W/1", "r-1")
    assert (row.attempts, row.last_error, row.invited_at) == (0, "", None)


@pytest.mark.parametrize("active", [Stage.INVITED, Stage.ACCEPTED, Stage.COMPLETED])
def test_a_conversion_that_has_not_ended_does_not_start_over(active: Stage) -> None:
    with pytest.raises(IllegalTransition):
        start(conversion(active), conversion(Stage.INVITING), NOW)


def test_a_requests_row_shows_what_its_conversion_says() -> None:
    found = (Finding("account-disabled", Severity.REVIEW, "m", "f", "https://learn.microsoft.com/"),)
    led = conversion(
        Stage.INVITED, generation=2, verdict=Verdict.READY, findings=found, invited_at=NOW, last_error="late"
    )
    row = advance_request(record(Stage.REQUESTED), led.stage, NOW, **mirrored(led)).row
    assert (row.user_id, row.generation, row.verdict, row.findings) == (ANNA, 2, Verdict.READY, found)
    assert (row.invited_at, row.accepted_at, row.completed_at, row.last_error) == (NOW, None, None, "late")


def test_a_row_may_show_its_conversion_unless_it_ended_or_is_further_on() -> None:
    assert may_show(record(Stage.REQUESTED), conversion(Stage.INVITED))
    assert may_show(record(Stage.INVITED), conversion(Stage.INVITED))
    assert may_show(record(Stage.INVITING), conversion(Stage.COMPLETED))
    assert not may_show(record(Stage.INVITED), conversion(Stage.INVITING))
    assert not may_show(record(Stage.BLOCKED), conversion(Stage.INVITED))
