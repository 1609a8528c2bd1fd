"""Import a list: compare its rows with the members of the campaign, and store new and changed ones.

If the same list is sent again after a crash, the app stores the rest and answers as if there had been no crash.
"""

import asyncio
from dataclasses import dataclass, replace

from b2b.domain.actors import acting
from b2b.domain.campaign.deciding import ENDED, called_off
from b2b.domain.campaign.incoming import Outcome, Plan, member_of, plan
from b2b.domain.campaign.reading import Reading, Wanted, read
from b2b.domain.campaign.records import Campaign, CampaignState, ImportState, ListImport, begun
from b2b.domain.errors import LedgerConflict, RequestRefused
from b2b.domain.request import IntakePolicy
from b2b.domain.request.decision import Decision
from b2b.domain.request.ids import REQUEST_ID
from b2b.workflows.ports import Clock, Ledger
from b2b.workflows.rows import Rows

RACES = 5
"""How often a list is compared again because other lists of its campaign are imported at the same time."""


@dataclass(frozen=True)
class TakenIn:
    """The result of importing a list."""

    row: ListImport
    plan: Plan
    reading: Reading

    @property
    def all_known(self) -> bool:
        """Whether every row was a known, unchanged member. The next step is then to judge or to release."""
        return bool(self.plan.rows) and self.row.unchanged == len(self.plan.rows)


async def campaign_of(rows: Rows[Campaign], campaign_id: str) -> Campaign:
    """Return a campaign.

    Raises:
        RequestRefused: no campaign has this id.

    """
    known_form = REQUEST_ID.fullmatch(campaign_id) is not None
    campaign = await rows.get(campaign_id) if known_form else None
    if campaign is None:
        shown = campaign_id if known_form else "as given"
        raise RequestRefused("CampaignNotFound", f"There is no campaign {shown}.", "campaignId")
    return campaign


class Lists:
    """Stores the members that lists name, and the result of each list."""

    def __init__(self, ledger: Ledger, policy: IntakePolicy, clock: Clock) -> None:
        self._campaigns, self._policy, self._clock = ledger.campaigns, policy, clock

    async def take_in(self, campaign_id: str, raw: bytes, wanted: Wanted | None = None) -> TakenIn:
        """Store the members of a list. No person becomes two members, even if the list is sent again after a crash.

        Raises:
            RequestRefused: the list as a whole is unreadable, there is no such campaign, or the campaign has ended.
            LedgerConflict: other processes keep writing the members of the campaign.
            Transient: storage did not answer. Sending the same list again continues the import.

        """
        campaign = await campaign_of(self._campaigns.rows, campaign_id)
        if campaign.state is CampaignState.ENDED:
            raise RequestRefused("CampaignEnded", "The campaign ended: make another one for this list.")
        wanted = wanted or Wanted()
        reading = await asyncio.to_thread(read, raw, self._policy, wanted)
        imported = begun(campaign_id, raw, repr(wanted), self._clock())
        before = await self._campaigns.list_import(campaign_id, imported.import_id)
        if before is None:  # before the members, so that the list is known even if storing them fails
            await self._campaigns.save_import(imported)
        imported = before or imported
        found = await self._stored(reading, imported)
        await self._unless_ended(found, imported)
        written = replace(
            imported,
            state=ImportState.FINISHED,
            finished_at=self._clock(),
            rows=len(found.rows) + found.refused,
            taken=found.count(Outcome.TAKEN),
            changed=found.count(Outcome.CHANGED),
            unchanged=found.count(Outcome.UNCHANGED),
            refused=found.refused,
            kept=tuple(reading.layout.kept),
        )
        if imported.state is ImportState.RUNNING:
            await self._campaigns.save_import(written)
        return TakenIn(written, found, reading)

    async def _unless_ended(self, found: Plan, imported: ListImport) -> None:
        """Cancel the members of the list if the campaign ended meanwhile; the run that ends it may have missed them.

        Raises:
            RequestRefused: the campaign ended.

        """
        campaign = await campaign_of(self._campaigns.rows, imported.campaign_id)
        if campaign.state is not CampaignState.ENDED:
            return
        decision, now = Decision(acting(), ENDED), self._clock()
        for _ in range(RACES):
            members = await self._campaigns.members(imported.campaign_id, [row.key for row in found.rows])
            ours = [each for each in members.values() if each.import_id == imported.import_id]
            left = [(called_off(each, decision, now).row, each) for each in ours if each.stage.on_the_list]
            if await self._campaigns.store(left):
                said = "The campaign ended while the list came in: its members are called off."
                raise RequestRefused("CampaignEnded", said)
        raise LedgerConflict(f"campaign {imported.campaign_id}")

    async def _stored(self, reading: Reading, imported: ListImport) -> Plan:
        """Compare the list with the members and store it, until no other process writes in between.

        Return the first comparison, but the last one if the number of refused rows has changed in between.
        """
        first: Plan | None = None
        for _ in range(RACES):
            known = await self._campaigns.known(imported.campaign_id)
            found = await asyncio.to_thread(plan, reading, known, imported)
            first = first or found
            if await self._store(found, imported):
                return first if found.refused == first.refused else found
        raise LedgerConflict(f"campaign {imported.campaign_id}")

    async def _store(self, found: Plan, imported: ListImport) -> bool:
        new = [row for row in found.rows if not row.stored]
        changed = [row.key for row in new if row.outcome is Outcome.CHANGED]
        before = await self._campaigns.members(imported.campaign_id, changed)
        if len(before) < len(changed) or not all(each.stage.listed_again for each in before.values()):
            return False  # a member was released or purged since the comparison
        now = self._clock()
        members = [(member_of(row, before.get(row.key), imported, now), before.get(row.key)) for row in new]
        return await self._campaigns.store(members)
