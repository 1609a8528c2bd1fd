"""Repair runs of campaigns: send lost messages again, and take finished runs off the list.

The list is short, because each run comes from a call by an administrator, and leaves the list after its last member.
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
    """Repairs runs of campaigns, and then requests."""

    def __init__(self, runs: Runs, requests: Repair, ledger: Ledger, clock: Clock) -> None:
        self._runs, self._requests = runs, requests
        self._ledger, self._clock = ledger, clock

    async def run(self, turn: Turn) -> None:
        """Repair runs as far as the turn has room, and then requests.

        Raises:
            Transient: storage failed repeatedly.

        """
        await through(self._ledger.working, self._look_after, turn, self._clock())
        await self._requests.run(turn)

    async def _look_after(self, entry: Entry) -> bool:
        """Send a run's messages again if they are lost; take a finished run off the list. Return whether it did either.

        Messages are lost if they are overdue although the messages at the head of the queue are younger. A young entry
        is left alone, because its run may not be written yet.
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
        # Afterwards, so that a crash sends the messages once more; those of the earlier round do nothing. The other way
        # round, a crash would leave the run without messages until the new entry is overdue.
        log.warning("campaign %s: run %s lost messages and got others", campaign_id, run_id)
        await self._ledger.working.add(entry.key, now)
        return True
