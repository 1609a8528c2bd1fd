"""Runs that judge, release or end many members of a campaign. Each part of a run is a message on the work queue."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from b2b.domain.actors import acting, acting_as
from b2b.domain.campaign.filters import Filter
from b2b.domain.campaign.member import KEY, Member
from b2b.domain.campaign.records import Campaign, CampaignState
from b2b.domain.campaign.runs import (
    MOST_RETURNS,
    PLANNING,
    Part,
    PartMessage,
    Progress,
    Run,
    RunKind,
    cut,
    filter_json,
    message_of,
    progress,
    takes,
)
from b2b.domain.errors import LedgerConflict, MustWait, RequestRefused, Transient
from b2b.domain.request.decision import Decision
from b2b.workflows.campaigns.lists import campaign_of
from b2b.workflows.ports import Clock, Ledger, NewId, Queue

log = logging.getLogger(__name__)

TOGETHER = 8
"""The most members of a part that are handled concurrently. More would slow down the requests on the same instance."""
MOST_NAMED = 500
"""The most members that one call may name. A caller selects more by a filter."""
RACES = 5
GAVE_UP = "gaveUp"


def entry_of(run: Run) -> str:
    """Return the key of a run on the list of unfinished runs. No run's id has a dot, so the first dot ends it."""
    return f"{run.run_id}.{run.campaign_id}"


class Step(Protocol):
    """What a run does for one member."""

    async def __call__(self, run: Run, campaign: Campaign, member: Member, /) -> str:
        """Handle a member. Return the outcome, by which the run counts the member.

        Raises:
            MustWait: the member cannot be handled now.
            LedgerConflict: another process wrote the member meanwhile; read it again.

        """


class Runs:
    """Starts runs and processes their parts."""

    def __init__(
        self,
        ledger: Ledger,
        queue: Queue,
        clock: Clock,
        new_id: NewId,
        steps: Mapping[RunKind, Step],
        give_back: Callable[[Member], Awaitable[None]],
        *,
        goes_on: bool,
        size: int,
    ) -> None:
        """``goes_on``: whether the mode lets members be invited. ``size``: members per part.

        ``give_back`` puts a member back on the list if its release was begun and its part is given up.
        """
        self._ledger, self._campaigns, self._queue = ledger, ledger.campaigns, queue
        self._clock, self._new_id = clock, new_id
        self._runs, self._steps, self._give_back = ledger.runs, steps, give_back
        self._goes_on, self._size = goes_on, size

    async def start(
        self,
        campaign_id: str,
        kind: RunKind,
        wanted: Filter | None = None,
        keys: Sequence[str] = (),
        decision: Decision | None = None,
    ) -> Run:
        """Start a run for all members, for those that match a filter, or for those that ``keys`` name.

        Raises:
            RequestRefused: there is no such campaign, its state or the app's mode forbids the run, or ``keys`` are too
                many or not all known.

        """
        campaign = await campaign_of(self._campaigns.rows, campaign_id)
        self._allow(campaign, kind)
        if len(keys) > MOST_NAMED:
            said = f"members: expected at most {MOST_NAMED}; choose more by a filter"
            raise RequestRefused("InvalidValue", said, "members")
        await self._check_members(campaign_id, keys)
        run = Run(
            campaign_id=campaign_id,
            run_id=self._new_id(),
            kind=kind,
            asked_at=self._clock(),
            asked_by=decision.actor if decision else acting(),
            because=decision.reason if decision else "",
            wanted=filter_json(wanted or Filter()),
            keys=tuple(keys),
        )
        # The list is written first and the message sent last: the sweep finds a run only on the list, removes an entry
        # without a run, and sends a lost message again. A message without a run would do nothing.
        await self._ledger.working.add(entry_of(run), run.asked_at)
        with suppress(LedgerConflict):  # the id is new, so the client repeated a write that had succeeded
            await self._runs.save(run)
        await self._queue.send(message_of(run, PLANNING))
        return run

    async def _check_members(self, campaign_id: str, keys: Sequence[str]) -> None:
        found = await self._campaigns.members(campaign_id, filter(KEY.fullmatch, keys))
        unknown = [key for key in keys if key not in found]
        if unknown:
            said = f"members: {len(unknown)} of the {len(keys)} are not in this campaign"
            raise RequestRefused("MemberNotFound", said, "members")

    def _allow(self, campaign: Campaign, kind: RunKind) -> None:
        if kind is RunKind.END:
            return
        if campaign.state is CampaignState.ENDED:
            raise RequestRefused("CampaignEnded", "The campaign ended: nothing of it is judged or released any more.")
        if kind is RunKind.RELEASE and campaign.state is CampaignState.PAUSED:
            raise RequestRefused("CampaignPaused", "The campaign is paused: resume it, then release.")
        if kind is RunKind.RELEASE and not self._goes_on:
            raise RequestRefused("ModeIsAssess", "B2B_MODE is assess: set it to convert, then release.")

    async def progress(self, campaign_id: str, run_id: str) -> Progress:
        """Return the progress of a run.

        Raises:
            RequestRefused: there is no such run, or no such campaign.

        """
        await campaign_of(self._campaigns.rows, campaign_id)
        run = await self._runs.get(campaign_id, run_id) if KEY.fullmatch(run_id) else None
        if run is None:
            raise RequestRefused("RunNotFound", "The campaign has no such run.", "runId")
        return progress(run, await self._runs.parts(run))

    async def work(self, message: PartMessage) -> None:
        """Process a message of a run. If the message is delivered again, nothing is done twice.

        Raises:
            MustWait: the part cannot go on now; the message has to be delivered again later.
            Transient: a service did not answer. Try again later.

        """
        run = await self._runs.get(message.campaign_id, message.run_id)
        campaign = await self._campaigns.rows.get(message.campaign_id)
        if run is None or campaign is None or message.round < run.round:
            return
        with acting_as(run.asked_by):
            if message.part == PLANNING:
                await self._plan(run)
            elif (part := await self._runs.part(run, message.part)) is not None and not part.done:
                await self._part(run, campaign, part)

    async def _plan(self, run: Run) -> None:
        """Cut the run into parts, unless it is cut already, and send a message for each part that is not done."""
        if not run.planned:
            run = await self._cut(run)
        for part in await self._runs.parts(run):
            if not part.done:
                await self._queue.send(message_of(run, part.number))

    async def _cut(self, run: Run) -> Run:
        """Cut a run into parts. If another process has cut it, use those parts, because some may be done by now."""
        now = self._clock()
        keys = [member.key async for member in self._campaigns.scan(run.campaign_id) if takes(run, member, now)]
        planned, parts = cut(run, self._new_id(), keys, self._size)
        try:
            return await self._runs.save(planned, *parts)  # before the messages, which need the stored parts
        except LedgerConflict:
            return await self._runs.get(run.campaign_id, run.run_id) or run

    async def over(self, campaign_id: str, run_id: str) -> bool:
        """Tell whether a run has handled every member, or was never written."""
        run = await self._runs.get(campaign_id, run_id)
        return run is None or progress(run, await self._runs.parts(run)).finished

    async def send_again(self, campaign_id: str, run_id: str) -> None:
        """Send the messages of a run again, because they were lost. If the lost messages still arrive, they do nothing.

        Raises:
            Transient: storage did not answer. Try again later.

        """
        for _ in range(RACES):
            run = await self._runs.get(campaign_id, run_id)
            if run is None:
                return
            with suppress(LedgerConflict):
                # before the message, so that earlier messages do nothing from now on
                run = await self._runs.save(replace(run, round=run.round + 1))
                await self._queue.send(message_of(run, PLANNING))
                return
        raise Transient("the app", "others write the row of a run all the time")

    async def _part(self, run: Run, campaign: Campaign, part: Part) -> None:
        gate = asyncio.Semaphore(TOGETHER)

        async def see_to(key: str) -> str:
            async with gate:
                return await self._see_to(run, campaign, key)

        results = await asyncio.gather(*(see_to(key) for key in part.keys), return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        if errors:
            raise next((error for error in errors if isinstance(error, MustWait)), errors[0])
        counts = Counter(result for result in results if isinstance(result, str))
        await self._runs.finish(run, replace(part, done=True, counts=counts))

    async def _see_to(self, run: Run, campaign: Campaign, key: str) -> str:
        for _ in range(RACES):
            member = await self._campaigns.member(run.campaign_id, key)
            if member is None:
                return "gone"
            try:
                return await self._steps[run.kind](run, campaign, member)
            except LedgerConflict:
                continue
        raise Transient("the app", "others write the row of a member all the time")

    async def give_up(self, message: PartMessage) -> None:
        """Handle a message that the host moved to the poison queue.

        The message is sent again up to `MOST_RETURNS` times. After that, its part is given up.

        Raises:
            Transient: storage did not answer. Try again later.

        """
        run = await self._runs.get(message.campaign_id, message.run_id)
        if run is None or message.round < run.round:
            return
        if message.returns < MOST_RETURNS:
            # Drain removes the poison message afterwards. A crash in between sends the message twice: no harm is done.
            await self._queue.send(message.returned().message())
            return
        part = await self._runs.part(run, message.part)
        if part is not None and not part.done:
            log.warning("campaign %s: a part of run %s was given up", message.campaign_id, message.run_id)
            if run.kind is RunKind.RELEASE:
                for member in (await self._campaigns.members(run.campaign_id, part.keys)).values():
                    await self._give_back(member)
            await self._runs.finish(run, replace(part, done=True, counts={GAVE_UP: len(part.keys)}))
