"""What happens to an account after its invitation: a reset, a conversion back to internal, a new request."""

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


def test_a_reset_begins_an_invited_generation_without_a_call() -> None:
    change = undone.reset(COMPLETED, PENDING, "r-2", NOW)
    row = change.row
    assert (row.stage, row.generation, row.request_id, row.joined) == (Stage.INVITED, 3, "r-2", 0)
    assert (row.invited_at, row.seen_at) == (RESET_AT, NOW)
    assert (row.accepted_at, row.completed_at, row.invitation_id, row.internal_since) == (None, None, "", None)
    assert (row.sequence, row.etag) == (7, "W/1")
    assert kinds(change) == ["invited"]


def test_a_reset_without_a_time_from_graph_has_the_apps_time() -> None:
    nameless = user(externalUserState="PendingAcceptance")
    assert undone.reset(COMPLETED, nameless, "r-2", NOW).row.invited_at == NOW


def test_an_account_that_is_internal_again_ends_as_cancelled_once_confirmed() -> None:
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


def test_a_superseded_invitation_names_the_request_that_replaces_it() -> None:
    row = undone.superseded(conversion(Stage.INVITED), "r-2", NOW).row
    assert row.stage is Stage.CANCELLED
    assert "request r-2" in row.last_error


def test_a_completed_conversion_cannot_be_confirmed_as_internal() -> None:
    with pytest.raises(IllegalTransition):
        undone.confirmed(COMPLETED, NOW)
