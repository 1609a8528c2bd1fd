"""Record the calls that the tenant got, and those among them that a correct client never makes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

HEADERS_OF_INTEREST = (
    "client-request-id",
    "consistencylevel",
    "content-type",
    "prefer",
    "retry-attempt",
    "sdkversion",
    "user-agent",
)

THROTTLED = 429


@dataclass(slots=True)
class Entry:
    """One Graph call. Each part of a `$batch` has its own entry.

    `batch` is the number of the `$batch` call that the entry is a part of. `status` is None until there is an answer,
    and stays None if the connection was closed. `fault` is the fault that hit the call. `replica` is the copy of the
    directory that was read (None: the primary).
    """

    number: int
    time: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    roles: list[str] = field(default_factory=list)
    batch: int | None = None
    status: int | None = None
    errorCode: str | None = None  # noqa: N815 - the control plane speaks JSON
    fault: dict[str, Any] | None = None
    replica: int | None = None


_NAMES = tuple(entry_field.name for entry_field in fields(Entry))


@dataclass(frozen=True, slots=True)
class Violation:
    """A call that Graph refuses in any tenant, so the client is at fault."""

    number: int
    time: str
    kind: str
    method: str
    path: str
    detail: str


class Journal:
    """All entries and violations, in order."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.violations: list[Violation] = []

    def open(
        self, *, time: str, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: Any
    ) -> Entry:
        """Record a call before it is served, so that one without an answer is recorded too."""
        kept = {name: headers[name] for name in HEADERS_OF_INTEREST if name in headers}
        entry = Entry(len(self.entries) + 1, time, method, path, dict(query), kept, body)
        self.entries.append(entry)
        return entry

    def violate(self, entry: Entry, kind: str, detail: str) -> None:
        """Record a violation by the call of `entry`."""
        self.violations.append(Violation(entry.number, entry.time, kind, entry.method, entry.path, detail))

    def as_json(self, after: int = 0) -> list[dict[str, Any]]:
        """Return all but the first `after` entries as the JSON objects that the control plane answers with."""
        return [{name: getattr(entry, name) for name in _NAMES} for entry in self.entries[after:]]

    def totals(self) -> dict[str, int]:
        """Return the number of calls by kind, for a run with too many calls to list them."""
        calls = [entry for entry in self.entries if not entry.path.endswith("/$batch")]
        return {
            "calls": len(calls),
            "roundTrips": sum(entry.batch is None for entry in self.entries),
            "invitations": sum(entry.method == "POST" and entry.path.endswith("/invitations") for entry in calls),
            "throttled": sum(entry.status == THROTTLED for entry in calls),
        }

    def violations_as_json(self) -> list[dict[str, Any]]:
        """Return the violations in the form of the control plane."""
        return [asdict(violation) for violation in self.violations]
