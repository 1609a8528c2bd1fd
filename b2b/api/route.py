"""What a row of the table of routes says."""

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
"""The function key, where a caller puts it into the address: the host takes it out, and it is never repeated."""
_C = ErrorCode
EVERYWHERE = (
    _C.UNKNOWN_PARAMETER,
    _C.NOT_SIGNED_IN,
    _C.ROLE_MISSING,
    _C.INTERNAL_ERROR,
    _C.SERVICE_UNAVAILABLE,
)
"""Errors that every route may answer with."""
OF_BODY = (
    _C.EMPTY_BODY,
    _C.NOT_JSON,
    _C.UNKNOWN_FIELD,
    _C.MISSING_FIELD,
    _C.WRONG_TYPE,
    _C.INVALID_VALUE,
    _C.REQUEST_TOO_LARGE,
)
"""Errors of every body."""


@dataclass(frozen=True)
class Parameter:
    """A query parameter."""

    name: str
    text: str
    kind: type[Any] = str
    """`str`, `int`, or an enum whose values it may have."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """What else its schema says."""

    @property
    def choices(self) -> list[str]:
        """The values that the parameter accepts. An empty list: any value."""
        return [member.value for member in self.kind] if issubclass(self.kind, Enum) else []


@dataclass(frozen=True)
class Body:
    """What a route takes."""

    kind: type[msgspec.Struct]
    text: str
    required: bool = True
    also: tuple[str, ...] = ()
    """Media types of text that it may have instead of JSON."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """One route: everything that is true of it."""

    name: str
    """Of its function. A function key may be given for one function, so names are part of the contract."""
    method: str
    path: str
    """Below /api, with {names} of parameters."""
    handler: Handler
    options: Handler | None = None
    """Answers OPTIONS: a sender of events asks so before it delivers. It is the same function, so that one key opens
    both."""
    roles: frozenset[Role]
    """A caller who signed in needs one of these."""
    summary: str
    text: str
    answers: Mapping[int, Any]
    """What it answers with: the struct of each status, or a type of JSON."""
    media: str = JSON
    """The media type of what it answers with; errors are JSON always."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of an answer with 201 or 202, and what each is for."""
    body: Body | None = None
    query: tuple[Parameter, ...] = ()
    own_errors: tuple[ErrorCode, ...] = ()
    paged: bool = False
    """Whether the answer may name the address of a next page."""
    in_connector: bool = True
    """Whether a flow has a use for it."""

    @property
    def errors(self) -> tuple[ErrorCode, ...]:
        """Every error code that it may answer with."""
        of_body = OF_BODY if self.body else ()
        return tuple(dict.fromkeys((*of_body, *self.own_errors, *EVERYWHERE)))

    @property
    def operation_id(self) -> str:
        """The name of the operation in OpenAPI."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    @property
    def parameters(self) -> list[str]:
        """The names in the path."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def methods(self) -> list[str]:
        """The methods that its function takes."""
        return [self.method, *(["OPTIONS"] if self.options else [])]

    def matches(self, path: str) -> bool:
        """Tell whether a path below /api is this route's."""
        own, given = self.path.split("/"), path.strip("/").split("/")
        return len(own) == len(given) and all(
            each.startswith("{") or each.lower() == other.lower() for each, other in zip(own, given, strict=True)
        )
