"""Calls on their way to an answer, and the table of routes that leads there."""

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
    """A request on its way through a handler: who asks for what, with which permissions.

    `directory` is what this call sees of the users: a read may come upon a replica that lags behind.
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
        """An `@odata.context` value."""
        return f"{self.request.root}/$metadata#{fragment}"

    def selected(self, base: str) -> str:
        """A context fragment with the selected names, `users(id,mail)`."""
        names = self.options.names
        return f"{base}({','.join(names)})" if names else base

    def paging(self) -> Paging:
        """Where the pages of this call come from."""
        url = self.request.root + self.request.path
        return Paging(url, self.tenant.clock.now(), short=self.tenant.switches["page-shape"] == "short")


Handler = Callable[[Call], Answer | Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: `{name}` in the template is one path segment, or what stands between quotes in a function call.

    `permissions` are alternatives; none given means that the handler decides. `cost` is in resource units (throttling
    limits page), before the reductions for `$select` and `$top`; 0 for what is charged elsewhere.
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
        """The template as a regular expression over the decoded path."""
        parts = re.split(r"\{(\w+)\}", self.template)
        pieces = [re.escape(part) if i % 2 == 0 else f"(?P<{part}>[^/]+?)" for i, part in enumerate(parts)]
        return re.compile("".join(pieces))


class Router:
    """The routes, looked up by method, version and path."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = [(route, route.pattern) for route in routes]

    def find(self, request: Request) -> tuple[Route, Mapping[str, str]]:
        """The route of a request and the values in its path; `GraphError` for what does not exist."""
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
    """Resource units of a call: `$select` and a small `$top` make it cheaper, `$expand` dearer, one at least."""
    if not route.cost:
        return 0
    units = route.cost
    units -= "$select" in options.given
    units += "$expand" in options.given
    units -= options.top is not None and options.top < 20  # noqa: PLR2004 - the limits page's own number
    return max(1, units)


def ok(body: JSON) -> Answer:
    """200 with a body."""
    return Answer(200, body)
