"""What the earlier credentials still open, as a table; its grades are those of docs/evidence.md."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from b2b.domain.conversion.records import Conversion
from b2b.domain.conversion.stages import Stage
from b2b.domain.lifecycle.credentials import SHUT, STILL_THERE, UNKNOWN, WORKS, Belief, Opens, credentials
from tests.unit.protocol import NOW, conversion

LEDGER = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text("utf-8")
YES, NO, NOT_KNOWN, NOTHING = Opens
INVITED = conversion(Stage.INVITED, invited_at=NOW)
REDEEMED = conversion(Stage.COMPLETED, invited_at=NOW, accepted_at=NOW, signs_in_with="ExternalAzureAD")
PASSCODE = replace(REDEEMED, signs_in_with="mail")
UNDONE = conversion(Stage.CANCELLED, invited_at=NOW, accepted_at=NOW)


@pytest.mark.parametrize("synced", [False, True], ids=["cloud", "synced"])
@pytest.mark.parametrize(
    ("row", "cloud", "on_premises"),
    [(INVITED, YES, YES), (REDEEMED, NOT_KNOWN, YES), (PASSCODE, NO, NO), (UNDONE, YES, YES)],
    ids=["invited", "redeemed", "with a passcode", "made internal again"],
)
def test_each_stage_says_what_the_password_still_opens(
    row: Conversion, cloud: Opens, on_premises: Opens, *, synced: bool
) -> None:
    password = credentials(replace(row, synced=synced))[0]
    assert password.cloud.opens is cloud
    assert password.on_premises.opens is (on_premises if synced else NOTHING)
    assert ("Active Directory" in password.name) is synced


def test_only_documented_answers_name_a_belief_and_all_have_advice() -> None:
    for each in credentials(REDEEMED):
        assert each.advice.endswith((".", "!"))
        for belief in (each.cloud, each.on_premises):
            assert (belief.opens in {YES, NO}) is bool(belief.belief)


@pytest.mark.parametrize("belief", [WORKS, SHUT, STILL_THERE], ids=lambda each: each.belief)
def test_the_grade_of_a_belief_equals_that_in_the_evidence_page(belief: Belief) -> None:
    found = re.search(rf"^\| {belief.belief} \|.*?\| (\S+) \|", LEDGER, re.MULTILINE)
    assert found is not None
    assert found[1] == belief.grade
    assert not UNKNOWN.belief
