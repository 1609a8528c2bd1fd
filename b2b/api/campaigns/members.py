"""Handlers that show members: a page, one member, or a file."""

from collections.abc import Iterable
from urllib.parse import urlencode

from msgspec import UNSET

from b2b.api import tokens
from b2b.api.answers import Cost, Reply
from b2b.api.campaigns import selection, show
from b2b.api.campaigns.answers import MemberPage
from b2b.api.campaigns.lists import CSV
from b2b.api.door import Call, Workflows
from b2b.api.lists import TOKEN
from b2b.domain.campaign import names, worklist
from b2b.domain.campaign.worklist import Fix, fixes

SCRIPT = "text/plain"


async def page(app: Workflows, call: Call) -> Reply:
    """List members."""
    filters = {name: value for name, value in call.query.items() if name in {each.name for each in selection.QUERY}}
    about = {**filters, "campaign": call.campaign_id}
    found = await app.campaigns.page(
        call.campaign_id, selection.of_query(filters), tokens.key(call.query.get(TOKEN), about)
    )
    token = tokens.of_key(about, found.next) if found.next else UNSET
    path = f"{call.base_url}/api/campaigns/{call.campaign_id}/members"
    content = MemberPage(
        members=[show.line(member) for member in found.members],
        cost=Cost(calls=found.calls, lines=found.read),
        continuation_token=token,
        next_link=f"{path}?{urlencode({**filters, TOKEN: token})}" if token else UNSET,
    )
    return Reply(200, content)


async def status(app: Workflows, call: Call) -> Reply:
    """Show a member."""
    return Reply(200, show.member(await app.campaigns.member(call.campaign_id, call.path["member"])))


async def as_csv(app: Workflows, call: Call) -> Reply:
    """Return members as CSV. Members are read page by page, and only their lines are held in memory."""
    wanted = selection.of_query(call.query)
    sent = await app.campaigns.imports(call.campaign_id)
    kept = tuple(dict.fromkeys(header for each in reversed(sent) for header in each.kept))
    text = bytearray(names.header(kept).encode())
    async for member in app.campaigns.members(call.campaign_id, wanted):
        text += names.line(member, kept).encode()
    return _file(call, "members.csv", CSV, bytes(text))


async def worklist_csv(app: Workflows, call: Call) -> Reply:
    """Return the fixes that members need as CSV."""
    return _file(call, "worklist.csv", CSV, _joined(worklist.as_csv(await _fixes(app, call))))


async def worklist_script(app: Workflows, call: Call) -> Reply:
    """Return the fixes that Graph can make as a script."""
    return _file(call, "worklist.ps1", SCRIPT, _joined(worklist.as_script(await _fixes(app, call))))


async def _fixes(app: Workflows, call: Call) -> list[Fix]:
    wanted, profile = selection.of_query(call.query), app.settings.profile
    return [fix async for member in app.campaigns.members(call.campaign_id, wanted) for fix in fixes([member], profile)]


def _joined(lines: Iterable[str]) -> bytes:
    return "".join(lines).encode()


def _file(call: Call, name: str, media: str, content: bytes) -> Reply:
    return Reply(200, content, {"Content-Disposition": f'attachment; filename="{call.campaign_id}-{name}"'}, media)
