"""Handlers about an invited account: adopt it, send another mail, show the ways back."""

from b2b.api import bodies as reading
from b2b.api import show
from b2b.api.answers import Reply
from b2b.api.decisions import decided, decider, named
from b2b.api.door import Call, Workflows
from b2b.api.waiting import bodies
from b2b.api.waiting.answers import WayBackReport, WayShown
from b2b.domain.actors import acting_as
from b2b.domain.request.decision import Decision
from b2b.workflows.lifecycle.way_back import WayBack


async def adopt(app: Workflows, call: Call) -> Reply:
    """Let the app follow an account that someone else invited."""
    body = reading.read(call.body, bodies.Adoption, *named("adoptedBy", app, call))
    decision = Decision(decider(call, "adoptedBy", body.adopted_by), body.reason)
    return await decided(app, call, app.decisions.adopt, decision)


async def resend(app: Workflows, call: Call) -> Reply:
    """Send an invitation again, to the same address."""
    body = reading.read(call.body, bodies.Resend, *named("resentBy", app, call))
    decision = Decision(decider(call, "resentBy", body.resent_by), body.reason)
    row = await app.listings.conversion(call.path["userId"])
    with acting_as(decision.actor):
        return Reply(200, show.conversion(await app.mails.resend(row, decision, frozenset(body.waive))))


async def correct(app: Workflows, call: Call) -> Reply:
    """Invite another address in place of a wrong address."""
    body = reading.read(call.body, bodies.Correction, *named("correctedBy", app, call))
    decision = Decision(decider(call, "correctedBy", body.corrected_by), body.reason)
    address, waived = body.invited_user_email_address.strip(), frozenset(body.waive)
    row = await app.listings.conversion(call.path["userId"])
    with acting_as(decision.actor):
        return Reply(200, show.conversion(await app.mails.correct(row, address, decision, waived)))


async def way_back(app: Workflows, call: Call) -> Reply:
    """Show how a conversion can be undone in its current state."""
    return Reply(200, _shown(await app.ways_back.of(call.path["userId"])))


def _shown(found: WayBack) -> WayBackReport:
    return WayBackReport(
        user_id=found.conversion.user_id,
        stage=found.conversion.stage,
        standing=found.standing,
        read_at=show.utc(found.read_at),
        earlier_addresses=list(found.conversion.earlier_addresses),
        ways=[
            WayShown(title=each.title, do=each.do, costs=each.costs, grade=each.grade, source=each.source)
            for each in found.ways
        ],
    )
