"""What undoing a conversion would take: where an account stands, and that every place has its ways."""

import pytest

from b2b.domain.conversion.records import Conversion
from b2b.domain.conversion.stages import Stage
from b2b.domain.lifecycle.snapshot import Kind, Reading, Snapshot
from b2b.domain.lifecycle.way_back import WAYS, Facts, Grade, Standing, Way, standing_of, ways_back
from tests.unit.cases import ANNA
from tests.unit.protocol import ACCEPTED, HOUR, INTERNAL, NOW, PENDING, conversion, doubt, seen

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
def test_the_directory_is_believed_over_the_row(row: Conversion, sighting: object, standing: Standing) -> None:
    assert standing_of(row, sighting) is standing  # type: ignore[arg-type]


def told(standing: Standing, *, synced: bool = False, before: Snapshot | None = BEFORE) -> list[Way]:
    return list(ways_back(standing, Facts(INVITED, synced, before)))


@pytest.mark.parametrize("standing", list(Standing))
@pytest.mark.parametrize("synced", [False, True])
def test_every_place_has_a_way_whose_words_are_whole(standing: Standing, *, synced: bool) -> None:
    for way in told(standing, synced=synced):
        assert "{" not in way.do + way.costs
        assert way.source.startswith("https://")
    assert told(standing, synced=synced)


def test_every_way_is_told_somewhere() -> None:
    everywhere = [way for standing in Standing for synced in (False, True) for way in told(standing, synced=synced)]
    facts = Facts(INVITED, synced=False, before=None)
    assert {way.title for way in everywhere} == {row.way(facts).title for row in WAYS}


def test_the_way_back_of_a_redeemed_account_names_what_it_was_and_where_its_password_comes_from() -> None:
    (cloud,) = [way for way in told(Standing.REDEEMED) if "beta" in way.do]
    assert "a domain that is not federated, and a password" in cloud.do
    assert "its user type was Guest, its user principal name anna@contoso.com" in cloud.costs
    (synced,) = [way for way in told(Standing.REDEEMED, synced=True) if "beta" in way.do]
    assert "Active Directory" in synced.do
    (unknown,) = [way for way in told(Standing.REDEEMED, before=None) if "beta" in way.do]
    assert "its user type was not known" in unknown.costs


def test_no_way_takes_an_invitation_back_and_the_words_say_how_sure_they_are() -> None:
    ways = {way.title: way for way in told(Standing.WAITING)}
    assert "does not expire" in ways["Leave it"].costs
    assert ways["Disable the account"].grade is Grade.INFERRED
    assert f"POST /api/conversions/{ANNA}/correct" in ways["Correct the address"].do
    assert next(iter(ways)) == "Leave it"
