"""The ways back of a conversion: the state of an account, and the ways that each state has."""

import pytest

from b2b.domain.conversion.records import Conversion
from b2b.domain.conversion.stages import Stage
from b2b.domain.lifecycle.snapshot import Kind, Reading, Snapshot
from b2b.domain.lifecycle.way_back import WAYS, Facts, Grade, Standing, Way, standing_of, ways_back
from tests.unit.cases import ANNA
from tests.unit.protocol import ACCEPTED, HOUR, INTERNAL, NOW, PENDING, conversion, doubt, seen

CONVERTED = [stage for stage in Stage if stage not in {Stage.REQUESTED, Stage.REJECTED, Stage.ASSESSED}]
INVITED = conversion(Stage.INVITED, invited_at=NOW)
BEFORE = Snapshot(
    NOW,
    {
        Kind.TYPE: Reading(1, "d", {"Guest": ""}),
        Kind.NAME: Reading(1, "d", {"anna@contoso.com": ""}),
    },
)


@pytest.mark.parametrize(
    ("row", "sighting", "standing"),
    [
        (conversion(Stage.BLOCKED), seen(INTERNAL), Standing.NOT_INVITED),
        (conversion(Stage.INVITING), seen(INTERNAL), Standing.NOT_INVITED),
        (conversion(Stage.NEEDS_REVIEW, doubts=(doubt(HOUR),)), seen(INTERNAL), Standing.IN_DOUBT),
        (conversion(Stage.INVITING, doubts=(doubt(HOUR),)), seen(PENDING), Standing.WAITING),
        (INVITED, seen(PENDING), Standing.WAITING),
        (INVITED, seen(INTERNAL), Standing.WAITING),
        (conversion(Stage.INVITED, invited_at=NOW, seen_at=NOW), seen(INTERNAL), Standing.INTERNAL),
        (INVITED, seen(ACCEPTED), Standing.REDEEMED),
        (conversion(Stage.COMPLETED, invited_at=NOW), seen(ACCEPTED), Standing.REDEEMED),
        (conversion(Stage.COMPLETED, invited_at=NOW), seen(PENDING), Standing.WAITING),
        (conversion(Stage.CANCELLED, invited_at=NOW), seen(INTERNAL), Standing.INTERNAL),
        (INVITED, seen(None, in_bin=True), Standing.DELETED),
        (INVITED, seen(None), Standing.GONE),
    ],
)
def test_the_state_of_an_account_follows_from_its_row_and_a_read(
    row: Conversion, sighting: object, standing: Standing
) -> None:
    assert standing_of(row, sighting) is standing  # type: ignore[arg-type]


def shown(standing: Standing, *, synced: bool = False, before: Snapshot | None = BEFORE) -> list[Way]:
    return list(ways_back(standing, Facts(INVITED, synced, before)))


@pytest.mark.parametrize("standing", list(Standing))
@pytest.mark.parametrize("synced", [False, True])
def test_every_state_has_ways_without_unfilled_placeholders(standing: Standing, *, synced: bool) -> None:
    for way in shown(standing, synced=synced):
        assert "{" not in way.do + way.costs
        assert way.source.startswith("https://")
    assert shown(standing, synced=synced)


def test_every_way_is_shown_in_some_state_and_stage() -> None:
    everywhere = [
        way
        for standing in Standing
        for synced in (False, True)
        for stage in CONVERTED
        for way in ways_back(standing, Facts(conversion(stage), synced, None))
    ]
    facts = Facts(conversion(Stage.INVITED), synced=False, before=None)
    assert {(way.title, way.do) for way in everywhere} >= {(row.way(facts).title, row.way(facts).do) for row in WAYS}


@pytest.mark.parametrize(
    ("stage", "standing", "calls"),
    [
        (Stage.INVITING, Standing.NOT_INVITED, ["cancel"]),
        (Stage.NEEDS_REVIEW, Standing.NOT_INVITED, ["refuse"]),
        (Stage.BLOCKED, Standing.NOT_INVITED, []),
        (Stage.INVITED, Standing.WAITING, ["correct"]),
        (Stage.BLOCKED, Standing.WAITING, ["adopt"]),
        (Stage.COMPLETED, Standing.WAITING, []),
    ],
)
def test_a_way_names_only_calls_that_the_stage_allows(stage: Stage, standing: Standing, calls: list[str]) -> None:
    said = " ".join(way.do for way in ways_back(standing, Facts(conversion(stage), synced=False, before=None)))
    assert [call for call in ("cancel", "refuse", "correct", "adopt") if f"/{call}" in said] == calls


@pytest.mark.parametrize(("stage", "followed"), [(Stage.ACCEPTED, True), (Stage.COMPLETED, False)])
def test_after_a_reset_only_an_account_that_is_not_completed_is_followed_by_itself(
    stage: Stage, *, followed: bool
) -> None:
    ways = ways_back(Standing.REDEEMED, Facts(conversion(stage), synced=False, before=None))
    (right,) = [way for way in ways if way.title == "Let the right person redeem"]
    assert ("send a new request" in right.do) is not followed
    assert ("follows the account again" in right.costs) is followed


def test_converting_back_names_the_earlier_user_type_and_the_source_of_the_password() -> None:
    (cloud,) = [way for way in shown(Standing.REDEEMED) if "beta" in way.do]
    assert "a domain that is not federated, and a password" in cloud.do
    assert "its user type was Guest and its user principal name anna@contoso.com" in cloud.costs
    (synced,) = [way for way in shown(Standing.REDEEMED, synced=True) if "beta" in way.do]
    assert "Active Directory" in synced.do
    (unknown,) = [way for way in shown(Standing.REDEEMED, before=None) if "beta" in way.do]
    assert "its user type was not known" in unknown.costs


def test_the_first_way_of_an_invited_account_is_to_leave_it() -> None:
    ways = {way.title: way for way in shown(Standing.WAITING)}
    assert "does not expire" in ways["Leave it"].costs
    assert ways["Disable the account"].grade is Grade.INFERRED
    assert f"POST /api/conversions/{ANNA}/correct" in ways["Correct the address"].do
    assert next(iter(ways)) == "Leave it"
