"""The calls that the tenant got, and those among them that no correct client would make."""

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
    """One Graph call. Each part of a `$batch` has its own entry, with the number of its envelope in `batch`.

    `status` is None as long as there is no answer, and for ever when the connection was lost. `fault` is what stood in
    the way, `replica` which copy of the directory was read (None: the primary).
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
    """A call that Graph would have refused whatever the tenant holds: a fault of the client."""

    number: int
    time: str
    kind: str
    method: str
    path: str
    detail: str


class Journal:
    """Entries and violations in order."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.violations: list[Violation] = []

    def open(
        self, *, time: str, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: Any
    ) -> Entry:
        """Write down a call before it is served, so that one that never ends is seen as well."""
        kept = {name: headers[name] for name in HEADERS_OF_INTEREST if name in headers}
        entry = Entry(len(self.entries) + 1, time, method, path, dict(query), kept, body)
        self.entries.append(entry)
        return entry

    def violate(self, entry: Entry, kind: str, detail: str) -> None:
        """Record a violation by the call of `entry`."""
        self.violations.append(Violation(entry.number, entry.time, kind, entry.method, entry.path, detail))

    def as_json(self, after: int = 0) -> list[dict[str, Any]]:
        """The entries as the control plane shows them, those behind a number only."""
        return [{name: getattr(entry, name) for name in _NAMES} for entry in self.entries[after:]]

    def totals(self) -> dict[str, int]:
        """How many calls there were, and of which kinds: for a run whose calls are too many to be listed."""
        calls = [entry for entry in self.entries if not entry.path.endswith("/$batch")]
        return {
            "calls": len(calls),
            "roundTrips": sum(entry.batch is None for entry in self.entries),
            "invitations": sum(entry.method == "POST" and entry.path.endswith("/invitations") for entry in calls),
            "throttled": sum(entry.status == THROTTLED for entry in calls),
        }

    def violations_as_json(self) -> list[dict[str, Any]]:
        """The violations as the control plane shows them."""
        return [asdict(violation) for violation in self.violations]
