"""The decision as a table: one row for each situation, with the step that must follow."""

from datetime import timedelta

import pytest

from b2b.domain.conversion.next_step import next_step
from b2b.domain.conversion.situation import (
    Claim,
    Show,
    Step,
    limits_of,
)
from b2b.domain.conversion.stages import Phase, Stage, phase_of
from tests.unit.cases import BORIS
from tests.unit.protocol import (
    ACCEPTED,
    DAY,
    MINUTE,
    conversion,
    record,
    seen,
)
from tests.unit.situations import IN_REVIEW, OTHER, READY, Point, Row, given
from tests.unit.situations_of_another import ANOTHERS
from tests.unit.situations_of_its_own import OWN

TABLE = (*OWN, *ANOTHERS)


@pytest.mark.parametrize("case", TABLE, ids=lambda case: f"{case.point.name}: {case.said}")
def test_each_situation_leads_to_its_step(case: Row) -> None:
    assert next_step(given(**case.given)) == case.step


def test_every_row_is_unique_and_every_point_of_the_protocol_has_a_row() -> None:
    said = [(case.point, case.said) for case in TABLE]
    assert len(said) == len(set(said))
    assert {case.point for case in TABLE} == set(Point)


def test_every_step_occurs_in_the_table() -> None:
    assert {type(case.step) for case in TABLE} == set(Step.__args__)


@pytest.mark.parametrize("stage", [stage for stage in Stage if phase_of(stage) is Phase.SERVICE])
def test_a_request_does_not_show_the_conversion_of_another_account(stage: Stage) -> None:
    """The requested name has moved to another account, so that account's conversion is not this request's."""
    elsewhere = conversion(stage, user_id=BORIS)
    step = next_step(
        given(request=record(generation=1, request_id="r-2"), conversion=elsewhere, sighting=seen(ACCEPTED))
    )
    assert not isinstance(step, Show)


def test_a_new_request_does_not_join_a_review_but_replaces_it() -> None:
    assert next_step(given(request=OTHER, conversion=IN_REVIEW, assessment=READY)) == Claim(READY)


@pytest.mark.parametrize(
    ("timeout", "window", "lease", "believed"), [(30.0, 300.0, 120.0, 360.0), (10.0, 900.0, 96.0, 960.0)]
)
def test_lease_and_window_allow_for_the_call_the_write_and_skewed_clocks(
    timeout: float,
    window: float,
    lease: float,
    believed: float,
) -> None:
    """The lease covers fence, longest call, write and a minute of clock skew; the window adds the same minute."""
    limits = limits_of(timeout, window, 86_400)
    assert (limits.fence, limits.lease, limits.window) == (
        timedelta(seconds=10),
        timedelta(seconds=lease),
        timedelta(seconds=believed),
    )
    assert limits.lease > limits.fence + timedelta(seconds=timeout * 1.2) + timedelta(seconds=60)
    assert (limits.give_up, limits.confirm, limits.bin) == (DAY, MINUTE, 30 * DAY)
