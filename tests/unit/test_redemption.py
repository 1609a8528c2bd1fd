"""What reading an account again says about its conversion."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from b2b.domain.conversion import Conversion, Stage
from b2b.domain.redemption import NOT_VISIBLE, followed
from tests.unit.cases import ANNA, user

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
WINDOW = timedelta(seconds=300)
EARLIER = NOW - timedelta(hours=2)
PENDING = {"externalUserState": "PendingAcceptance"}
ACCEPTED = {"externalUserState": "Accepted", "externalUserStateChangeDateTime": "2026-11-22T11:30:00Z"}
NOTHING: dict[str, Any] = {"externalUserState": None}


def conversion(stage: Stage, invited_at: datetime | None = EARLIER) -> Conversion:
    return Conversion(
        user_id=ANNA, stage=stage, request_id="r-1", intent_at=EARLIER, invited_at=invited_at, last_error="in doubt"
    )


@pytest.mark.parametrize(
    ("stage", "account", "expected"),
    [
        (Stage.INVITING, None, None),
        (Stage.INVITING, NOTHING, None),
        (Stage.INVITING, PENDING, Stage.INVITED),
        (Stage.INVITING, ACCEPTED, Stage.INVITED),
        (Stage.INVITED, None, None),
        (Stage.INVITED, PENDING, None),
        (Stage.INVITED, ACCEPTED, Stage.COMPLETED),
        (Stage.INVITED, NOTHING, Stage.INVITED),
        (Stage.ACCEPTED, None, Stage.COMPLETED),
        (Stage.ACCEPTED, ACCEPTED, Stage.COMPLETED),
        *[
            (stage, account, None)
            for stage in (
                Stage.REQUESTED,
                Stage.BLOCKED,
                Stage.NEEDS_REVIEW,
                Stage.COMPLETED,
                Stage.FAILED,
                Stage.LAPSED,
                Stage.CANCELLED,
            )
            for account in (None, PENDING, ACCEPTED)
        ],
    ],
)
def test_only_what_shows_an_invitation_moves_a_conversion_on(
    stage: Stage, account: dict[str, Any] | None, expected: Stage | None
) -> None:
    change = followed(conversion(stage), None if account is None else user(**account), NOW, WINDOW)
    assert (change.row.stage if change else None) is expected


def test_acceptance_is_recorded_on_the_way_to_completion_with_graphs_own_time() -> None:
    change = followed(conversion(Stage.INVITED), user(**ACCEPTED), NOW, WINDOW)
    assert change is not None
    assert [event.kind for event in change.events] == ["accepted", "completed"]
    assert change.row.accepted_at == datetime(2026, 11, 22, 11, 30, tzinfo=UTC)
    assert change.row.completed_at == NOW


@pytest.mark.parametrize("said", [None, "", "yesterday", "2026-11-22T11:30:00"])
def test_our_own_time_stands_in_where_graph_names_none_that_can_be_used(said: str | None) -> None:
    account = user(externalUserState="Accepted", externalUserStateChangeDateTime=said)
    change = followed(conversion(Stage.INVITED), account, NOW, WINDOW)
    assert change is not None
    assert change.row.accepted_at == NOW


def test_an_invitation_whose_outcome_was_unknown_went_out_when_the_intent_was_written() -> None:
    change = followed(conversion(Stage.INVITING, invited_at=None), user(**PENDING), NOW, WINDOW)
    assert change is not None
    assert (change.row.invited_at, change.row.last_error) == (EARLIER, "")


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(0), None),
        (WINDOW, None),
        (WINDOW + timedelta(seconds=1), Stage.INVITED),
    ],
)
def test_the_absence_of_an_invitation_is_noted_once_when_the_replication_window_has_passed(
    age: timedelta, expected: Stage | None
) -> None:
    change = followed(conversion(Stage.INVITED, invited_at=NOW - age), user(**NOTHING), NOW, WINDOW)
    assert (change.row.stage if change else None) is expected
    if change:
        assert change.row.last_error == NOT_VISIBLE
        assert followed(change.row, user(**NOTHING), NOW, WINDOW) is None


def test_without_a_time_of_invitation_nothing_is_concluded_from_its_absence() -> None:
    assert followed(conversion(Stage.INVITED, invited_at=None), user(**NOTHING), NOW, WINDOW) is None
