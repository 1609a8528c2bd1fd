"""What happens to an account after its invitation: reset, made internal again, asked for anew."""

from dataclasses import replace

import pytest

from b2b.domain.conversion import undone
from b2b.domain.conversion.stages import Stage
from b2b.domain.errors import IllegalTransition
from tests.unit.cases import user
from tests.unit.protocol import HOUR, MINUTE, NOW, PENDING, RESET_AT, conversion, kinds

COMPLETED = conversion(
    Stage.COMPLETED,
    generation=2,
    joined=3,
    sequence=7,
    etag="W/1",
    invited_at=NOW - HOUR,
    seen_at=NOW - HOUR,
    accepted_at=NOW - HOUR,
    completed_at=NOW - HOUR,
    invitation_id="i-1",
    internal_since=NOW - MINUTE,
)


def test_a_reset_opens_a_generation_that_waits_for_its_person_and_sends_nothing() -> None:
    change = undone.reset(COMPLETED, PENDING, "r-2", NOW)
    row = change.row
    assert (row.stage, row.generation, row.request_id, row.joined) == (Stage.INVITED, 3, "r-2", 0)
    assert (row.invited_at, row.seen_at) == (RESET_AT, NOW)
    assert (row.accepted_at, row.completed_at, row.invitation_id, row.internal_since) == (None, None, "", None)
    assert (row.sequence, row.etag) == (7, "W/1")
    assert kinds(change) == ["invited"]


def test_the_time_of_a_reset_is_ours_where_graph_names_none() -> None:
    nameless = user(externalUserState="PendingAcceptance")
    assert undone.reset(COMPLETED, nameless, "r-2", NOW).row.invited_at == NOW


def test_the_invitation_of_an_account_that_was_made_internal_again_is_void() -> None:
    invited = conversion(Stage.INVITED, invited_at=NOW - HOUR)
    suspected = undone.suspected(invited, NOW)
    assert suspected.row == replace(invited, internal_since=NOW)
    confirmed = undone.confirmed(suspected.row, NOW)
    assert (confirmed.row.stage, confirmed.row.completed_at) == (Stage.CANCELLED, NOW)
    assert "made internal again" in confirmed.row.last_error
    refuted = undone.refuted(suspected.row, NOW)
    assert refuted.row == invited
    assert [kinds(change) for change in (suspected, confirmed, refuted)] == [
        ["reads-internal"],
        ["cancelled"],
        ["reads-external"],
    ]


def test_an_invitation_that_a_person_wants_again_names_the_request_that_asked() -> None:
    row = undone.superseded(conversion(Stage.INVITED), "r-2", NOW).row
    assert row.stage is Stage.CANCELLED
    assert "request r-2" in row.last_error


def test_what_has_ended_is_not_made_internal_by_a_note() -> None:
    with pytest.raises(IllegalTransition):
        undone.confirmed(COMPLETED, NOW)
