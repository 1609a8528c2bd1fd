"""`python -m rehearsal.campaign` in small: a list, all of it judged, some of it released, with the limits on."""

import io

import pytest

from rehearsal.campaign.plan import Plan
from rehearsal.campaign.story import LargeStory
from rehearsal.run import perform

ACTS = {"list": 24, "judge": 24, "release": 6}


@pytest.mark.timeout(300)
def test_a_campaign_is_judged_and_released_with_the_tenants_limits_on() -> None:
    out = io.StringIO()
    assert perform(LargeStory(Plan(members=24, release=6, throttling=0.05, look=1)), out=out) == 0, out.getvalue()
    acts = {row[0]: row[1:] for row in map(str.split, out.getvalue().splitlines()) if row[:1] and row[0] in ACTS}
    assert {name: int(row[0]) for name, row in acts.items()} == ACTS
    assert "6 mails went out, one to a person" in out.getvalue()
