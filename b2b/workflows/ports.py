"""The interfaces through which workflows use services, and what each guarantees. `b2b.bootstrap` passes the adapters.

Every call may raise `Transient` if its service does not answer. In that case nothing was done, unless the call's
docstring says otherwise. A retry makes sense after the error's ``retry_after`` seconds, or after a short wait.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from b2b.domain.account import Account
from b2b.domain.conversion.records import Change, Conversion
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.tenant_fact import TenantFact
from b2b.domain.eligibility.fact import Fact, Facts
from b2b.domain.eligibility.facts import AskedAbout
from b2b.domain.figures import Backlog, Figure
from b2b.domain.invitation import Invitation
from b2b.domain.lifecycle.snapshot import Moment, Snapshot
from b2b.domain.pacing import Pace
from b2b.domain.readings import Claims, Cursor, Entry, Followed, Invited, Poisoned, PoisonMessage, Reservation
from b2b.domain.request.line import Line, Page, Place, Range
from b2b.domain.request.record import RequestRecord
from b2b.domain.sweep import Reported, SweepReport
from b2b.workflows.campaigns.ports import CampaignRuns, Campaigns
from b2b.workflows.rows import Rows

Clock = Callable[[], datetime]
"""Returns the current time in UTC. The clocks of instances differ by up to a minute."""
Monotonic = Callable[[], float]
"""Returns the seconds of a monotonic clock, which does not follow changes of the system time."""
NewId = Callable[[], str]
"""Creates a unique id."""


class Identity(Protocol):
    """The managed identity."""

    async def claims(self) -> Claims:
        """Return the tenant and the app roles of the Graph token."""


class Directory(Protocol):
    """Microsoft Graph, for reading. A read may lag behind a write by the replication window."""

    async def read(self, questions: Mapping[Fact[Any], AskedAbout]) -> Facts:
        """Answer all questions in as few round trips as possible.

        Raises:
            AccessDenied: the app may not read accounts.

        """

    async def granted(self, user_id: str, wanted: Iterable[Fact[Any]]) -> Facts:
        """Read an account by its id, with facts about it. If one fact cannot be read, the others are still returned.

        Raises:
            AccessDenied: the app may not read accounts.

        """

    async def accounts(self, user_ids: Sequence[str]) -> dict[str, Account | None]:
        """Read accounts by id. The value is None if Graph has no such account. An unreadable account has no entry."""

    def pending(self) -> AsyncIterator[list[str]]:
        """Yield the ids of all pending accounts, page by page. `Transient` means that the list is incomplete."""

    async def deleted(self, user_ids: Sequence[str]) -> frozenset[str]:
        """Return those of the given accounts that are in the recycle bin."""

    async def check(self) -> None:
        """Read one account, for the health check."""


class Invitations(Protocol):
    """Microsoft Graph, for inviting."""

    async def invite(self, invitation: Invitation, not_after: datetime) -> Invited:
        """Send one invitation, once. Send nothing if the first byte would leave after ``not_after``.

        Raises:
            Transient: the invitation was certainly not sent.
            InvitationRefused: Graph refused the invitation.
            OutcomeUnknown: the invitation may have been sent.

        """


class Requests(Rows[RequestRecord], Protocol):
    """The rows of requests. Their lines in the lists and in campaigns are kept up to date."""

    async def write(self, change: Change[RequestRecord], *, listed: bool = True) -> RequestRecord:
        """Write a row as `Rows.write` does, and then its lines in the lists.

        ``listed``: False for a request that is processed at once. Its first wait or its end adds it to the lists.
        """

    async def show(self, record: RequestRecord) -> None:
        """Update a request's lines in the lists and its campaign, unless they show a later state. Safe to repeat."""

    def shows(self, record: RequestRecord) -> bool:
        """Tell whether the lists show this state of a request, and this process was the last to write its lines."""


class Rounds(Protocol):
    """The cursor of a list that runs go through in parts."""

    async def cursor(self) -> Cursor:
        """Return where the last run stopped."""

    async def move_cursor(self, cursor: Cursor) -> None:
        """Store where this run stopped."""


class Listing(Rounds, Protocol):
    """A list of keys that the sweep goes through, ordered by name or by time."""

    async def add(self, key: str, at: datetime) -> Entry:
        """Put a key on the list."""

    async def add_all(self, entries: Iterable[tuple[str, datetime]]) -> None:
        """Put several keys on the list."""

    async def remove(self, *entries: Entry) -> None:
        """Remove entries. An entry that was added again since it was read stays."""

    async def read(self, after: str, limit: int, until: datetime | None = None) -> list[Entry]:
        """Return up to ``limit`` entries after a key; from a list by time, only those due before ``until``."""


class FollowedIndex(Rounds, Protocol):
    """The index of the accounts that the sweep follows."""

    async def follow(self, user_id: str, now: datetime, *, synced: bool) -> None:
        """Add an account, or replace its entry. The new entry knows nothing about what the account shows."""

    async def get(self, user_id: str) -> Followed | None:
        """Return an account's entry, or None."""

    def scan(self, after: str) -> AsyncIterator[Followed]:
        """Yield the entries after a key, in order."""

    async def mark(self, entries: Sequence[Followed]) -> None:
        """Update entries. An entry that was replaced since it was read stays as it is."""

    async def drop(self, entries: Sequence[Followed]) -> None:
        """Remove entries. An entry that was replaced since it was read stays."""


class RequestLists(Protocol):
    """The lists that show requests by stage and other properties, without a scan of all requests."""

    async def show(self, line: Line) -> None:
        """Update a request's lines, unless they show a later state. Safe to repeat."""

    def shows(self, line: Line) -> bool:
        """Tell whether this process was the last to write a request's lines, and at the same places."""

    async def page(self, wanted: Range, after: Place | None, limit: int, stage: Stage | None = None) -> Page:
        """Return a page of a list, oldest first. The number of storage calls is bounded, so the page may be short."""

    async def named(self, name_key: str, limit: int, after: str = "") -> list[str]:
        """Return up to ``limit`` ids of requests that had this name at some time, in order, after an id."""


class Instances(Protocol):
    """The instances that send invitations. Each has one row."""

    async def renew(self, name: str) -> list[float]:
        """Write this instance's row. Return how many seconds older the row of each other instance is."""


class Ledger(Protocol):
    """Table Storage."""

    @property
    def lists(self) -> RequestLists:
        """The lists of requests."""

    @property
    def campaigns(self) -> Campaigns:
        """Campaigns and their members."""

    @property
    def runs(self) -> CampaignRuns:
        """Runs over the members of campaigns."""

    @property
    def working(self) -> Listing:
        """The runs that may not have processed all members yet."""

    @property
    def conversions(self) -> Rows[Conversion]:
        """The rows of accounts."""

    @property
    def requests(self) -> Requests:
        """The rows of requests."""

    @property
    def followed(self) -> FollowedIndex:
        """The accounts that the sweep follows."""

    @property
    def schedule(self) -> Listing:
        """The entries that are due at a time, by that time."""

    @property
    def comparisons(self) -> Listing:
        """The accounts whose access has to be read, by the time at which that is due."""

    @property
    def untold(self) -> Listing:
        """The accounts whose requests may not show the state of their conversion yet."""

    @property
    def open(self) -> Listing:
        """The requests that messages process, by the time at which they were added."""

    @property
    def rested(self) -> Listing:
        """The requests that no message processes any more, by the time at which repair found that."""

    @property
    def pace(self) -> Rows[Pace]:
        """The row with the pace that all instances share."""

    @property
    def instances(self) -> Instances:
        """The rows of the instances that invite."""

    async def save(
        self, change: Change[Conversion], *request_ids: str, kept: Mapping[Moment, Snapshot] | None = None
    ) -> Conversion:
        """Write an account's conversion, add these requests to its generation, and store snapshots, all at once."""

    async def snapshot(self, user_id: str, generation: int, moment: Moment) -> Snapshot | None:
        """Return the snapshot that a generation of an account's conversion has for a moment, or None.

        Raises:
            UnreadableRow: a newer version of the app wrote the snapshot.

        """

    async def members(self, conversion: Conversion) -> list[str]:
        """Return the ids of the requests of this generation, in alphabetical order."""

    async def tenant_fact(self) -> TenantFact:
        """Return the tenant fact: whether accounts show that they are invited."""

    async def learn(self, fact: TenantFact) -> None:
        """Store the tenant fact. The last writer wins, because each writer has learned the fact from Graph."""

    async def reservation(self, address_key: str) -> Reservation | None:
        """Return the reservation of an address, which names its account; None if the address is not reserved."""

    async def reserve(self, reservation: Reservation) -> Reservation:
        """Write a reservation: with an ETag in place of the one that was read, and without an ETag as the first one.

        Raises:
            LedgerConflict: the address now has another reservation. Read that one and decide again.

        """

    async def remember_body(self, body_hash: str, request_id: str) -> None:
        """Store the hash of the body of a request without an id, because a poison copy contains only the body."""

    async def by_body(self, body_hash: str) -> list[str]:
        """Return the ids that the app gave to requests with this body and without an id."""

    async def report(self, report: SweepReport, now: datetime) -> None:
        """Store the report of a sweep, in place of the previous one."""

    async def reported(self) -> Reported:
        """Return the stored reports of the sweep."""

    async def purge(self, record: RequestRecord) -> None:
        """Delete a request and its history. The row is deleted last.

        Raises:
            LedgerConflict: the row has changed since it was read; read it again.

        """

    async def purge_pauses(self, before: datetime) -> None:
        """Delete the breaker's history from before a time."""

    async def check(self) -> None:
        """Read from the tables, for the health check."""


class Queue(Protocol):
    """Queue storage."""

    async def send(self, body: bytes, delay: float = 0) -> None:
        """Put a message on the work queue, visible after ``delay`` seconds."""

    async def head(self) -> list[tuple[bytes, datetime]]:
        """Return the bodies and insertion times of the first messages of the work queue, without dequeuing them."""

    def poison(self, hidden_for: float, limit: int) -> AsyncIterator[PoisonMessage]:
        """Yield up to ``limit`` visible messages of the poison queue. Each is hidden for ``hidden_for`` seconds."""

    async def poisoned(self) -> Poisoned:
        """Return how many messages the poison queue holds, and when the oldest visible one was inserted."""

    async def remove_poison(self, message: PoisonMessage) -> None:
        """Delete a poison message."""

    async def check(self) -> None:
        """Read from both queues, for the health check."""

    async def backlog(self) -> Backlog:
        """Return how many messages each queue holds, and when the oldest visible request was inserted."""


class Meter(Protocol):
    """Records metrics."""

    def add(self, figures: Iterable[Figure]) -> None:
        """Record metrics."""

    async def flush(self) -> None:
        """Send the recorded metrics."""
