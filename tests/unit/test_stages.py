"""The table of stages: what is derived from it, and what it allows."""

import pytest

from b2b.domain.conversion.stages import (
    BEGINNINGS,
    LEADS_TO,
    STAGES,
    Action,
    Care,
    Phase,
    Stage,
    check_beginning,
    check_conversion,
    may_follow,
    phase_of,
    reachable,
    row_of,
)
from b2b.domain.errors import IllegalTransition

FOLLOWS = {
    "requested": "assessed blocked needsReview inviting failed cancelled",
    "needsReview": "invited cancelled",
    "inviting": "invited blocked needsReview failed cancelled",
    "invited": "accepted cancelled",
    "accepted": "verified unverified completed invited cancelled",
    "verified": "completed",
    "unverified": "accepted completed invited cancelled",
}
"""The way: requested -> judged -> claim -> invited -> accepted -> verified or unverified -> completed.

Every other stage is an end. Back to `invited` goes an account whose redemption was reset.
"""
ACTIONS = {
    "requested": {"cancel"},
    "inviting": {"cancel"},
    "needsReview": {"approve", "refuse"},
    "assessed": {"release"},
    "blocked": {"retry", "adopt"},
    "failed": {"retry"},
}


def test_every_stage_has_one_row_with_a_meaning_of_its_own() -> None:
    assert [row.stage for row in STAGES] == list(Stage)
    assert len({row.meaning for row in STAGES}) == len(Stage)


def test_each_stage_is_in_one_phase() -> None:
    phases = {phase: {stage for stage in Stage if phase_of(stage) is phase} for phase in Phase}
    assert phases[Phase.SERVICE] == {Stage.REQUESTED, Stage.INVITING, Stage.ACCEPTED, Stage.VERIFIED}
    assert phases[Phase.PERSON] == {Stage.NEEDS_REVIEW, Stage.INVITED, Stage.UNVERIFIED}
    assert frozenset().union(*phases.values()) == frozenset(Stage)


@pytest.mark.parametrize("stage", list(Stage))
def test_each_stage_has_the_listed_next_stages(stage: Stage) -> None:
    assert row_of(stage).next == set(FOLLOWS.get(stage.value, "").split())


@pytest.mark.parametrize("stage", list(Stage))
def test_only_ended_stages_have_no_next_stage_and_nobody_who_cares_for_them(stage: Stage) -> None:
    ended = phase_of(stage) is Phase.ENDED
    assert (not row_of(stage).next) is ended
    assert (row_of(stage).care is Care.NOBODY) is ended


@pytest.mark.parametrize("stage", list(Stage))
def test_each_stage_allows_the_listed_actions(stage: Stage) -> None:
    assert row_of(stage).actions == ACTIONS.get(stage.value, set())


def test_each_action_is_allowed_in_some_stage_and_leads_to_one() -> None:
    assert frozenset().union(*(row.actions for row in STAGES)) == set(Action) == LEADS_TO.keys()
    assert set(LEADS_TO.values()) == {Stage.REQUESTED, Stage.CANCELLED}


def test_a_request_may_skip_intermediate_stages() -> None:
    assert reachable(Stage.INVITING) == set(Stage) - {Stage.REQUESTED, Stage.REJECTED, Stage.ASSESSED, Stage.INVITING}
    assert reachable(Stage.REQUESTED) == set(Stage) - {Stage.REQUESTED, Stage.REJECTED}
    redeemed = {Stage.ACCEPTED, Stage.VERIFIED, Stage.UNVERIFIED, Stage.COMPLETED}
    assert reachable(Stage.INVITED) == {*redeemed, Stage.INVITED, Stage.CANCELLED}
    assert reachable(Stage.VERIFIED) == {Stage.COMPLETED}
    assert reachable(Stage.COMPLETED) == frozenset()


@pytest.mark.parametrize("before", list(Stage))
@pytest.mark.parametrize("after", list(Stage))
def test_a_request_moves_only_forwards_and_never_leaves_an_end(before: Stage, after: Stage) -> None:
    assert may_follow(before, after) is (after is before or after in reachable(before))
    if phase_of(before) is Phase.ENDED:
        assert may_follow(before, after) is (after is before)


@pytest.mark.parametrize("before", list(Stage))
@pytest.mark.parametrize("after", list(Stage))
def test_a_conversion_moves_one_step_at_a_time(before: Stage, after: Stage) -> None:
    if after is before or after in row_of(before).next:
        check_conversion(before, after)
    else:
        with pytest.raises(IllegalTransition, match=f"{before} does not become {after}"):
            check_conversion(before, after)


RESTARTS = {"blocked", "needsReview", "invited", "completed", "failed", "cancelled"}
"""`invited` and `completed` too: a reset redemption opens a generation, and so does an account made internal again."""


@pytest.mark.parametrize("before", [None, *Stage])
@pytest.mark.parametrize("opening", list(Stage))
def test_a_generation_begins_only_in_allowed_stages_after_allowed_stages(before: Stage | None, opening: Stage) -> None:
    if opening in BEGINNINGS and (before is None or before.value in RESTARTS):
        check_beginning(before, opening)
    else:
        with pytest.raises(IllegalTransition, match=f"begin again as {opening}"):
            check_beginning(before, opening)


def test_the_stages_in_which_a_generation_may_begin_are_these_six() -> None:
    assert {"inviting", "blocked", "needsReview", "failed", "invited", "cancelled"} == BEGINNINGS


def test_a_claim_cannot_replace_a_claim() -> None:
    with pytest.raises(IllegalTransition):
        check_beginning(Stage.INVITING, Stage.INVITING)
