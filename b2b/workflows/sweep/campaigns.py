"""Look after runs of campaigns: one whose messages were lost gets new ones, and one that is over leaves the list.

The list of runs at work is short: each order of an administrator is one entry until its last member was seen to.
"""

import logging

from b2b.domain.readings import Entry
from b2b.workflows.campaigns.runs import Runs
from b2b.workflows.ports import Clock, Ledger
from b2b.workflows.sweep.repair import OVERDUE, Repair
from b2b.workflows.sweep.rounds import through
from b2b.workflows.sweep.turn import Turn

log = logging.getLogger(__name__)


class RepairCampaigns:
    """Looks after runs, and then after requests."""

    def __init__(self, runs: Runs, requests: Repair, ledger: Ledger, clock: Clock) -> None:
        self._runs, self._requests = runs, requests
        self._ledger, self._clock = ledger, clock

    async def run(self, turn: Turn) -> None:
        """Look after the runs that are at work for long, as far as the turn has room, and then after requests.

        Raises:
            Transient: storage did not answer, several times.

        """
        await through(self._ledger.working, self._look_after, turn, self._clock())
        await self._requests.run(turn)

    async def _look_after(self, entry: Entry) -> bool:
        """Send a run's messages again if they are lost: overdue, and younger ones stand at the head of the queue.

        A young entry stays: its run may not be written yet.
        """
        now = self._clock()
        if now - entry.since <= OVERDUE:
            return False
        run_id, _, campaign_id = entry.key.partition(".")
        if await self._runs.over(campaign_id, run_id):
            await self._ledger.working.remove(entry)
            return True
        head = await self._requests.head()
        if head is not None and head <= entry.since + OVERDUE:
            return False
        await self._runs.send_again(campaign_id, run_id)
        log.warning("campaign %s: run %s lost messages and got others", campaign_id, run_id)
        await self._ledger.working.add(entry.key, now)
        return True
