"""`python -m rehearsal.campaign` with a small list: all members are judged, some are released, with limits on."""

import io

import pytest

from rehearsal.campaign.plan import Plan
from rehearsal.campaign.story import LargeStory
from rehearsal.rig import HostedRig
from rehearsal.run import perform
from rehearsal.run.progress import Progress
from rehearsal.run.story import Ended
from rehearsal.soak.population import Population

ACTS = {"list": 24, "judge": 24, "release": 6}


class Throttled(LargeStory):
    """A campaign in which Graph throttles the first read of one account, however fast the machine is.

    A throttled invitation would leave its outcome unknown, and the app would need five minutes to settle that.
    """

    def perform(self, rig: HostedRig, progress: Progress) -> Ended:
        """Arm the fault, and then run the campaign."""
        one = min(Population(self.plan.members, self.plan.seed).ready)
        rig.tenant.control.set_faults([{"kind": "429-integer", "seconds": 1, "path": one, "nth": 1}])
        return super().perform(rig, progress)


@pytest.mark.timeout(300)
def test_a_campaign_is_judged_and_released_with_the_tenants_limits_on() -> None:
    out = io.StringIO()
    assert perform(Throttled(Plan(members=24, release=6, throttling=0.05, look=1)), out=out) == 0, out.getvalue()
    acts = {row[0]: row[1:] for row in map(str.split, out.getvalue().splitlines()) if row[:1] and row[0] in ACTS}
    assert {name: int(row[0]) for name, row in acts.items()} == ACTS
    assert int(acts["judge"][-1]) > 0, out.getvalue()
    assert "6 mails went out, one to a person" in out.getvalue()
