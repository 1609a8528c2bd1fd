"""Campaigns as the simulator uses them. Only this module and `app` know the names of the app's workflows."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from b2b.api.answers import Reply
from b2b.bootstrap import Services
from b2b.domain.actors import Actor, ActorKind
from b2b.domain.campaign.deciding import ALONE, Answer, Choice, asked, waits
from b2b.domain.campaign.filters import Filter
from b2b.domain.campaign.member import Member
from b2b.domain.campaign.records import CampaignState
from b2b.domain.campaign.runs import RunKind
from b2b.domain.errors import LedgerConflict, RequestRefused, Transient, UnreadableRow
from b2b.domain.request.approval import Waived
from b2b.domain.request.decision import Decision
from b2b.workflows.campaigns.states import KEPT

STALE = KEPT.total_seconds()
"""Most seconds for which an instance may not yet know that a campaign was paused."""
_BY = Decision(Actor(ActorKind.STATED, name="admin"), "known")


async def _answer(work: Callable[[], Awaitable[Reply]]) -> Reply:
    """Answer as the API would: 409 for a refusal, 503 for trouble."""
    try:
        return await work()
    except RequestRefused as refused:
        return Reply(409, {"code": refused.code})
    except (Transient, LedgerConflict, UnreadableRow) as error:
        return Reply(503, {"error": str(error)})


class Office:
    """The calls that an owner makes about campaigns, in one process of the app."""

    def __init__(self, services: Services) -> None:
        self._desk, self._lists, self._runs = services.campaigns, services.lists, services.runs

    async def take_in(self, campaign: str, raw: bytes) -> Reply:
        """Send a list. Creates the campaign first; creating it again changes nothing."""

        async def work() -> Reply:
            await self._desk.create(campaign, campaign)
            taken = await self._lists.take_in(campaign, raw)
            faults = [{"line": fault.line, "code": fault.code} for fault in taken.plan.faults]
            return Reply(200, {"taken": taken.row.taken, "unchanged": taken.row.unchanged, "faults": faults})

        return await _answer(work)

    async def run(self, campaign: str, kind: str, keys: Iterable[str] = ()) -> Reply:
        """Start a run of this kind (judge or release) over all members, or over those with these keys."""

        async def work() -> Reply:
            run = await self._runs.start(campaign, RunKind(kind), keys=tuple(keys), decision=_BY)
            return Reply(202, {"runId": run.run_id})

        return await _answer(work)

    async def turn(self, campaign: str, state: str) -> Reply:
        """Pause, resume or end a campaign."""

        async def work() -> Reply:
            if state == CampaignState.ENDED:
                return Reply(202, {"runId": (await self._desk.end(campaign, _BY)).run_id})
            await self._desk.turn(campaign, CampaignState(state), _BY)
            return Reply(200, {})

        return await _answer(work)

    async def members(self, campaign: str) -> Reply:
        """Return all members."""

        async def work() -> Reply:
            found = [_shown(each) async for each in self._desk.members(campaign, Filter())]
            return Reply(200, {"members": found})

        return await _answer(work)

    async def decide(self, campaign: str, answer: str) -> Reply:
        """Read the members that wait, and decide exactly those: in bulk, or singly if a finding requires it."""

        async def work() -> Reply:
            waiting = [each async for each in self._desk.members(campaign, Filter()) if waits(each)]
            alone = [each for each in waiting if ALONE & {finding.rule for finding in asked(each)}]
            together = [each for each in waiting if each not in alone]
            answers: list[dict[str, Any]] = []
            for some in (together, *([each] for each in alone)):
                choices = [Choice(each.key, tuple(Waived(f.rule, f.message) for f in asked(each))) for each in some]
                decided = await self._desk.decide(campaign, Answer(answer), choices, _BY)
                answers += [
                    {**_shown(member), "refused": said.refused.code if said.refused else ""}
                    for member, said in zip(some, decided, strict=True)
                ]
            return Reply(200, {"decided": answers})

        return await _answer(work)

    async def progress(self, campaign: str, run_id: str) -> Reply:
        """Return how far a run has come."""

        async def work() -> Reply:
            found = await self._runs.progress(campaign, run_id)
            return Reply(200, {"finished": found.finished, "counts": dict(found.counts), "members": found.run.members})

        return await _answer(work)


def _shown(member: Member) -> dict[str, Any]:
    """Return what a caller sees of a member."""
    waiting = {"reason": member.waiting.reason.value} if member.waiting else None
    return {
        "member": member.key,
        "reference": member.reference,
        "stage": member.stage.value,
        "verdict": member.verdict.value if member.verdict else "",
        "userId": member.user_id,
        "address": member.invited_address,
        "findings": msgspec.to_builtins(list(member.findings)),
        "requestId": member.request_id,
        "waiting": waiting,
        "lastError": member.last_error,
    }
