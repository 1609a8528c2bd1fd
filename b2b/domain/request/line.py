"""What a list shows of a request, and which lists it is in. A request belongs to the month in which it was received."""

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
    """When the first request with this id was received. This time gives the request's place in every list and never
    changes."""
    stage: Stage
    requested_at: datetime
    asked_by: Actor
    dry_run: bool = False
    user_id: str = ""
    user_principal_name: str = ""
    address: str = ""
    verdict: Verdict | None = None
    rules: tuple[str, ...] = ()
    """The rules whose findings block the request, need a fix or need a person's review."""
    waiting: WaitReason | None = None
    waiting_since: datetime | None = None
    sequence: int = 0
    """The sequence of the request's row that this line shows. A line never replaces a line with a later sequence."""

    @property
    def month(self) -> str:
        """The month that the request belongs to, as yyyy-mm."""
        return month_of(self.listed_at)

    @property
    def places(self) -> frozenset[str]:
        """The names of the lists that the request is in."""
        waits = {waiting_list(self.waiting)} if self.waiting else set()
        return frozenset({EVERY, stage_list(self.stage), *waits})

    @property
    def names(self) -> frozenset[str]:
        """The keys by which a search by name finds the request: hashes, because keys carry no personal data."""
        return frozenset(name_key(name) for name in (self.user_principal_name, self.address) if name)

    def has(self, part: str) -> bool:
        """Tell whether the user principal name or the address contains a text, without regard to case."""
        wanted = part.casefold()
        return wanted in self.user_principal_name.casefold() or wanted in self.address.casefold()

    def is_named(self, name: str) -> bool:
        """Tell whether a text is the user principal name or the address, without regard to case."""
        return name_key(name) in self.names


def line_of(record: RequestRecord) -> Line:
    """Return the line that lists show for a request."""
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
    """Return the name of the list of requests in a stage."""
    return f"stage~{stage}"


def waiting_list(reason: WaitReason) -> str:
    """Return the name of the list of requests that wait for a reason."""
    return f"waits~{reason}"


def month_of(when: datetime) -> str:
    """Return the month of a time, in UTC, as yyyy-mm."""
    return when.astimezone(UTC).isoformat()[: len("2026-11")]  # not strftime, which writes the year 300 in three digits


def name_key(name: str) -> str:
    """Return the key by which a user principal name or an address is found: a hash."""
    return digest(name.strip().casefold().encode())


@dataclass(frozen=True)
class Place:
    """The position at which a page of a list begins: a month and a row key in it. An empty key is the month's start."""

    month: str
    after: str = ""


@dataclass(frozen=True)
class Page:
    """A page of a list, and what reading it cost."""

    lines: tuple[Line, ...]
    next: Place | None
    """Where the next page begins; None if this page is the last."""
    calls: int = 0
    """How many calls to storage were made."""
    read: int = 0
    """How many lines storage returned, including those that could not be read."""


@dataclass(frozen=True)
class Range:
    """The name of a list, and the times between which its requests were received; None for no limit."""

    name: str
    since: datetime | None = None
    until: datetime | None = None
