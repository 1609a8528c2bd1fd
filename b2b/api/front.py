"""What every HTTP request passes: authorisation, path and query, the handler, and errors turned into answers."""

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
    """Answers HTTP requests; every error has a code and a JSON body."""

    def __init__(self, app: Workflows) -> None:
        self._app = app

    async def answer(self, name: str, call: Call) -> Reply:
        """Answer a call of the route with this name."""
        route = _BY_NAME[name]
        try:
            call = self._let_in(call, route)
            with acting_as(call.caller.actor):
                handler = route.options if route.options and call.method == "OPTIONS" else route.handler
                return await handler(self._app, call)
        except Exception as error:  # noqa: BLE001  the one place in which every error becomes an answer
            return problems.reply_to(error)

    async def elsewhere(self, path: str, call: Call) -> Reply:
        """Answer a call that is for no route: the path is not known, or has no such method."""
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
        """With function keys, what a caller says of itself in headers counts for nothing."""
        caller = signed_in(call.headers) if self._app.settings.sign_in else KEY_HOLDER
        caller.require(ANY)
        return replace(call, caller=caller)


def _check_parameters(call: Call, route: Route) -> None:
    """Refuse a parameter that a route would ignore: `?dryRun=true` must not turn into a conversion.

    Raises:
        RequestRefused: names all of them.

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
