"""Run the three acts of a large campaign (list, judge, release) and measure each."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from rehearsal.campaign.plan import Plan, as_csv
from rehearsal.rig import HostedRig
from rehearsal.rig.rig import POISON, REQUESTS
from rehearsal.run.campaign import MOST_TOGETHER, Campaign
from rehearsal.run.campaigning import Campaigning
from rehearsal.run.progress import Progress
from rehearsal.soak.population import Population

CAMPAIGN = "large"
ACT_SECONDS = 7200.0
"""How long one act may take; generous, because the machine may be busy."""
Calls = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Act:
    """How many people one act handled, and what it took."""

    name: str
    people: int
    seconds: float
    calls: Calls
    """The number of Graph calls by kind; the kinds are those of the tenant's totals."""


@dataclass(slots=True)
class Played:
    """What happened in all acts."""

    acts: list[Act] = field(default_factory=list)
    judged: int = 0
    released: tuple[str, ...] = ()
    """The keys of the members that were released."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """How many members ended with each outcome, over all runs."""


class Acts:
    """Runs the campaign.

    If a wait takes too long, it notes that and continues; the checks then name what is missing.
    """

    def __init__(self, plan: Plan, rig: HostedRig, progress: Progress) -> None:
        self._plan, self._rig, self._progress = plan, rig, progress
        self._acts = Campaigning(Campaign(rig.api, CAMPAIGN), progress, rig.must_live, plan.look)
        self.played = Played()

    def perform(self) -> Played:
        """Perform all acts.

        Raises:
            RefusedError: the app refuses a call.
            HostError: the host exits by itself.

        """
        campaign = self._acts.campaign
        campaign.create("Large", "As many people as a list may have")
        self._timed("list", self._take_in)
        self._timed("judge", self._judge)
        ready = (str(member["member"]) for member in campaign.members(verdict="ready"))
        self.played.released = tuple(islice(ready, self._plan.release))
        self._timed("release", self._release)
        return self.played

    def _take_in(self) -> int:
        return len(self._acts.take_in(as_csv(Population(self._plan.members, self._plan.seed))).members)

    def _judge(self) -> int:
        done = self._acts.judge(ACT_SECONDS)
        self.played.judged = done.done
        self.played.outcomes.update(done.outcomes)
        return done.done

    def _release(self) -> int:
        """Release members by key, as many per call as the app accepts, and wait until no message is left."""
        for some in _in_parts(self.played.released, MOST_TOGETHER):
            done = self._acts.release("the first wave", ACT_SECONDS, members=list(some))
            self.played.outcomes.update(done.outcomes)
        self._progress.wait("people invited", self._invited, ACT_SECONDS, self._plan.look)
        self._progress.wait("messages still queued", self._queued, ACT_SECONDS, self._plan.look)
        return len(self.played.released)

    def _invited(self) -> tuple[int, int]:
        self._rig.must_live()
        return self._rig.tenant.control.totals()["invitations"], len(self.played.released)

    def _queued(self) -> tuple[int, int]:
        self._rig.must_live()
        return -self._rig.waiting(REQUESTS) - self._rig.waiting(POISON), 0

    def _timed(self, name: str, act: Callable[[], int]) -> None:
        totals = self._rig.tenant.control.totals
        before, began = totals(), time.monotonic()
        people = act()
        seconds, after = time.monotonic() - began, totals()
        self.played.acts.append(Act(name, people, seconds, {kind: after[kind] - before[kind] for kind in after}))


def _in_parts(keys: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))
