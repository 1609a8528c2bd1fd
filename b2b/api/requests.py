"""Handlers of requests: take one in, tell where it stands, judge without taking in, and health."""

from b2b.api import show
from b2b.api.answers import Assessed, Check, HealthReport, Reply
from b2b.api.door import Call, Workflows
from b2b.domain.request import parse
from b2b.domain.request.handshake import permission


async def submit(app: Workflows, call: Call) -> Reply:
    """Take a request in."""
    return show.accepted(await app.intake.submit(call.body), call.base_url, app.settings.mode)


async def handshake(_app: Workflows, call: Call) -> Reply:
    """Let a sender of events deliver here."""
    return Reply(200, {}, permission(call.headers))


async def status(app: Workflows, call: Call) -> Reply:
    """Tell where a request stands."""
    found = await app.enquiries.find(call.request_id)
    sign_in = await app.enquiries.sign_in(found.record)
    return show.request_status(found.record, found.leader, call.base_url, sign_in)


async def operation(app: Workflows, call: Call) -> Reply:
    """Tell the same in the form of a status monitor."""
    found = await app.enquiries.find(call.request_id)
    return show.operation_status(found.record, found.leader, call.base_url)


async def assess(app: Workflows, call: Call) -> Reply:
    """Judge a request and change nothing."""
    request, _ = parse(call.body, app.intake.policy)
    found = await app.enquiries.judge(request)
    user_id = found.account.id.lower() if found.account else None
    return Reply(200, Assessed(user_id=user_id, verdict=found.verdict, findings=list(found.findings)))


async def health(app: Workflows, _call: Call) -> Reply:
    """Tell the state of the app's parts."""
    checks = await app.health.report()
    lines = [Check(name=check.name, status=check.status, detail=check.detail) for check in checks]
    healthy = all(check.ok for check in checks)
    return Reply(200 if healthy else 503, HealthReport(status="healthy" if healthy else "unhealthy", checks=lines))
