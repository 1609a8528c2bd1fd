"""How a conversion's row begins and changes: what is set, what is kept, and what is reset."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from b2b.domain.conversion.records import (
    SCHEMA_VERSION,
    Absence,
    Conversion,
    Event,
    advance,
    begin,
    chain,
    note,
)
from b2b.domain.conversion.stages import BEGINNINGS, Phase, Stage, phase_of
from b2b.domain.conversion.waits import Waiting, WaitReason
from b2b.domain.errors import IllegalTransition
from tests.unit.cases import ANNA
from tests.unit.protocol import HOUR, MINUTE, NOW, conversion, doubt, kinds

EARLIER: dict[str, Any] = {
    "last_error": "Graph: throttled",
    "waiting": Waiting(WaitReason.SERVICE, NOW - HOUR),
    "completed_at": NOW - HOUR,
}


def test_the_first_generation_begins_without_an_earlier_row() -> None:
    change = begin(None, conversion(), NOW, "claim")
    assert change.row == conversion()
    (event,) = change.events
    assert (event.kind, event.at, event.stage, event.request_id, event.detail) == (
        "inviting",
        NOW,
        Stage.INVITING,
        "r-1",
        "claim",
    )


@pytest.mark.parametrize("opening", sorted(BEGINNINGS))
def test_a_generation_that_begins_with_its_end_has_a_completion_time(opening: Stage) -> None:
    ended = phase_of(opening) is Phase.ENDED
    assert begin(None, conversion(opening, **EARLIER), NOW).row.completed_at == (NOW if ended else None)


def test_a_new_generation_keeps_only_history_and_doubts() -> None:
    before = conversion(
        Stage.FAILED,
        request_id="r-0",
        generation=4,
        sequence=9,
        published=9,
        etag="W/1",
        attempts=3,
        joined=2,
        invited_at=NOW,
        seen_at=NOW,
        absence=Absence.GONE,
        doubts=(doubt(HOUR),),
        **EARLIER,
    )
    row = begin(before, conversion(), NOW).row
    assert row == conversion(generation=5, sequence=9, etag="W/1", doubts=before.doubts)


def test_the_newer_version_of_a_doubt_wins() -> None:
    before = conversion(Stage.NEEDS_REVIEW, doubts=(doubt(2 * HOUR, attempt="a-0"), doubt(HOUR, attempt="a-1")))
    waived = doubt(HOUR, attempt="a-1", waived=True)
    row = begin(before, conversion(doubts=(waived, doubt(-HOUR, attempt="a-2"))), NOW).row
    assert [each.attempt for each in row.doubts] == ["a-0", "a-1", "a-2"]
    assert [each.attempt for each in row.open_doubts] == ["a-0", "a-2"]


def test_no_generation_begins_while_another_is_in_progress() -> None:
    with pytest.raises(IllegalTransition):
        begin(conversion(), conversion(), NOW)


@pytest.mark.parametrize("stage", [Stage.INVITED, Stage.BLOCKED, Stage.NEEDS_REVIEW, Stage.FAILED, Stage.CANCELLED])
def test_a_new_stage_clears_wait_and_error_and_sets_the_completion_time(stage: Stage) -> None:
    change = advance(conversion(**EARLIER), stage, NOW, "detail")
    ended = phase_of(stage) is Phase.ENDED
    assert change.row == conversion(stage, completed_at=NOW if ended else None)
    assert [(event.kind, event.detail) for event in change.events] == [(stage.value, "detail")]


def test_columns_given_with_a_stage_override_its_defaults() -> None:
    assert advance(conversion(), Stage.FAILED, NOW, last_error="why").row.last_error == "why"


def test_a_transition_that_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(IllegalTransition):
        advance(conversion(Stage.COMPLETED), Stage.INVITED, NOW)


def test_a_note_keeps_the_stage_and_all_other_columns() -> None:
    before = conversion(Stage.INVITED, **EARLIER)
    change = note(before, "seen", NOW, "why", seen_at=NOW)
    assert change.row == replace(before, seen_at=NOW)
    assert [(event.kind, event.stage, event.detail) for event in change.events] == [("seen", Stage.INVITED, "why")]


def test_chained_changes_have_the_last_row_and_all_events_in_order() -> None:
    first = advance(conversion(), Stage.INVITED, NOW)
    second = note(first.row, "seen", NOW, seen_at=NOW)
    both = chain(first, second)
    assert both.row is second.row
    assert kinds(both) == ["invited", "seen"]


def test_a_new_row_has_only_its_keys_generation_1_and_the_schema_version() -> None:
    row = asdict(Conversion(user_id=ANNA, stage=Stage.INVITING, request_id="r-1"))
    assert {name: value for name, value in row.items() if value} == {
        "user_id": ANNA,
        "stage": Stage.INVITING,
        "request_id": "r-1",
        "generation": 1,
        "schema_version": SCHEMA_VERSION,
    }


def test_an_events_detail_is_empty_by_default() -> None:
    begun = begin(None, conversion(), NOW)
    moved = advance(begun.row, Stage.INVITED, NOW)
    assert [each.events[0].detail for each in (begun, moved, note(moved.row, "seen", NOW))] == ["", "", ""]
    assert Event("seen", NOW).request_id == ""


@pytest.mark.parametrize(
    ("before", "address", "corrected"),
    [
        ({"invited_at": NOW}, "new@fabrikam.com", True),
        ({"invited_at": NOW}, "ANNA@fabrikam.com", False),
        ({}, "new@fabrikam.com", False),
        ({"doubts": (doubt(MINUTE),)}, "new@fabrikam.com", True),
        ({"invited_at": NOW, "accepted_at": NOW}, "new@fabrikam.com", False),
        ({"corrected": True}, "anna@fabrikam.com", True),
        ({"corrected": True, "accepted_at": NOW}, "anna@fabrikam.com", True),
    ],
)
def test_a_generation_remembers_that_an_earlier_one_invited_another_address(
    before: dict[str, Any], address: str, *, corrected: bool
) -> None:
    """The link in the earlier mail may still open the account."""
    earlier = conversion(Stage.CANCELLED, invited_user_email_address="anna@fabrikam.com", **before)
    opening = conversion(Stage.INVITING, invited_user_email_address=address)
    assert begin(earlier, opening, NOW).row.corrected is corrected
