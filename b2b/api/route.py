"""The row of the table of routes, and the errors that many routes share."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import msgspec

from b2b.api.answers import JSON, Reply
from b2b.api.callers import Role
from b2b.api.door import Call, Workflows
from b2b.domain.error_codes import ErrorCode

Handler = Callable[[Workflows, Call], Awaitable[Reply]]
KEY_PARAMETER = "code"
"""The query parameter with the function key. The host checks the key, and the app repeats it nowhere."""
_C = ErrorCode
EVERYWHERE = (
    _C.UNKNOWN_PARAMETER,
    _C.NOT_SIGNED_IN,
    _C.ROLE_MISSING,
    _C.INTERNAL_ERROR,
    _C.SERVICE_UNAVAILABLE,
)
"""The errors of every route."""
OF_BODY = (
    _C.EMPTY_BODY,
    _C.NOT_JSON,
    _C.UNKNOWN_FIELD,
    _C.MISSING_FIELD,
    _C.WRONG_TYPE,
    _C.INVALID_VALUE,
    _C.REQUEST_TOO_LARGE,
)
"""The errors of every route with a body."""

TAKEN_IN = {
    "Location": "The address of the request.",
    "Operation-Location": "The address of the request as a long-running operation.",
    "Retry-After": "Seconds to wait before the first poll.",
}
"""The headers of the answer 202 to an accepted request."""


@dataclass(frozen=True)
class Parameter:
    """A query parameter."""

    name: str
    text: str
    kind: type[Any] = str
    """`str`, `int`, or an enum with the values that the parameter may have."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """More keywords of the parameter's schema, for example `maximum`."""

    @property
    def choices(self) -> list[str]:
        """The values that the parameter may have. Empty if it may have any."""
        return [member.value for member in self.kind] if issubclass(self.kind, Enum) else []


@dataclass(frozen=True)
class Body:
    """The body of a route's requests."""

    kind: type[msgspec.Struct]
    text: str
    required: bool = True
    also: tuple[str, ...] = ()
    """Media types of text that the body may have instead of JSON."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """One route, with everything that the app and its documents need to know about it."""

    name: str
    """The name of the route's function. A function key may be limited to one function, so names do not change."""
    method: str
    path: str
    """The path below /api, with parameters in braces."""
    handler: Handler
    options: Handler | None = None
    """The handler of OPTIONS, with which a sender of events asks before it delivers. Both methods belong to one
    function, so that one function key opens both."""
    roles: frozenset[Role]
    """The roles of which a signed-in caller needs one."""
    summary: str
    text: str
    answers: Mapping[int, Any]
    """The answers by status: a struct, or another type that JSON can hold."""
    media: str = JSON
    """The media type of the answers. Errors are always JSON."""
    also: tuple[str, ...] = ()
    """Other media types of text that the caller can ask for."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The headers of an answer with status 201 or 202, each with its description."""
    body: Body | None = None
    query: tuple[Parameter, ...] = ()
    own_errors: tuple[ErrorCode, ...] = ()
    paged: bool = False
    """Whether the answer may contain a link to a next page."""
    in_connector: bool = True
    """Whether the route is part of the connector for Power Automate."""

    @property
    def errors(self) -> tuple[ErrorCode, ...]:
        """All error codes that the route may answer with."""
        of_body = OF_BODY if self.body else ()
        return tuple(dict.fromkeys((*of_body, *self.own_errors, *EVERYWHERE)))

    @property
    def operation_id(self) -> str:
        """The route's operation id in OpenAPI."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters in the path."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def methods(self) -> list[str]:
        """The HTTP methods that the route's function handles."""
        return [self.method, *(["OPTIONS"] if self.options else [])]

    def matches(self, path: str) -> bool:
        """Tell whether a path (below /api) belongs to this route."""
        own, given = self.path.split("/"), path.strip("/").split("/")
        return len(own) == len(given) and all(
            each.startswith("{") or each.lower() == other.lower() for each, other in zip(own, given, strict=True)
        )
