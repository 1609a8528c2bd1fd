"""The HTTP triggers: one for each row of the table of routes, and one for all other paths below /api.

For a known path with a wrong method, the host would answer 404 without a body. So the last trigger takes every method.
The host tries functions in the order of their names. So the name of that trigger sorts after all others.
"""

import os
from collections.abc import Awaitable, Callable

import azure.functions as func

from b2b.api.answers import Check, HealthReport, Reply
from b2b.api.door import Call
from b2b.api.route import Route
from b2b.api.routes import ROUTES
from b2b.bootstrap import public_base_url, services

ELSEWHERE = "unknown_route"
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
Trigger = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


def routes(level: func.AuthLevel) -> func.Blueprint:
    """Return the triggers of all routes."""
    functions = func.Blueprint()  # type: ignore[no-untyped-call]  # the library has no annotation here
    for route in ROUTES:
        functions.route(route.path, methods=route.methods, auth_level=level)(_trigger(route))
    functions.route("{*rest}", methods=METHODS, auth_level=level)(_elsewhere)
    return functions


def broken(problem: str) -> func.Blueprint:
    """Return a health function that reports a problem. Without a queue trigger, messages wait and do not fail."""
    only_health = func.Blueprint()  # type: ignore[no-untyped-call]

    @only_health.route("health", methods=["GET"])
    async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
        line = Check(name="settings", status="failed", detail=problem)
        return _response(Reply(503, HealthReport(status="unhealthy", checks=[line])))

    return only_health


def _trigger(route: Route) -> Trigger:
    async def trigger(req: func.HttpRequest) -> func.HttpResponse:
        return _response(await services().api.answer(route.name, _call(req)))

    trigger.__name__, trigger.__doc__ = route.name, route.summary
    return trigger


async def _elsewhere(req: func.HttpRequest) -> func.HttpResponse:
    """Answer a call that no route takes."""
    return _response(await services().api.elsewhere(req.route_params.get("rest", ""), _call(req)))


_elsewhere.__name__ = ELSEWHERE


def _call(req: func.HttpRequest) -> Call:
    return Call(
        base_url=base_url(req),
        method=req.method,
        path=dict(req.route_params),
        query=dict(req.params),
        headers={name.lower(): value for name, value in req.headers.items()},
        body=req.get_body(),
    )


def _response(reply: Reply) -> func.HttpResponse:
    return func.HttpResponse(reply.sent, status_code=reply.status, headers=dict(reply.headers), mimetype=reply.media)


def base_url(req: func.HttpRequest) -> str:
    """Return the address under which callers reach the app."""
    return services().settings.public_url or public_base_url(os.environ, req.url)
