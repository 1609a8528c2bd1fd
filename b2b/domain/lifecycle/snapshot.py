"""What the directory grants an account, as it was read at one moment, and how two such readings differ.

What cannot be read when the snapshot is taken is not compared later, and whoever looks at the result is told so.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from b2b.domain.account import Account
from b2b.domain.eligibility import facts
from b2b.domain.eligibility.fact import Fact, Facts
from b2b.domain.hashing import digest

MOST_BYTES = 400_000
"""So much text a snapshot keeps at most: an entity of Table Storage holds 1 MiB. 2,000 groups and 500 app roles, all
with names, take half of it."""
LONGEST_NAME = 60
NAMED = 5
"""So many of the things that are missing or new a sentence names; the snapshots hold all."""


class Kind(StrEnum):
    """The kinds of things that are compared."""

    NAME = "userPrincipalName"
    TYPE = "userType"
    MAIL = "mail"
    GROUPS = "groups"
    APP_ROLES = "appRoles"
    DIRECTORY_ROLES = "directoryRoles"
    LICENCES = "licences"
    MANAGER = "manager"
    SPONSORS = "sponsors"
    OWNED_OBJECTS = "ownedObjects"
    REGISTERED_DEVICES = "registeredDevices"


class Moment(StrEnum):
    """The moments of which a conversion keeps a snapshot."""

    BEFORE = "before"
    """Before the invitation, or as the person waited: what is compared with."""
    SEEN = "seen"
    """While the person waits: differs from what was there before, and may have been read after the redemption."""
    AFTER = "after"
    """After the redemption."""


class Reading(msgspec.Struct, frozen=True, rename="camel"):
    """What was read of one kind. The digest covers all of it, also where there is too much to keep."""

    count: int = 0
    digest: str = ""
    items: dict[str, str] | None = None
    """What there is, by id, with a name where Graph gave one; None: too much to keep, or not read."""
    unread: str = ""
    """Why it could not be read; empty: it was."""


class Snapshot(msgspec.Struct, frozen=True, rename="camel"):
    """All kinds, read at one moment."""

    taken_at: datetime
    kinds: dict[Kind, Reading]

    @property
    def unread(self) -> dict[Kind, str]:
        """The kinds that could not be read, and why."""
        return {kind: reading.unread for kind, reading in self.kinds.items() if reading.unread}

    def updated(self, later: "Snapshot") -> "Snapshot | None":
        """Return this snapshot with what a later one read otherwise, or for the first time; None: nothing."""
        read = {kind: reading for kind, reading in later.kinds.items() if not reading.unread}
        new = {kind: reading for kind, reading in read.items() if _other(self.kinds.get(kind), reading)}
        return Snapshot(later.taken_at, self.kinds | new) if new else None


class Difference(msgspec.Struct, frozen=True, rename="camel"):
    """How one kind differs from what was there before."""

    kind: Kind
    missing: dict[str, str] = {}
    new: dict[str, str] = {}
    unread: str = ""
    """It cannot be read any more, and why."""
    before: int = 0
    after: int = 0
    """How many there were, and are; all that is known where they were too many to keep."""

    def __str__(self) -> str:
        name = label(self.kind)
        if self.unread:
            return f"{name} cannot be read any more: {self.unread}"
        changes = (("missing", self.missing), ("new", self.new))
        parts = [f"{said} {_named(things)}" for said, things in changes if things]
        return f"{name}: {'; '.join(parts) or f'{self.before} before, {self.after} now'}"


@dataclass(frozen=True)
class Row:
    """One kind: how sentences call it, and where it is read: from a property of the account, or from a fact."""

    kind: Kind
    label: str
    of_account: Callable[[Account], Iterable[str | None]] | None = None
    select: str = ""
    """The property of the account, as Graph calls it."""
    fact: Fact[Any] | None = None


KINDS: tuple[Row, ...] = (
    Row(Kind.NAME, "user principal name", lambda account: (account.user_principal_name,), "userPrincipalName"),
    Row(Kind.TYPE, "user type", lambda account: (account.user_type,), "userType"),
    Row(Kind.MAIL, "mail", lambda account: (account.mail,), "mail"),
    Row(Kind.GROUPS, "groups", fact=facts.DIRECT_GROUPS),
    Row(Kind.APP_ROLES, "app roles", fact=facts.APP_ROLES),
    Row(Kind.DIRECTORY_ROLES, "directory roles", fact=facts.ROLE_ASSIGNMENTS),
    Row(Kind.LICENCES, "licences", lambda account: account.licences, "licenseAssignmentStates"),
    Row(Kind.MANAGER, "manager", fact=facts.MANAGER),
    Row(Kind.SPONSORS, "sponsors", fact=facts.SPONSORS),
    Row(Kind.OWNED_OBJECTS, "owned objects", fact=facts.OWNED_OBJECTS),
    Row(Kind.REGISTERED_DEVICES, "registered devices", fact=facts.REGISTERED_DEVICES),
)
_ROWS = {row.kind: row for row in KINDS}
FACTS: frozenset[Fact[Any]] = frozenset(row.fact for row in KINDS if row.fact is not None)
"""What Graph is asked for a snapshot, beside the account itself."""


def snapshot_of(account: Account, known: Facts, at: datetime) -> Snapshot:
    """Return what was read of an account. ``at`` is a moment before the first of the reads."""
    return _fitted(Snapshot(at, {row.kind: _reading(row, account, known) for row in KINDS}))


def with_mail(before: Snapshot, account: Account) -> Snapshot:
    """Return a snapshot with the mail of now: a person has corrected it, and that is no loss."""
    mail = _reading(_ROWS[Kind.MAIL], account, Facts())
    return before if mail.unread else replace(before, kinds=before.kinds | {Kind.MAIL: mail})


def compare(before: Snapshot, after: Snapshot) -> tuple[Difference, ...]:
    """Return how the kinds differ that could be read before, in the order of the table."""
    found = (_difference(row.kind, before.kinds.get(row.kind), after.kinds.get(row.kind)) for row in KINDS)
    return tuple(difference for difference in found if difference is not None)


def sentence(differences: Iterable[Difference]) -> str:
    """Say in a line what differs."""
    return "; ".join(map(str, differences))


def label(kind: Kind) -> str:
    """How sentences call a kind."""
    return _ROWS[kind].label


def _other(before: Reading | None, after: Reading) -> bool:
    return before is None or bool(before.unread) or before.digest != after.digest


def _difference(kind: Kind, before: Reading | None, after: Reading | None) -> Difference | None:
    if before is None or before.unread:
        return None
    if after is None or after.unread:
        return Difference(kind, unread=after.unread if after else "it was not asked for", before=before.count)
    if before.digest == after.digest:
        return None
    if before.items is None or after.items is None:
        return Difference(kind, before=before.count, after=after.count)
    missing = {key: name for key, name in before.items.items() if key not in after.items}
    new = {key: name for key, name in after.items.items() if key not in before.items}
    return Difference(kind, missing, new, before=before.count, after=after.count)


def _reading(row: Row, account: Account, known: Facts) -> Reading:
    if row.of_account is not None:
        if row.select in account.withheld:
            return Reading(unread=f"Graph leaves {row.select} out")
        return _read({value.strip(): "" for value in row.of_account(account) if value})
    fact = row.fact
    if fact is None or fact not in known:
        return Reading(unread="it was not asked for")
    if (why := known.unreadable.get(fact)) is not None:
        return Reading(unread=why.because or f"the permission {fact.permission} is missing")
    if known.absent(fact) and not fact.optional:
        return Reading(unread="Graph does not find it")
    value: Mapping[str, str] | Iterable[str] = known[fact]
    return _read(dict(value) if isinstance(value, Mapping) else dict.fromkeys(map(str.lower, value), ""))


def _read(items: dict[str, str]) -> Reading:
    ordered = {key: items[key][:LONGEST_NAME] for key in sorted(items)}
    return Reading(len(ordered), digest("\n".join(ordered).encode()), ordered)


def _fitted(snapshot: Snapshot) -> Snapshot:
    """Keep as much as fits: of the greatest kinds first no names, then nothing but count and digest."""
    kinds = snapshot.kinds
    for shorten in (_without_names, _without_items):
        for kind in sorted(kinds, key=lambda each: _size(kinds[each]), reverse=True):
            if sum(map(_size, kinds.values())) <= MOST_BYTES:
                return replace(snapshot, kinds=kinds)
            kinds = kinds | {kind: shorten(kinds[kind])}
    return replace(snapshot, kinds=kinds)


def _without_names(reading: Reading) -> Reading:
    return replace(reading, items=reading.items and dict.fromkeys(reading.items, ""))


def _without_items(reading: Reading) -> Reading:
    return replace(reading, items=None)


def _size(reading: Reading) -> int:
    return sum(len(key.encode()) + len(name.encode()) + len('"":"",') for key, name in (reading.items or {}).items())


def _named(things: Mapping[str, str]) -> str:
    """Name some things, by name where there is one."""
    shown = [f"{name} ({key})" if name else key for key, name in list(things.items())[:NAMED]]
    more = len(things) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
