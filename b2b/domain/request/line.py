"""What a list shows of a request, and in which lists it stands. A request belongs to the month in which it came."""

from dataclasses import dataclass
from datetime import UTC, datetime

from b2b.domain.actors import Actor
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.findings import Severity, Verdict
from b2b.domain.hashing import digest
from b2b.domain.request.record import RequestRecord

EVERY = "all"
"""The list of all requests of a month."""
WEIGHTY = frozenset({Severity.BLOCK, Severity.FIX, Severity.REVIEW})


@dataclass(frozen=True, kw_only=True)
class Line:
    """One request as a list shows it."""

    request_id: str
    listed_at: datetime
    """When a request came with this id: its place in every list, whatever becomes of it."""
    stage: Stage
    requested_at: datetime
    asked_by: Actor
    dry_run: bool = False
    user_id: str = ""
    user_principal_name: str = ""
    address: str = ""
    verdict: Verdict | None = None
    rules: tuple[str, ...] = ()
    """The rules that keep it from going on, or that a person must weigh."""
    waiting: WaitReason | None = None
    waiting_since: datetime | None = None
    sequence: int = 0
    """Of the row that is shown: an older one never takes the place of a newer one."""

    @property
    def month(self) -> str:
        """The month that it belongs to."""
        return month_of(self.listed_at)

    @property
    def places(self) -> frozenset[str]:
        """The lists that it stands in."""
        waits = {waiting_list(self.waiting)} if self.waiting else set()
        return frozenset({EVERY, stage_list(self.stage), *waits})

    @property
    def names(self) -> frozenset[str]:
        """The keys by which it is found: hashes, because keys carry no personal data."""
        return frozenset(name_key(name) for name in (self.user_principal_name, self.address) if name)

    def has(self, part: str) -> bool:
        """Tell whether a name contains a text, without regard to case."""
        wanted = part.casefold()
        return wanted in self.user_principal_name.casefold() or wanted in self.address.casefold()

    def is_named(self, name: str) -> bool:
        """Tell whether this is one of its names, without regard to case."""
        return name_key(name) in self.names


def line_of(record: RequestRecord) -> Line:
    """Return what lists show of a request."""
    weighty = {finding.rule: None for finding in record.findings if finding.severity in WEIGHTY}
    return Line(
        request_id=record.request_id,
        listed_at=record.listed_at or record.requested_at,
        stage=record.stage,
        requested_at=record.requested_at,
        asked_by=record.asked_by,
        dry_run=record.only_judged,
        user_id=record.user_id,
        user_principal_name=record.user_principal_name,
        address=record.invited_user_email_address,
        verdict=record.verdict,
        rules=tuple(weighty),
        waiting=record.waiting.reason if record.waiting else None,
        waiting_since=record.waiting.since if record.waiting else None,
        sequence=record.sequence,
    )


def stage_list(stage: Stage) -> str:
    """Name the list of the requests of a stage."""
    return f"stage~{stage}"


def waiting_list(reason: WaitReason) -> str:
    """Name the list of the requests that wait for a reason."""
    return f"waits~{reason}"


def month_of(when: datetime) -> str:
    """Name the month of a time."""
    return when.astimezone(UTC).isoformat()[: len("2026-11")]  # strftime writes the year 300 with three digits


def name_key(name: str) -> str:
    """Return the key of a user principal name or an address."""
    return digest(name.strip().casefold().encode())


@dataclass(frozen=True)
class Place:
    """Where a page of a list ended: behind this entry of this month's part."""

    month: str
    after: str = ""


@dataclass(frozen=True)
class Page:
    """A part of a list, and what it cost."""

    lines: tuple[Line, ...]
    next: Place | None
    """Where the next page begins. None: this page is the last."""
    calls: int = 0
    """Calls to storage."""
    read: int = 0
    """Lines that storage returned."""


@dataclass(frozen=True)
class Range:
    """A list, and the times between which its requests came."""

    name: str
    since: datetime | None = None
    until: datetime | None = None
