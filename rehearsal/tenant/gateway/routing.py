"""A call that is being served, and the table of routes that finds its handler."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from rehearsal.tenant.directory.store import JSON, Directory
from rehearsal.tenant.odata.query import Options, Paging
from rehearsal.tenant.protocol import errors
from rehearsal.tenant.protocol.messages import Answer, Request
from rehearsal.tenant.tenant import Tenant

BOTH_VERSIONS = ("v1.0", "beta")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that a handler serves, with the caller's permissions.

    `directory` holds the users as this call sees them: a read may be served by a replica that lags.
    """

    tenant: Tenant
    directory: Directory
    request: Request
    params: Mapping[str, str]
    options: Options
    roles: frozenset[str]
    number: int
    dispatch: Callable[[Request], Awaitable[Answer]]

    def context(self, fragment: str) -> str:
        """Return the `@odata.context` value for a fragment."""
        return f"{self.request.root}/$metadata#{fragment}"

    def selected(self, base: str) -> str:
        """Return the `@odata.context` fragment for a `$select`, for example `users(id,mail)`."""
        names = self.options.names
        return f"{base}({','.join(names)})" if names else base

    def paging(self) -> Paging:
        """Return how the answer to this call is divided into pages."""
        url = self.request.root + self.request.path
        return Paging(url, self.tenant.clock.now(), short=self.tenant.switches["page-shape"] == "short")


Handler = Callable[[Call], Answer | Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of Graph. `{name}` in the template is one path segment, or a quoted argument of a function call.

    `permissions` are alternatives; if there are none, the handler decides. `cost` is in resource units (throttling
    limits page) before the reductions for `$select` and `$top`; it is 0 if the call is charged elsewhere.
    """

    method: str
    template: str
    handler: Handler
    permissions: frozenset[str]
    options: frozenset[str] = frozenset()
    versions: tuple[str, ...] = BOTH_VERSIONS
    cost: int = 1

    @property
    def pattern(self) -> re.Pattern[str]:
        """The regular expression that matches the decoded path."""
        parts = re.split(r"\{(\w+)\}", self.template)
        pieces = [re.escape(part) if i % 2 == 0 else f"(?P<{part}>[^/]+?)" for i, part in enumerate(parts)]
        return re.compile("".join(pieces))


class Router:
    """Finds the route of a request by method, version and path."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = [(route, route.pattern) for route in routes]

    def find(self, request: Request) -> tuple[Route, Mapping[str, str]]:
        """Return the route of a request and the values in its path. Raises `GraphError` if there is no such route."""
        other_method = False
        for route, pattern in self._routes:
            match = pattern.fullmatch(request.path)
            if match is None or request.version not in route.versions:
                continue
            if route.method == request.method:
                return route, match.groupdict()
            other_method = True
        if other_method:
            raise errors.method_not_allowed()
        raise errors.unknown_segment(request.path.strip("/").rpartition("/")[2])


def cost(route: Route, options: Options) -> int:
    """Return the resource units of a call, at least 1. `$select` and a small `$top` lower them, `$expand` adds one."""
    if not route.cost:
        return 0
    units = route.cost
    units -= "$select" in options.given
    units += "$expand" in options.given
    units -= options.top is not None and options.top < 20  # noqa: PLR2004 - the limits page's own number
    return max(1, units)


def ok(body: JSON) -> Answer:
    """Return an answer with status 200 and a body."""
    return Answer(200, body)
