"""Create, pause, resume and end campaigns, read their members, and decide about them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from b2b.domain.actors import acting
from b2b.domain.campaign.deciding import WAITS_IN, Answer, Choice, Group, check, decided, grouped, waits
from b2b.domain.campaign.filters import Filter
from b2b.domain.campaign.member import KEY, Member, MemberStage
from b2b.domain.campaign.outlook import Counts, counted
from b2b.domain.campaign.records import Campaign, CampaignState, ListImport, changed, created, turned
from b2b.domain.campaign.runs import Run, RunKind
from b2b.domain.errors import LedgerConflict, RequestRefused
from b2b.domain.findings import Severity
from b2b.domain.request.decision import Decision
from b2b.workflows.campaigns.lists import campaign_of
from b2b.workflows.campaigns.runs import Runs
from b2b.workflows.decisions import Decisions
from b2b.workflows.ports import Clock, Ledger

RACES = 5
PAGE = 100
"""Campaigns or members per page."""
SCANNED, SCANS = 1_000, 5
"""For filters with conditions besides the stage: how many members one call reads, and the most calls for a page.

Storage returns at most 1,000 rows per call.
"""


@dataclass(frozen=True)
class Page:
    """A page of members, and how many calls and rows it took to find them."""

    members: tuple[Member, ...]
    next: str
    """The key of the last member read if more members follow; otherwise empty."""
    calls: int
    read: int


@dataclass(frozen=True)
class Decided:
    """The result for one choice: the key of the member, and why the app refused the decision, if it did."""

    member: str
    refused: RequestRefused | None = None


class CampaignDesk:
    """Answers callers' questions about campaigns, and carries out their decisions."""

    def __init__(self, ledger: Ledger, decisions: Decisions, runs: Runs, clock: Clock) -> None:
        self._ledger, self._campaigns = ledger, ledger.campaigns
        self._decisions, self._runs, self._clock = decisions, runs, clock

    async def create(self, campaign_id: str, name: str, description: str = "", defaults: bytes = b"") -> Campaign:
        """Create a campaign. If a campaign with this id and the same content exists, return it.

        Raises:
            RequestRefused: a campaign with other content has this id.

        """
        change = created(campaign_id, name, self._clock(), str(acting()), description=description, defaults=defaults)
        with suppress(LedgerConflict):
            return await self._campaigns.create(change)
        stored = await campaign_of(self._campaigns.rows, campaign_id)
        if (stored.name, stored.description, stored.defaults) != (name, description, defaults):
            raise RequestRefused("CampaignIdInUse", f"Another campaign has the id {campaign_id}: take another one.")
        return stored

    async def change(self, campaign_id: str, **columns: Any) -> Campaign:
        """Change the name, the description or the defaults of a campaign.

        Raises:
            RequestRefused: there is no such campaign, or it ended.
            LedgerConflict: other processes keep writing the campaign; try again.

        """
        for _ in range(RACES):
            campaign = await self.campaign(campaign_id)
            if campaign.state is CampaignState.ENDED:
                raise RequestRefused("CampaignEnded", "The campaign ended and can no longer be changed.")
            with suppress(LedgerConflict):
                return await self._campaigns.rows.write(changed(campaign, self._clock(), str(acting()), **columns))
        raise LedgerConflict(f"campaign {campaign_id}")

    async def campaign(self, campaign_id: str) -> Campaign:
        """Return a campaign.

        Raises:
            RequestRefused: no campaign has this id.

        """
        return await campaign_of(self._campaigns.rows, campaign_id)

    async def some(self, after: str) -> tuple[list[Campaign], str]:
        """Return a page of campaigns in the order of their ids, and the last id if more follow (else empty)."""
        return await self._campaigns.some(after, PAGE)

    async def imports(self, campaign_id: str) -> list[ListImport]:
        """Return every list that was sent to a campaign, the latest first.

        Raises:
            RequestRefused: there is no such campaign.

        """
        await self.campaign(campaign_id)
        return await self._campaigns.imports(campaign_id)

    async def end(self, campaign_id: str, decision: Decision) -> Run:
        """End a campaign, and start a run that cancels the members that were not invited.

        Raises:
            RequestRefused: there is no such campaign.
            LedgerConflict: other processes keep writing the campaign; try again.

        """
        # The state is written first because otherwise members could still be released while the run cancels them.
        await self.turn(campaign_id, CampaignState.ENDED, decision)
        return await self._runs.start(campaign_id, RunKind.END, decision=decision)

    async def turn(self, campaign_id: str, state: CampaignState, decision: Decision) -> Campaign:
        """Set the state of a campaign.

        Raises:
            RequestRefused: there is no such campaign, or it ended.
            LedgerConflict: other processes keep writing the campaign; try again.

        """
        for _ in range(RACES):
            campaign = await self.campaign(campaign_id)
            if campaign.state is CampaignState.ENDED and state is not CampaignState.ENDED:
                raise RequestRefused("CampaignEnded", "The campaign ended and cannot be opened again.")
            if campaign.state is state:
                return campaign
            with suppress(LedgerConflict):
                change = turned(campaign, state, self._clock(), str(decision).removeprefix("by "))
                return await self._campaigns.rows.write(change)
        raise LedgerConflict(f"campaign {campaign_id}")

    async def member(self, campaign_id: str, key: str) -> Member:
        """Return a member.

        Raises:
            RequestRefused: the campaign has no such member, or there is no such campaign.

        """
        await self.campaign(campaign_id)
        found = await self._campaigns.member(campaign_id, key) if KEY.fullmatch(key) else None
        if found is None:
            raise RequestRefused("MemberNotFound", "The campaign has no such member.", "member")
        return found

    async def members(self, campaign_id: str, wanted: Filter) -> AsyncIterator[Member]:
        """Yield the members that match a filter.

        Raises:
            RequestRefused: there is no such campaign.

        """
        await self.campaign(campaign_id)
        now: datetime = self._clock()
        async for member in self._campaigns.scan(campaign_id, wanted.stage):
            if wanted.takes(member, now):
                yield member

    async def page(self, campaign_id: str, wanted: Filter, after: str = "") -> Page:
        """Return a page of the members that match a filter. The page may be short or empty although more follow.

        If the filter is a stage alone, a page takes two calls: one reads the campaign and one reads the members. For
        other filters, the app reads up to five thousand members, a thousand per call.

        Raises:
            RequestRefused: there is no such campaign.

        """
        await self.campaign(campaign_id)
        now, found, read = self._clock(), list[Member](), 0
        size, most = (PAGE, 1) if wanted.by_stage_alone else (SCANNED, SCANS)
        for calls in range(2, most + 2):
            members, after = await self._campaigns.page(campaign_id, wanted.stage, after, size)
            for member in members:
                read += 1
                if wanted.takes(member, now):
                    found.append(member)
                    if len(found) == PAGE and (after or member is not members[-1]):
                        return Page(tuple(found), member.key, calls, read)
            if not after:
                return Page(tuple(found), "", calls, read)
        return Page(tuple(found), after, calls, read)

    async def groups(self, campaign_id: str, rule: str = "") -> tuple[Group, ...]:
        """Return the members that wait for a decision, grouped by rule. ``rule`` selects one group; if empty, all.

        Raises:
            RequestRefused: there is no such campaign.

        """
        await self.campaign(campaign_id)
        waiting = [
            member for stage in WAITS_IN async for member in self._campaigns.scan(campaign_id, stage) if waits(member)
        ]
        return tuple(group for group in grouped(waiting) if rule in {"", group.rule})

    async def counts(self, campaign_id: str) -> Counts:
        """Count the people of a campaign. This takes one call per thousand members."""
        return counted([member async for member in self.members(campaign_id, Filter())])

    async def decide(
        self, campaign_id: str, answer: Answer, choices: Sequence[Choice], decision: Decision
    ) -> list[Decided]:
        """Decide about exactly the members and findings that a person was shown. Each choice succeeds or fails alone.

        Raises:
            RequestRefused: there is no such campaign, or it ended.

        """
        campaign = await self.campaign(campaign_id)
        if campaign.state is CampaignState.ENDED:
            raise RequestRefused("CampaignEnded", "The campaign ended: members that were not invited are cancelled.")
        answers = []
        for choice in choices:
            try:
                await self._decide(campaign_id, answer, choice, choices, decision)
            except RequestRefused as refused:
                answers.append(Decided(choice.member, refused))
            else:
                answers.append(Decided(choice.member))
        return answers

    async def _decide(
        self, campaign_id: str, answer: Answer, choice: Choice, among: Sequence[Choice], decision: Decision
    ) -> None:
        for _ in range(RACES):
            members = await self._campaigns.members(campaign_id, filter(KEY.fullmatch, [choice.member]))
            member = check(answer, choice, among, members)
            if answer is Answer.APPROVE:
                self._decisions.four_eyes.check_member(member, decision)
            with suppress(LedgerConflict):
                if member.stage is MemberStage.NEEDS_REVIEW:
                    await self._decide_request(member, answer, choice, decision)
                else:
                    await self._campaigns.write(decided(member, answer, decision, self._clock()), member)
                return
        raise RequestRefused("RequestChanged", "The member changed during the decision: read it and decide again.")

    async def _decide_request(self, member: Member, answer: Answer, choice: Choice, decision: Decision) -> None:
        """Decide about a member's request, if the request still has the findings that the person was shown."""
        record = await self._ledger.requests.get(member.request_id)
        if record is None:
            raise RequestRefused("MemberNotFound", "The request of the member is gone.")
        shown = {(finding.rule, finding.message) for finding in record.findings if finding.severity is Severity.REVIEW}
        if shown != {(each.rule, each.message) for each in choice.findings}:
            raise RequestRefused("FindingsChanged", "The request now has other findings: read them and decide again.")
        await (self._decisions.approve if answer is Answer.APPROVE else self._decisions.refuse)(record, decision)
