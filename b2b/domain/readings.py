"""What the adapters bring in: plain values that workflows decide on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class NotReadable:
    """Graph did not say. ``because``: its answer, where that is something else than a missing permission."""

    because: str = ""


@dataclass(frozen=True)
class NotThere:
    """Graph knows no such object, or this replica does not know it yet."""


@dataclass(frozen=True)
class Memberships:
    """What an account is a member of, nested groups included: groups by id in lower case, roles by name."""

    groups: frozenset[str] = frozenset()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claims:
    """What our own access token says."""

    tenant_id: str
    roles: frozenset[str]


@dataclass(frozen=True)
class Invited:
    """What we keep of an accepted invitation. The redeem link is a credential and never gets this far."""

    invitation_id: str
    status: str
    limit_used: float = 0.0
    """The part of its limit on invitations that Graph says is used; 0 where it says nothing."""


@dataclass(frozen=True)
class Reservation:
    """Which account's conversion an external address belongs to."""

    address_key: str
    user_id: str
    since: datetime
    absent_since: datetime | None = None
    """When Graph first did not know that account any more."""
    etag: str = ""


@dataclass(frozen=True)
class Entry:
    """An account or a request on a list of the sweep. ``place`` and ``etag`` are the list's own."""

    key: str
    since: datetime
    """Since when it is on the list; on a list that is ordered by time, the time at which it is due."""
    place: str = field(default="", compare=False)
    etag: str = field(default="", compare=False)


@dataclass(frozen=True)
class Cursor:
    """Where a run of the sweep stopped in a list. An empty text: the next run begins a new round."""

    after: str = ""
    since: datetime | None = None
    """When this round began."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """What this round has counted so far."""


@dataclass(frozen=True, slots=True)
class Followed:
    """One account in the index of those that are followed. ``etag`` is the index's own."""

    key: str
    since: datetime
    """When it was last claimed, or put there anew."""
    shown: bool = False
    """It waited for its person when it was last read, as Graph's list would show it."""
    put_off: bool = False
    """It stands in the schedule: it is looked at when its time comes, or when the list shows it."""
    synced: bool = False
    etag: str = field(default="", compare=False)


@dataclass(frozen=True)
class PoisonMessage:
    """A message that the host gave up on. ``receipt`` deletes it."""

    message_id: str
    body: bytes
    receipt: str


@dataclass(frozen=True)
class Poisoned:
    """What lies in the poison queue: how much, and since when the oldest that is visible."""

    depth: int
    oldest: datetime | None
