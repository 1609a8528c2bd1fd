"""What the adapters bring in: plain values that workflows decide on."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class NotReadable:
    """Graph refused to say: a permission is missing."""


@dataclass(frozen=True)
class NotThere:
    """Graph knows no such object, or this replica does not know it yet."""


@dataclass(frozen=True)
class Memberships:
    """What an account is a member of, nested groups included; ids in lower case."""

    groups: frozenset[str] = frozenset()
    roles: tuple[str, ...] = ()
    role_assignable_groups: tuple[str, ...] = ()
    details_readable: bool = True
    """False: Graph gave only ids, so that nobody can tell which group is role-assignable."""


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


@dataclass(frozen=True)
class Reservation:
    """Which account's conversion an external address belongs to."""

    user_id: str
    since: datetime
    etag: str


@dataclass(frozen=True)
class Due:
    """An account or a request that the sweep looks at, and since when. ``etag`` is the list's own."""

    key: str
    since: datetime
    etag: str = field(default="", compare=False)


@dataclass(frozen=True)
class PoisonMessage:
    """A message that the host gave up on. ``receipt`` deletes it."""

    message_id: str
    body: bytes
    receipt: str
