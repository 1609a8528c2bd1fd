"""Handlers of campaigns themselves: create, list, show, change, pause, resume, end, and count their people."""

from urllib.parse import urlencode

import msgspec
from msgspec import UNSET

from b2b.api import bodies, tokens
from b2b.api.answers import Reply
from b2b.api.campaigns import show
from b2b.api.campaigns.answers import CampaignPage, PeopleCounted
from b2b.api.campaigns.bodies import CampaignChange, CampaignDefaults, NewCampaign, Turn
from b2b.api.door import Call, Workflows
from b2b.api.lists import TOKEN
from b2b.domain.campaign.defaults import defaults_of
from b2b.domain.campaign.records import CampaignState
from b2b.domain.campaign.runs import Run, progress
from b2b.domain.errors import MalformedRequest
from b2b.domain.request.decision import Decision
from b2b.domain.request.ids import ID_CHARACTERS, LONGEST_ID, REQUEST_ID

_ALL = {"list": "campaigns"}


async def create(app: Workflows, call: Call) -> Reply:
    """Create a campaign."""
    body = bodies.read(call.body, NewCampaign)
    if not REQUEST_ID.fullmatch(body.campaign_id):
        said = f"campaignId: expected 1 to {LONGEST_ID} of the characters {ID_CHARACTERS}"
        raise MalformedRequest("InvalidValue", said, "campaignId")
    defaults = _defaults(app, body.defaults)
    row = await app.campaigns.create(body.campaign_id, body.name, body.description or "", defaults)
    location = f"{call.base_url}/api/campaigns/{row.campaign_id}"
    return Reply(201, show.campaign(row), {"Location": location})


async def some(app: Workflows, call: Call) -> Reply:
    """List campaigns."""
    found, after = await app.campaigns.some(tokens.key(call.query.get(TOKEN), _ALL))
    token = tokens.of_key(_ALL, after) if after else UNSET
    link = f"{call.base_url}/api/campaigns?{urlencode({TOKEN: token})}" if token else UNSET
    content = CampaignPage(campaigns=[show.campaign(row) for row in found], continuation_token=token, next_link=link)
    return Reply(200, content)


async def status(app: Workflows, call: Call) -> Reply:
    """Show a campaign."""
    return Reply(200, show.campaign(await app.campaigns.campaign(call.campaign_id)))


async def change(app: Workflows, call: Call) -> Reply:
    """Change a campaign."""
    body = bodies.read(call.body, CampaignChange)
    told = {"name": body.name, "description": body.description}
    columns: dict[str, str | bytes] = {name: value for name, value in told.items() if value is not None}
    if body.defaults is not None:
        columns["defaults"] = _defaults(app, body.defaults)
    if not columns:
        raise MalformedRequest("MissingField", "name, description, defaults: expected at least one of them")
    return Reply(200, show.campaign(await app.campaigns.change(call.campaign_id, **columns)))


async def pause(app: Workflows, call: Call) -> Reply:
    """Pause a campaign, so that no member is invited."""
    return Reply(200, show.campaign(await app.campaigns.turn(call.campaign_id, CampaignState.PAUSED, _turn(call))))


async def resume(app: Workflows, call: Call) -> Reply:
    """Resume a paused campaign."""
    return Reply(200, show.campaign(await app.campaigns.turn(call.campaign_id, CampaignState.OPEN, _turn(call))))


async def end(app: Workflows, call: Call) -> Reply:
    """End a campaign."""
    return follow(await app.campaigns.end(call.campaign_id, _turn(call)), call)


async def counts(app: Workflows, call: Call) -> Reply:
    """Count the people of a campaign."""
    found = await app.campaigns.counts(call.campaign_id)
    content = PeopleCounted(
        people=found.people,
        stages=show.tallies(found.by_stage),
        verdicts=show.tallies(found.by_verdict),
        rules=show.tallies(found.by_rule),
        prospects=show.tallies(found.by_prospect),
        changes=show.tallies(found.by_change),
        needed=show.tallies(found.by_who),
    )
    return Reply(200, content)


def follow(run: Run, call: Call) -> Reply:
    """Answer the call that started a run with the address of the run."""
    return show.ordered(progress(run, ()), call)


def _turn(call: Call) -> Decision:
    body = bodies.read(call.body, Turn) if call.body.strip() else Turn()
    return Decision(call.caller.actor, body.reason or "")


def _defaults(app: Workflows, told: CampaignDefaults | None) -> bytes:
    return defaults_of(msgspec.to_builtins(told), app.intake.policy) if told is not None else b""
