"""What the workflows ask of the outside, and what they may rely on. `b2b.bootstrap` hands the adapters in.

Every call may raise `Transient` when its service does not answer; nothing was done then, unless its text says
otherwise. A retry makes sense after ``retry_after`` seconds, or a short wait.
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
"""Returns the present moment in UTC. Clocks of instances differ by up to a minute."""
Monotonic = Callable[[], float]
"""Returns the seconds of a monotonic clock: setting the time does not move it, and only differences mean something."""
NewId = Callable[[], str]
"""Makes a name that is used nowhere else."""


class Identity(Protocol):
    """The managed identity."""

    async def claims(self) -> Claims:
        """Return tenant and app roles of the Graph token."""


class Directory(Protocol):
    """Microsoft Graph, for reading. A read may lag behind a write by the replication window."""

    async def read(self, questions: Mapping[Fact[Any], AskedAbout]) -> Facts:
        """Answer all questions in as few round trips as possible.

        Raises:
            AccessDenied: accounts cannot be read at all.

        """

    async def granted(self, user_id: str, wanted: Iterable[Fact[Any]]) -> Facts:
        """Read an account by its id with facts about it; the trouble of one fact is not that of the others.

        Raises:
            AccessDenied: accounts cannot be read at all.

        """

    async def accounts(self, user_ids: Sequence[str]) -> dict[str, Account | None]:
        """Read accounts by id; None for one that Graph does not know, no entry for one that cannot be read now."""

    def pending(self) -> AsyncIterator[list[str]]:
        """Give the ids of all accounts that wait for their person, page by page; `Transient`: the list broke off."""

    async def deleted(self, user_ids: Sequence[str]) -> frozenset[str]:
        """Return those of these accounts that lie in the recycle bin."""

    async def check(self) -> None:
        """Ask for one account."""


class Invitations(Protocol):
    """Microsoft Graph, for inviting."""

    async def invite(self, invitation: Invitation, not_after: datetime) -> Invited:
        """Send one invitation, once; not if its first byte would leave later than ``not_after``.

        Raises:
            Transient: it was certainly not sent.
            InvitationRefused: Graph refused it.
            OutcomeUnknown: it may have been sent.

        """


class Requests(Rows[RequestRecord], Protocol):
    """The rows of requests; what happens to one shows in the lists, and in its campaign."""

    async def write(self, change: Change[RequestRecord], *, listed: bool = True) -> RequestRecord:
        """Write a row as above, then its lines in the lists.

        ``listed``: False for a request whose work begins at once: its first wait, or its end, brings it into the lists.
        """

    async def show(self, record: RequestRecord) -> None:
        """Let lists and campaign show a request as it is now, unless they show a later state. Repeating it is safe."""

    def shows(self, record: RequestRecord) -> bool:
        """Tell whether the lists show this state of a request, and this process was the last to write them."""


class Rounds(Protocol):
    """Where the runs stop on their way through a list."""

    async def cursor(self) -> Cursor:
        """Return where the last run stopped."""

    async def move_cursor(self, cursor: Cursor) -> None:
        """Remember where this run stopped."""


class Listing(Rounds, Protocol):
    """Keys that the sweep goes through, in order of their names or of a time."""

    async def add(self, key: str, at: datetime) -> Entry:
        """Put a key on the list."""

    async def add_all(self, entries: Iterable[tuple[str, datetime]]) -> None:
        """Put several keys on the list."""

    async def remove(self, *entries: Entry) -> None:
        """Take entries off; one that was put there anew since it was read stays."""

    async def read(self, after: str, limit: int, until: datetime | None = None) -> list[Entry]:
        """Return the next entries; on a list by time, those that are due before ``until``."""


class FollowedIndex(Rounds, Protocol):
    """The accounts that are followed."""

    async def follow(self, user_id: str, now: datetime, *, synced: bool) -> None:
        """Put an account there, or anew: nothing is known of what the directory shows of it."""

    async def get(self, user_id: str) -> Followed | None:
        """Return an account's entry, or None."""

    def scan(self, after: str) -> AsyncIterator[Followed]:
        """Give the entries behind a key, in order."""

    async def mark(self, entries: Sequence[Followed]) -> None:
        """Write what is known of accounts now; one that was put there anew since it was read stays as it is."""

    async def drop(self, entries: Sequence[Followed]) -> None:
        """Follow accounts no longer; one that was put there anew since it was read stays."""


class RequestLists(Protocol):
    """What shows where requests stand, without going through all of them."""

    async def show(self, line: Line) -> None:
        """Let the lists show a request as it is now, unless they show a later state. Doing so again changes nothing."""

    def shows(self, line: Line) -> bool:
        """Tell whether this process wrote a request's lines last, and in the same places."""

    async def page(self, wanted: Range, after: Place | None, limit: int, stage: Stage | None = None) -> Page:
        """Return lines of a list, oldest first, with a bounded number of calls to storage; it may be a short page."""

    async def named(self, name_key: str, limit: int, after: str = "") -> list[str]:
        """Return up to ``limit`` ids of requests that had this name at some time, in order, behind an id."""


class Instances(Protocol):
    """The inviting instances; each has one row."""

    async def renew(self, name: str) -> list[float]:
        """Write the row of this instance; then return how many seconds older the row of each other one is."""


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
        """The runs that may not have seen to every member yet."""

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
        """What is due at a time, by that time."""

    @property
    def comparisons(self) -> Listing:
        """The accounts whose access is to be read again, by the time at which it is."""

    @property
    def untold(self) -> Listing:
        """The accounts whose requests may not show yet what has become of their conversion."""

    @property
    def open(self) -> Listing:
        """The requests that a message sees to, by the time at which they came."""

    @property
    def rested(self) -> Listing:
        """The requests that no message sees to any more, by the time at which repair found that."""

    @property
    def pace(self) -> Rows[Pace]:
        """The row that holds all instances back."""

    @property
    def instances(self) -> Instances:
        """The rows of the instances that invite."""

    async def save(
        self, change: Change[Conversion], *request_ids: str, kept: Mapping[Moment, Snapshot] | None = None
    ) -> Conversion:
        """Write an account's conversion, make these requests members of its generation, and keep snapshots with it."""

    async def snapshot(self, user_id: str, generation: int, moment: Moment) -> Snapshot | None:
        """Return what a generation of an account's conversion kept of a moment, or None.

        Raises:
            UnreadableRow: a newer version wrote it.

        """

    async def members(self, conversion: Conversion) -> list[str]:
        """Return the ids of the requests that belong to this generation, in the order in which they came."""

    async def tenant_fact(self) -> TenantFact:
        """Return what the tenant is known to show."""

    async def learn(self, fact: TenantFact) -> None:
        """Remember what the tenant is known to show. The last writer wins: every one has seen it."""

    async def reservation(self, address_key: str) -> Reservation | None:
        """Return the reservation of an address, which names the account it is reserved for. None: it is free."""

    async def reserve(self, reservation: Reservation) -> Reservation:
        """Write a reservation. With an ETag it replaces that one; without, the address must have none.

        Raises:
            LedgerConflict: the address has another reservation by now.

        """

    async def remember_body(self, body_hash: str, request_id: str) -> None:
        """Make a request that brought no id findable by its body: a poison copy keeps nothing else."""

    async def by_body(self, body_hash: str) -> list[str]:
        """Return the ids of the requests that came with this body and without an id."""

    async def report(self, report: SweepReport, now: datetime) -> None:
        """Keep what the parts of a sweep did and counted, in place of what was kept before."""

    async def reported(self) -> Reported:
        """Return what is kept of the sweeps."""

    async def purge(self, record: RequestRecord) -> None:
        """Delete a request with its history, the row last.

        Raises:
            LedgerConflict: the row is not the one that was read.

        """

    async def purge_pauses(self, before: datetime) -> None:
        """Delete what the breaker's history says of the time before."""

    async def check(self) -> None:
        """Ask for both tables."""


class Queue(Protocol):
    """Queue storage."""

    async def send(self, body: bytes, delay: float = 0) -> None:
        """Put a message on the work queue, visible after ``delay`` seconds."""

    async def head(self) -> list[tuple[bytes, datetime]]:
        """Return bodies and insertion times of the messages at the head of the work queue, without taking them."""

    def poison(self, hidden_for: float, limit: int) -> AsyncIterator[PoisonMessage]:
        """Give up to ``limit`` messages of the poison queue that are visible, and hide each for so many seconds."""

    async def poisoned(self) -> Poisoned:
        """Tell what lies in the poison queue."""

    async def remove_poison(self, message: PoisonMessage) -> None:
        """Delete a poison message."""

    async def check(self) -> None:
        """Ask for both queues."""

    async def backlog(self) -> Backlog:
        """Measure what waits, and since when."""


class Meter(Protocol):
    """Where figures go."""

    def add(self, figures: Iterable[Figure]) -> None:
        """Count or measure."""

    async def flush(self) -> None:
        """Send what there is."""
