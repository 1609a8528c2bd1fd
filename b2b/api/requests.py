"""Handlers of the routes that submit, show and assess requests, and of health."""

from b2b.api import show
from b2b.api.answers import Assessed, Check, HealthReport, Reply
from b2b.api.door import Call, Workflows
from b2b.domain.request import parse
from b2b.domain.request.handshake import permission


async def submit(app: Workflows, call: Call) -> Reply:
    """Take a request in and return where to follow it."""
    return show.accepted(await app.intake.submit(call.body), call.base_url, app.settings.mode)


async def handshake(_app: Workflows, call: Call) -> Reply:
    """Answer the handshake with which a sender of events asks for permission to deliver."""
    return Reply(200, {}, permission(call.headers))


async def status(app: Workflows, call: Call) -> Reply:
    """Return the state of a request."""
    found = await app.enquiries.find(call.request_id)
    sign_in = await app.enquiries.sign_in(found.record)
    return show.request_status(found.record, found.leader, call.base_url, sign_in)


async def operation(app: Workflows, call: Call) -> Reply:
    """Return the state of a request in the format of a status monitor (long-running operation)."""
    found = await app.enquiries.find(call.request_id)
    return show.operation_status(found.record, found.leader, call.base_url)


async def assess(app: Workflows, call: Call) -> Reply:
    """Judge a request without taking it in."""
    request, _ = parse(call.body, app.intake.policy)
    found = await app.enquiries.judge(request)
    user_id = found.account.id.lower() if found.account else None
    return Reply(200, Assessed(user_id=user_id, verdict=found.verdict, findings=list(found.findings)))


async def health(app: Workflows, _call: Call) -> Reply:
    """Return the state of the app's parts; 503 if one of them fails."""
    checks = await app.health.report()
    lines = [Check(name=check.name, status=check.status, detail=check.detail) for check in checks]
    healthy = all(check.ok for check in checks)
    return Reply(200 if healthy else 503, HealthReport(status="healthy" if healthy else "unhealthy", checks=lines))
