"""Plain values that the adapters return and the workflows use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class NotReadable:
    """Graph did not let the app read a fact. ``because``: Graph's answer; empty if a permission is missing."""

    because: str = ""


@dataclass(frozen=True)
class NotThere:
    """Graph has no such object, or the replica that answered does not have it yet."""


@dataclass(frozen=True)
class Memberships:
    """The groups (ids in lower case, nested ones included) and roles (names) of which an account is a member."""

    groups: frozenset[str] = frozenset()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claims:
    """The tenant and the app roles that the app's own access token names."""

    tenant_id: str
    roles: frozenset[str]


@dataclass(frozen=True)
class Invited:
    """What the app keeps of Graph's answer to an invitation. It never keeps the redeem link, which is a credential."""

    invitation_id: str
    status: str
    limit_used: float = 0.0
    """The part of its limit on invitations that Graph reports as used (1.0: all of it); 0 if Graph reports nothing."""
    request_id: str = ""
    """Graph's id of the call."""


@dataclass(frozen=True)
class Logged:
    """What the audit log says of one redemption."""

    at: datetime
    name: str
    """The name of the person who redeemed; empty if the record gives none."""


@dataclass(frozen=True)
class Reservation:
    """The account that an external address is reserved for. ``address_key`` is the hash of the address."""

    address_key: str
    user_id: str
    since: datetime
    absent_since: datetime | None = None
    """When Graph first answered that it does not have the account; None if Graph has not said so."""
    etag: str = ""


@dataclass(frozen=True)
class Entry:
    """An entry for an account or a request on a list of the sweep. Only the list uses ``place`` and ``etag``."""

    key: str
    since: datetime
    """When the entry was put on the list; on a list in order of time, when the entry is due."""
    place: str = field(default="", compare=False)
    etag: str = field(default="", compare=False)


@dataclass(frozen=True)
class Cursor:
    """Where a run of the sweep stopped in a list. If ``after`` is empty, the next run starts a new round."""

    after: str = ""
    since: datetime | None = None
    """When this round began; None between two rounds."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """What this round has counted so far."""


@dataclass(frozen=True, slots=True)
class Followed:
    """One account in the index of followed accounts. Only the index uses ``etag``."""

    key: str
    since: datetime
    """When the account was last claimed, or put into the index again."""
    shown: bool = False
    """Whether the last read of the account showed a pending invitation. Graph's list then names the account."""
    put_off: bool = False
    """Whether the account has an entry in the schedule. It is read when that entry is due, or when Graph's list names
    it."""
    synced: bool = False
    etag: str = field(default="", compare=False)


@dataclass(frozen=True)
class PoisonMessage:
    """A message that the host gave up on. ``receipt`` is needed to delete it."""

    message_id: str
    body: bytes
    receipt: str


@dataclass(frozen=True)
class Poisoned:
    """How many messages the poison queue holds, and when its oldest visible message was inserted; None if none is."""

    depth: int
    oldest: datetime | None
