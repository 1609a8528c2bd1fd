"""What the workflows ask of the outside. The adapters fit these; `b2b.bootstrap` hands them in.

What each call means, raises and guarantees stands at the adapter that does it.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from b2b.domain.account import Account
from b2b.domain.conversion import Change, Conversion, RequestRecord
from b2b.domain.facts import Fact
from b2b.domain.figures import Backlog, Figure
from b2b.domain.invitation import Invitation
from b2b.domain.pacing import Pace
from b2b.domain.readings import Claims, Due, Invited, PoisonMessage, Reservation

Clock = Callable[[], datetime]
"""Returns the present moment, with its zone (UTC)."""
NewId = Callable[[], str]
"""Makes a name that nobody else has."""
Row = TypeVar("Row")


class Identity(Protocol):
    """`b2b.adapters.identity.Identity`."""

    async def claims(self) -> Claims:
        """Return tenant and app roles of the Graph token."""


class Directory(Protocol):
    """`b2b.adapters.directory.Directory`."""

    async def read(self, questions: Mapping[Fact, Any]) -> dict[Fact, Any]:
        """Answer all questions in as few round trips as possible."""

    async def accounts(self, user_ids: Sequence[str]) -> dict[str, Account | None]:
        """Read many accounts by id."""

    async def check(self) -> None:
        """Ask for one account."""


class Invitations(Protocol):
    """`b2b.adapters.graph.Graph`."""

    async def invite(self, invitation: Invitation) -> Invited:
        """Send one invitation, once."""


class Rows(Protocol[Row]):
    """`b2b.adapters.tables.Rows`."""

    async def get(self, key: str) -> Row | None:
        """Return the record, or None."""

    async def write(self, change: Change[Row]) -> Row:
        """Write a record and its events in one transaction."""


class Listing(Protocol):
    """`b2b.adapters.tables.Listing`."""

    async def add(self, key: str, now: datetime) -> None:
        """Put a key on the list."""

    async def remove(self, entry: Due) -> None:
        """Take an entry off the list as it was read."""

    async def read(self, after: str, limit: int) -> list[Due]:
        """Return the next entries."""

    async def cursor(self) -> str:
        """Return where the last sweep stopped."""

    async def move_cursor(self, after: str) -> None:
        """Remember where this sweep stopped."""


class Ledger(Protocol):
    """`b2b.adapters.ledger.Ledger`."""

    @property
    def conversions(self) -> Rows[Conversion]:
        """The state rows of accounts."""

    @property
    def requests(self) -> Rows[RequestRecord]:
        """The rows of requests."""

    @property
    def due(self) -> Listing:
        """The accounts that are followed."""

    @property
    def open(self) -> Listing:
        """The requests that are not at rest."""

    @property
    def pace(self) -> Rows[Pace]:
        """The one row that holds everybody back."""

    async def save(self, change: Change[Conversion], *request_ids: str) -> Conversion:
        """Write an account's conversion, together with the requests that belong to it from now on."""

    async def members(self, conversion: Conversion) -> list[str]:
        """Return the ids of the requests that belong to this conversion."""

    async def reservation(self, address_key: str) -> Reservation | None:
        """Return who reserved an address."""

    async def reserve(self, address_key: str, user_id: str, over: Reservation | None, now: datetime) -> None:
        """Reserve an address for an account."""

    async def remember_body(self, body_hash: str, request_id: str) -> None:
        """Make a request findable by its body."""

    async def by_body(self, body_hash: str) -> list[str]:
        """Return the ids of the requests that came with this body and without an id."""

    async def check(self) -> None:
        """Ask for both tables."""


class Queue(Protocol):
    """`b2b.adapters.queue.Queue`."""

    async def send(self, body: bytes, delay: float = 0) -> None:
        """Put a request on the queue."""

    def poison(self, hidden_for: float) -> AsyncIterator[PoisonMessage]:
        """Give every message of the poison queue."""

    async def remove_poison(self, message: PoisonMessage) -> None:
        """Delete a poison message."""

    async def check(self) -> None:
        """Ask for both queues."""

    async def backlog(self) -> Backlog:
        """Tell what waits, and since when."""


class Meter(Protocol):
    """`b2b.adapters.telemetry.Telemetry`."""

    def add(self, figures: Iterable[Figure]) -> None:
        """Count or measure."""

    async def flush(self) -> None:
        """Send what there is."""
