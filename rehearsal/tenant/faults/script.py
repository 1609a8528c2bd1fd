"""The kinds of fault, and a script that assigns faults to calls.

A fault hits one call, either before or after the call has done its work.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from rehearsal.tenant.protocol import errors
from rehearsal.tenant.protocol.errors import GraphError
from rehearsal.tenant.protocol.messages import Request

When = Literal["before", "after"]
WHENS: tuple[When, ...] = ("before", "after")
Does = Literal["refuse", "hang-up", "wait", "lie"]
RetryForm = Literal["integer", "fraction", "date"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault.

    What it `does` is one of four things: `refuse` with an error (whose body is JSON, HTML, or empty), `hang-up` without
    an answer, `wait` before the answer, or `lie` (answer 201 although nothing was done, or with another invitation
    `status`). `fits` tells which calls can meet it. `seconds` is how long it waits or what Retry-After says;
    `retry_after` is the form of that header.
    """

    name: str
    does: Does = "refuse"
    error: GraphError | None = None
    body: Literal["json", "html", "empty"] = "json"
    retry_after: RetryForm | None = None
    seconds: float = 0.0
    status: str | None = None
    whens: tuple[When, ...] = WHENS
    fits: Callable[[Request], bool] = lambda _: True


def _whole(request: Request) -> bool:
    return request.batch is None


def _paged(request: Request) -> bool:
    return "$skiptoken" in request.query


def _invites(request: Request) -> bool:
    return request.method == "POST" and request.path == "/invitations"


_THROTTLED = errors.throttled("Please retry again later.")
_UNKNOWN = "UnknownError"
_GATEWAY_ERRORS = {
    500: "InternalServerError",
    502: _UNKNOWN,
    503: "ServiceUnavailable",
    504: _UNKNOWN,
}
"""Codes by status; a 504 was recorded with `UnknownError` and an empty message (microsoft-graph-docs#2505)."""

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("429-integer", error=_THROTTLED, retry_after="integer", seconds=2),
        Kind("429-fraction", error=_THROTTLED, retry_after="fraction", seconds=2.128),
        Kind("429-date", error=_THROTTLED, retry_after="date", seconds=2),
        Kind("429-missing", error=_THROTTLED),
        Kind("429-unknown-error", error=GraphError(429, _UNKNOWN, "")),
        *(
            Kind(f"{status}-{body}", error=GraphError(status, code, ""), body=body)
            for status, code in _GATEWAY_ERRORS.items()
            for body in ("json", "html", "empty")
        ),
        Kind("503-retry-after", error=GraphError(503, "ServiceUnavailable", ""), retry_after="integer", seconds=2),
        Kind("401", error=errors.unauthorized("Lifetime validation failed, the token is expired."), whens=("before",)),
        Kind("409", error=errors.concurrency_violation()),
        Kind("expired-page", error=errors.expired_page_token(), fits=_paged),
        Kind("reset", does="hang-up", fits=_whole),
        Kind("slow", does="wait", seconds=1),
        Kind("no-effect", does="lie", whens=("before",), fits=_invites),
        Kind("status-error", does="lie", status="Error", fits=_invites),
    )
}
"""Every kind by name. The last two hit only invitations, `expired-page` only the call for a next page, and `reset` only
calls outside a batch. `401` always comes before the work.
"""


@dataclass(frozen=True, slots=True)
class Aim:
    """Selects calls by method (None: any), by a regular expression to find in an address like `/v1.0/users/…`, and by
    whether they are whole requests or parts of a batch.
    """

    method: str | None = None
    path: str = ""
    where: Literal["any", "request", "part"] = "any"

    def __post_init__(self) -> None:
        if self.where not in ("any", "request", "part"):
            raise ValueError(f"where is any, request or part, not {self.where!r}")
        re.compile(self.path)

    def hits(self, request: Request) -> bool:
        """Tell whether a call is selected."""
        return (
            self.method in (None, request.method)
            and self.where != ("part" if request.batch is None else "request")
            and re.search(self.path, request.address) is not None
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault for one call. `by` tells where it comes from; `number` is its line in the script (None for chaos)."""

    kind: Kind
    when: When
    seconds: float
    by: Literal["script", "chaos"] = "script"
    number: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the fault in the form that the journal shows."""
        return {"kind": self.kind.name, "when": self.when, "by": self.by, "number": self.number}


@dataclass(slots=True)
class Line:
    """One line of the script: a fault, the calls it is aimed at, and which of them it hits (`nth`; None: every one).

    A line counts every call it is aimed at, even if an earlier line has answered that call.
    """

    fault: Fault
    aim: Aim
    nth: int | None
    matched: int = 0
    fired: int = 0

    @classmethod
    def of(cls, number: int, given: Mapping[str, Any]) -> Self:
        """Parse a line from JSON. Raises ValueError for an unknown name, or for a combination that cannot happen."""
        unknown = given.keys() - {"kind", "when", "seconds", "method", "path", "where", "nth"}
        if unknown:
            raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
        kind, when, nth = kind_of(given.get("kind")), given.get("when", "before"), given.get("nth")
        if when not in kind.whens:
            raise ValueError(f"{kind.name} happens {' or '.join(kind.whens)} the effect, not {when!r}")
        if nth is not None and (not isinstance(nth, int) or nth < 1):
            raise ValueError(f"nth counts from 1, got {nth!r}")
        if "seconds" in given and not kind.seconds:
            raise ValueError(f"{kind.name} takes no seconds")
        aim = Aim(given.get("method"), given.get("path", ""), given.get("where", "any"))
        if kind.name == "reset" and aim.where == "part":
            raise ValueError("a part of a batch has no connection to lose")
        return cls(Fault(kind, when, float(given.get("seconds", kind.seconds)), number=number), aim, nth)

    def as_json(self) -> dict[str, Any]:
        """Return the line, and how often it has matched and fired."""
        counts = {"nth": self.nth, "matched": self.matched, "fired": self.fired}
        return {**self.fault.as_json(), "seconds": self.fault.seconds, **asdict(self.aim), **counts}


def kind_of(name: Any) -> Kind:
    """Return the kind with this name. Raises ValueError if there is none."""
    if name not in KINDS:
        raise ValueError(f"no fault is called {name!r}; there are {', '.join(KINDS)}")
    return KINDS[name]


class Script:
    """Lines in order; the first line that is due for a call answers it."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def load(self, faults: list[Mapping[str, Any]]) -> None:
        """Replace the whole script, or nothing of it if a line is invalid."""
        self.lines = [Line.of(number, fault) for number, fault in enumerate(faults, 1)]

    def due(self, request: Request) -> Fault | None:
        """Return the fault that is due for this call, or None."""
        found: Line | None = None
        for line in self.lines:
            if line.fault.kind.fits(request) and line.aim.hits(request):
                line.matched += 1
                if found is None and line.nth in (None, line.matched):
                    found = line
        if found is None:
            return None
        found.fired += 1
        return found.fault
