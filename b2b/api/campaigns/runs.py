"""Handlers of runs over many members: judge, release, and show the progress of a run."""

from b2b.api import bodies
from b2b.api.answers import Reply
from b2b.api.campaigns import selection, show
from b2b.api.campaigns.bodies import LARGEST, MembersRelease, MembersWanted
from b2b.api.campaigns.desk import follow
from b2b.api.decisions import decider, named
from b2b.api.door import Call, Workflows
from b2b.domain.actors import ActorKind
from b2b.domain.campaign.runs import RunKind
from b2b.domain.request.decision import Decision


async def judge(app: Workflows, call: Call) -> Reply:
    """Judge members."""
    body = bodies.read(call.body, MembersWanted, limit=LARGEST) if call.body.strip() else MembersWanted()
    run = await app.runs.start(call.campaign_id, RunKind.JUDGE, selection.of_body(body), body.members)
    return follow(run, call)


async def release(app: Workflows, call: Call) -> Reply:
    """Release members. Only an application must name the person who releases; others may leave the body out."""
    needed = named("releasedBy", app, call) if call.caller.actor.kind is ActorKind.APPLICATION else ()
    body = MembersRelease()
    if call.body.strip() or needed:
        body = bodies.read(call.body, MembersRelease, *needed, limit=LARGEST)
    decision = Decision(decider(call, "releasedBy", body.released_by), body.reason or "")
    wanted = selection.of_body(body)
    return follow(await app.runs.start(call.campaign_id, RunKind.RELEASE, wanted, body.members, decision), call)


async def status(app: Workflows, call: Call) -> Reply:
    """Show the progress of a run."""
    return show.ordered(await app.runs.progress(call.campaign_id, call.path["runId"]), call)
