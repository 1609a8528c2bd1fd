"""The row of a request: how it begins, waits, ends, begins again, and what it shows of its conversion."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from b2b.domain.actors import BY_QUEUE
from b2b.domain.conversion.records import SCHEMA_VERSION, Source
from b2b.domain.conversion.stages import Phase, Stage, may_follow, phase_of
from b2b.domain.conversion.waits import Waiting, WaitReason
from b2b.domain.errors import IllegalTransition, MalformedRequest
from b2b.domain.findings import Verdict
from b2b.domain.request.record import (
    NEVER_RAN,
    RequestRecord,
    belongs,
    in_place_of,
    leader_ended,
    may_show,
    mirrored,
    move,
    never_ran,
    put_off,
    rejected,
    reopened,
    rested,
    taken_in,
)
from tests.unit.cases import ANNA, BORIS
from tests.unit.protocol import HOUR, MINUTE, NOW, SECOND, conversion, finding, kinds, record

SERVICE = Waiting(WaitReason.SERVICE, NOW, NOW + MINUTE)
PAUSED = Waiting(WaitReason.PAUSED, NOW, NOW + MINUTE)
TROUBLED: dict[str, Any] = {
    "waiting": Waiting(WaitReason.SERVICE, NOW - HOUR),
    "waits": 3,
    "trouble_since": NOW - HOUR,
    "last_error": "Graph: throttled",
}


def test_a_well_formed_request_begins_as_requested() -> None:
    change = taken_in("r-1", b"{}", "h", Source.QUEUE, NOW, dry_run=False, user_id=ANNA)
    assert change.row == RequestRecord(
        request_id="r-1",
        stage=Stage.REQUESTED,
        body=b"{}",
        body_hash="h",
        source=Source.QUEUE,
        requested_at=NOW,
        due_at=NOW,
        user_id=ANNA,
    )
    assert [(event.kind, event.detail) for event in change.events] == [("requested", "")]


def test_a_dry_run_says_so_in_its_history() -> None:
    change = taken_in("r-1", b"{}", "h", Source.QUEUE, NOW, dry_run=True)
    assert change.row.only_judged
    assert "nothing is written" in change.events[0].detail


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_request_that_never_ran_keeps_its_body_and_dry_run(dry_run: bool) -> None:  # noqa: FBT001 - a column
    row = never_ran("r-1", b"{}", "h", NOW, dry_run=dry_run).row
    assert (row.stage, row.error_code, row.body, row.completed_at) == (Stage.FAILED, NEVER_RAN, b"{}", NOW)
    assert row.only_judged is dry_run, "a retry must not make a dry run real"
    assert row.last_error


def test_a_malformed_message_is_recorded_with_its_error() -> None:
    row = rejected("r-1", "h", MalformedRequest("UnknownField", "x" * 2000, "y" * 300), NOW).row
    assert (row.stage, row.error_code, row.body, row.completed_at) == (Stage.REJECTED, "UnknownField", b"", NOW)
    assert (len(row.last_error), len(row.error_target)) == (1000, 200)


@pytest.mark.parametrize("stage", list(Stage))
def test_only_a_rejected_or_never_run_request_can_be_replaced(stage: Stage) -> None:
    assert record(stage).replaceable is (stage is Stage.REJECTED)
    assert record(stage, error_code=NEVER_RAN).replaceable is (stage in {Stage.REJECTED, Stage.FAILED})
    assert not record(Stage.FAILED, error_code="given-up").replaceable


def test_a_request_that_replaces_a_draft_keeps_its_history() -> None:
    draft = record(Stage.REJECTED, sequence=4, etag="W/1")
    row = in_place_of(taken_in("r-1", b"{}", "h", Source.HTTP, NOW), draft).row
    assert (row.stage, row.sequence, row.etag) == (Stage.REQUESTED, 4, "W/1")


@pytest.mark.parametrize("stage", list(Stage))
def test_a_request_is_being_processed_while_requested_or_inviting(stage: Stage) -> None:
    assert record(stage).at_work is (stage in {Stage.REQUESTED, Stage.INVITING})


def test_a_release_makes_a_dry_run_real() -> None:
    assert record(dry_run=True).only_judged
    assert not record(dry_run=True, released=True).only_judged


@pytest.mark.parametrize("before", list(Stage))
@pytest.mark.parametrize("after", list(Stage))
def test_a_change_of_stage_clears_the_wait(before: Stage, after: Stage) -> None:
    row = record(before, **TROUBLED)
    if not may_follow(before, after):
        with pytest.raises(IllegalTransition):
            move(row, after, NOW)
        return
    change = move(row, after, NOW, "why", verdict=Verdict.READY)
    if before is after:
        assert change.row == replace(row, verdict=Verdict.READY)
        assert change.events == ()
        return
    ended = phase_of(after) is Phase.ENDED
    assert change.row == record(after, verdict=Verdict.READY, completed_at=NOW if ended else None)
    assert [(event.kind, event.detail) for event in change.events] == [(after.value, "why")]


def test_a_member_fails_if_its_leader_ended_without_an_invitation() -> None:
    led = conversion(Stage.BLOCKED, generation=2)
    row = leader_ended(record(request_id="r-2"), led, NOW).row
    assert (row.stage, row.error_code, row.generation) == (Stage.FAILED, "leader-ended", 2)
    assert "r-1" in row.last_error
    assert "blocked" in row.last_error


def test_a_reopened_request_keeps_its_body_and_clears_its_end() -> None:
    ended = record(
        Stage.FAILED,
        body=b"{}",
        generation=3,
        left_generation=1,
        verdict=Verdict.BLOCKED,
        findings=(finding(),),
        completed_at=NOW,
        invited_at=NOW,
        accepted_at=NOW,
        error_code="given-up",
        poison_returns=3,
        dry_run=True,
        approval="{}",
        **TROUBLED,
    )
    change = reopened(ended, "retried", NOW, "by ops", released=True)
    assert change.row == record(body=b"{}", left_generation=3, due_at=NOW, dry_run=True, released=True, approval="{}")
    assert [(event.kind, event.detail) for event in change.events] == [("retried", "by ops")]


def test_reopening_never_lowers_the_generation_that_was_left() -> None:
    assert reopened(record(Stage.FAILED, left_generation=4), "retried", NOW, "").row.left_generation == 4


def test_putting_off_a_request_records_the_wait_and_a_new_token() -> None:
    change = put_off(record(token="t-0"), SERVICE, "t-1", NOW, "Graph: answered 503")
    assert change.row == record(
        token="t-1",
        token_before="t-0",
        due_at=SERVICE.until,
        waiting=SERVICE,
        trouble_since=NOW,
        last_error="Graph: answered 503",
    )
    assert [(event.kind, event.detail) for event in change.events] == [
        ("waits", "service-unavailable: Graph: answered 503")
    ]


def test_a_second_wait_for_the_same_reason_is_counted_without_an_event() -> None:
    first = put_off(record(), SERVICE, "t-1", NOW - HOUR, "503")
    later = Waiting(WaitReason.SERVICE, NOW, NOW + HOUR)
    change = put_off(replace(first.row, waiting=Waiting(WaitReason.SERVICE, NOW - HOUR)), later, "t-2", NOW, "503")
    assert change.events == ()
    assert (change.row.waits, change.row.waiting) == (1, Waiting(WaitReason.SERVICE, NOW - HOUR, NOW + HOUR))
    assert change.row.trouble_since == NOW - HOUR


def test_another_reason_restarts_the_count_and_keeps_the_trouble() -> None:
    held = Waiting(WaitReason.THROTTLED, NOW, NOW + MINUTE)
    change = put_off(record(**TROUBLED), held, "t-1", NOW, "")
    assert (change.row.waits, change.row.trouble_since) == (0, NOW - HOUR)
    assert change.row.last_error == TROUBLED["last_error"], "what holds back is no error"
    assert change.events[0].detail == "throttled"


def test_a_wait_wanted_by_an_administrator_clears_the_trouble() -> None:
    assert put_off(record(**TROUBLED), PAUSED, "t-1", NOW, "").row.trouble_since is None


@pytest.mark.parametrize(
    ("due", "since"),
    [
        (NOW - HOUR, NOW - 2 * HOUR),
        (NOW - HOUR - SECOND, None),
        (NOW + MINUTE, NOW - 2 * HOUR),
        (None, NOW - 2 * HOUR),
    ],
)
def test_trouble_is_cleared_if_the_app_was_stopped(due: Any, since: Any) -> None:
    """If a message has been due for more than an hour, the app was stopped, because nothing received it."""
    assert rested(record(due_at=due, trouble_since=NOW - 2 * HOUR), NOW).trouble_since == since


@pytest.mark.parametrize(
    ("request_columns", "conversion_columns", "own"),
    [
        ({"generation": 1}, {}, True),
        ({"generation": 1, "request_id": "r-2"}, {}, True),
        ({"generation": 2}, {}, False),
        ({"generation": 1}, {"user_id": BORIS}, False),
        ({}, {}, True),
        ({"request_id": "r-2"}, {}, False),
        ({"left_generation": 1}, {}, False),
        ({"left_generation": 1}, {"generation": 2}, True),
        ({"user_id": ""}, {}, False),
    ],
)
def test_a_request_belongs_to_a_conversion_by_account_and_generation(
    request_columns: dict[str, Any],
    conversion_columns: dict[str, Any],
    own: bool,  # noqa: FBT001 - a column
) -> None:
    assert belongs(record(**request_columns), conversion(**conversion_columns)) is own


def test_a_request_shows_its_conversion_unless_it_has_ended() -> None:
    found = (finding("account-disabled"),)
    said = {"last_error": "late", "error_code": "given-up"}
    led = conversion(Stage.INVITED, generation=2, verdict=Verdict.READY, findings=found, invited_at=NOW, **said)
    assert mirrored(led) == {
        "user_id": ANNA,
        "generation": 2,
        "verdict": Verdict.READY,
        "findings": found,
        "invited_at": NOW,
        "accepted_at": None,
        "completed_at": None,
        "invited_user_email_address": "anna@fabrikam.com",
        **said,
    }
    assert may_show(record(Stage.REQUESTED), led)
    assert may_show(record(Stage.INVITED), led)
    assert not may_show(record(Stage.BLOCKED), led)
    assert not may_show(record(Stage.COMPLETED), led)
    assert not may_show(record(Stage.ASSESSED), led)


def test_a_request_does_not_show_an_older_state_of_its_conversion() -> None:
    reset = conversion(Stage.INVITED, generation=2, sequence=9)
    assert may_show(record(Stage.ACCEPTED, generation=2, shown=8), reset)
    assert may_show(record(Stage.ACCEPTED, generation=2, shown=9), reset)
    assert not may_show(record(Stage.ACCEPTED, generation=2, shown=10), reset)
    assert may_show(record(Stage.INVITED, generation=1, shown=10), reset), "that was another generation"


def test_the_events_of_a_new_request_name_the_request() -> None:
    change = taken_in("r-7", b"{}", "h", Source.HTTP, NOW)
    assert kinds(change) == ["requested"]
    assert change.events[0].request_id == "r-7"


def test_a_new_row_has_only_the_given_columns_and_defaults() -> None:
    given: dict[str, Any] = {
        "request_id": "r-1",
        "stage": Stage.REQUESTED,
        "body_hash": "h",
        "source": Source.HTTP,
        "requested_at": NOW,
    }
    row = asdict(RequestRecord(**given))
    assert {name: value for name, value in row.items() if value} == given | {
        "schema_version": SCHEMA_VERSION,
        "asked_by": BY_QUEUE,
    }
