"""What the workflows ask of the outside, and what they may rely on. `b2b.bootstrap` hands the adapters in.

Every call may raise `Transient` when its service does not answer; nothing was done then, unless its text says
otherwise. A retry makes sense after ``retry_after`` seconds, or a short wait.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from b2b.domain.account import Account
from b2b.domain.conversion.records import Change, Conversion
from b2b.domain.conversion.tenant_fact import TenantFact
from b2b.domain.eligibility.fact import Fact, Facts
from b2b.domain.eligibility.facts import AskedAbout
from b2b.domain.figures import Backlog, Figure
from b2b.domain.invitation import Invitation
from b2b.domain.pacing import Pace
from b2b.domain.readings import Claims, Entry, Invited, PoisonMessage, Reservation
from b2b.domain.request.record import RequestRecord

Clock = Callable[[], datetime]
"""Returns the present moment in UTC. Clocks of instances differ by up to a minute."""
NewId = Callable[[], str]
"""Makes a name that is used nowhere else."""
Row = TypeVar("Row")


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

    async def accounts(self, user_ids: Sequence[str]) -> dict[str, Account | None]:
        """Read accounts by id; None for one that Graph does not know, no entry for one that cannot be read now."""

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


class Rows(Protocol[Row]):
    """State rows of one kind, each with its history."""

    async def get(self, key: str) -> Row | None:
        """Return the row, or None.

        Raises:
            UnreadableRow: a newer version wrote it.

        """

    async def write(self, change: Change[Row]) -> Row:
        """Write a row and its events in one transaction, over the very row that the change was made from.

        Raises:
            LedgerConflict: that row is not there any more. Nothing was written.

        """


class Listing(Protocol):
    """Keys that the sweep goes through, in order."""

    async def add(self, key: str, now: datetime) -> None:
        """Put a key on the list."""

    async def remove(self, entry: Entry) -> None:
        """Take an entry off; one that was put there anew since it was read stays."""

    async def read(self, after: str, limit: int) -> list[Entry]:
        """Return the next entries."""

    async def cursor(self) -> str:
        """Return where the last sweep stopped."""

    async def move_cursor(self, after: str) -> None:
        """Remember where this sweep stopped."""


class Ledger(Protocol):
    """Table Storage."""

    @property
    def conversions(self) -> Rows[Conversion]:
        """The rows of accounts."""

    @property
    def requests(self) -> Rows[RequestRecord]:
        """The rows of requests."""

    @property
    def followed(self) -> Listing:
        """The accounts that the sweep reads."""

    @property
    def open(self) -> Listing:
        """The requests that a message sees to."""

    @property
    def pace(self) -> Rows[Pace]:
        """The row that holds all instances back."""

    async def save(self, change: Change[Conversion], *request_ids: str) -> Conversion:
        """Write an account's conversion, and make these requests members of its generation."""

    async def members(self, conversion: Conversion) -> list[str]:
        """Return the ids of the requests that belong to this generation, in the order in which they came."""

    async def tenant_fact(self) -> TenantFact:
        """Return what the tenant is known to show."""

    async def learn(self, fact: TenantFact) -> None:
        """Remember what the tenant is known to show. The last writer wins: every one has seen it."""

    async def reservation(self, address_key: str) -> Reservation | None:
        """Return which account's conversion an address belongs to."""

    async def reserve(self, reservation: Reservation) -> Reservation:
        """Write a reservation, over the one that its ETag names, or where there is none.

        Raises:
            LedgerConflict: another one is there.

        """

    async def remember_body(self, body_hash: str, request_id: str) -> None:
        """Make a request that brought no id findable by its body: a poison copy keeps nothing else."""

    async def by_body(self, body_hash: str) -> list[str]:
        """Return the ids of the requests that came with this body and without an id."""

    async def check(self) -> None:
        """Ask for both tables."""


class Queue(Protocol):
    """Queue storage."""

    async def send(self, body: bytes, delay: float = 0) -> None:
        """Put a message on the work queue, visible after ``delay`` seconds."""

    async def head(self) -> list[tuple[bytes, datetime]]:
        """Return bodies and insertion times of the messages at the head of the work queue, without taking them."""

    def poison(self, hidden_for: float) -> AsyncIterator[PoisonMessage]:
        """Give every message of the poison queue that is visible, and hide each for so many seconds."""

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
