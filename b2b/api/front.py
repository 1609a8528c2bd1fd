"""Answer HTTP requests: check the caller and the query, call the route's handler, and turn errors into answers."""

from dataclasses import replace

from b2b.api import problems
from b2b.api.answers import Reply
from b2b.api.callers import ANY, KEY_HOLDER, signed_in
from b2b.api.door import Call, Workflows
from b2b.api.route import KEY_PARAMETER, Route
from b2b.api.routes import ROUTES
from b2b.domain.actors import acting_as
from b2b.domain.error_codes import ErrorCode
from b2b.domain.errors import RequestRefused

_BY_NAME = {route.name: route for route in ROUTES}


class Front:
    """Answers HTTP requests. Every error has a code and a JSON body."""

    def __init__(self, app: Workflows) -> None:
        self._app = app

    async def answer(self, name: str, call: Call) -> Reply:
        """Answer a call of the route that has this name."""
        route = _BY_NAME[name]
        try:
            call = self._let_in(call, route)
            with acting_as(call.caller.actor):
                handler = route.options if route.options and call.method == "OPTIONS" else route.handler
                return await handler(self._app, call)
        except Exception as error:  # noqa: BLE001  the one place in which every error becomes an answer
            return problems.reply_to(error)

    async def elsewhere(self, path: str, call: Call) -> Reply:
        """Answer a call that no route takes, because its path is unknown or its route has another method."""
        try:
            self._caller(call)
        except RequestRefused as error:
            return problems.reply_to(error)
        methods = sorted({method for route in ROUTES if route.matches(path) for method in route.methods})
        if not methods:
            return problems.problem(ErrorCode.ROUTE_NOT_FOUND, "There is no such route; GET /api/openapi.json has all.")
        allowed = ", ".join(methods)
        said = f"This route has no such method; it has {allowed}."
        return problems.problem(ErrorCode.METHOD_NOT_ALLOWED, said, headers={"Allow": allowed})

    def _let_in(self, call: Call, route: Route) -> Call:
        call = self._caller(call)
        call.caller.require(route.roles)
        _check_parameters(call, route)
        return call

    def _caller(self, call: Call) -> Call:
        """Return the call with its caller. With function keys, the header of App Service authentication is ignored."""
        caller = signed_in(call.headers) if self._app.settings.sign_in else KEY_HOLDER
        caller.require(ANY)
        return replace(call, caller=caller)


def _check_parameters(call: Call, route: Route) -> None:
    """Refuse query parameters that a route does not know: `?dryRun=true`, if ignored, would convert an account.

    Raises:
        RequestRefused: the query has such parameters. The error names all of them.

    """
    known = {parameter.name for parameter in route.query} | {KEY_PARAMETER}
    faults = [
        RequestRefused(
            ErrorCode.UNKNOWN_PARAMETER,
            f"{name}: not a query parameter of this route; what a request says stands in its body",
            name,
        )
        for name in sorted(set(call.query) - known)
    ]
    if faults:
        raise faults[0].with_others(faults[1:])
