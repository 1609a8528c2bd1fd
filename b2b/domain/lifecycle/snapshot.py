"""Take a snapshot of what the directory grants an account, and compare two snapshots.

A kind that cannot be read for the first snapshot is not compared later, and the result says so.
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
"""The largest text of a snapshot. An entity of Table Storage holds 1 MiB. 2,000 groups and 500 app roles with their
names take half of this limit."""
LONGEST_NAME = 60
"""Longest stored name, in characters. Longer names are cut."""
NAMED = 5
"""How many missing or new objects a sentence names. The snapshots hold all of them."""


class Kind(StrEnum):
    """The kinds of properties and objects that are compared."""

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
    """The snapshots that a conversion keeps, by the moment at which each was taken."""

    BEFORE = "before"
    """The baseline of the comparison: taken before the invitation, or confirmed while the account was pending."""
    SEEN = "seen"
    """A snapshot of the pending account that differs from the baseline. The account may have redeemed by then."""
    AFTER = "after"
    """Taken after the redemption."""


class Reading(msgspec.Struct, frozen=True, rename="camel"):
    """The objects of one kind, or the value of a property."""

    count: int = 0
    digest: str = ""
    """Covers all objects, even if there are too many to store."""
    items: dict[str, str] | None = None
    """The names of the objects by id; a name may be empty. None if there are too many to store, or none were read."""
    unread: str = ""
    """Why the kind could not be read; empty if it was read."""


class Snapshot(msgspec.Struct, frozen=True, rename="camel"):
    """What the directory grants an account at one moment: all kinds."""

    taken_at: datetime
    kinds: dict[Kind, Reading]

    @property
    def unread(self) -> dict[Kind, str]:
        """The kinds that could not be read, and why."""
        return {kind: reading.unread for kind, reading in self.kinds.items() if reading.unread}

    def updated(self, later: "Snapshot") -> "Snapshot | None":
        """Return this snapshot with every kind for which a later snapshot has a new result; None if there is none."""
        read = {kind: reading for kind, reading in later.kinds.items() if not reading.unread}
        new = {kind: reading for kind, reading in read.items() if _other(self.kinds.get(kind), reading)}
        return Snapshot(later.taken_at, self.kinds | new) if new else None


class Difference(msgspec.Struct, frozen=True, rename="camel"):
    """How one kind differs between two snapshots.

    If there were too many objects to store, only their numbers before and after are known.
    """

    kind: Kind
    missing: dict[str, str] = {}
    new: dict[str, str] = {}
    unread: str = ""
    """Why the kind can no longer be read; empty if it can."""
    before: int = 0
    after: int = 0

    def __str__(self) -> str:
        name = label(self.kind)
        if self.unread:
            return f"{name} cannot be read any more: {self.unread}"
        changes = (("missing", self.missing), ("new", self.new))
        parts = [f"{said} {_named(things)}" for said, things in changes if things]
        return f"{name}: {'; '.join(parts) or f'{self.before} before, {self.after} now'}"


@dataclass(frozen=True)
class Row:
    """One kind: its name in sentences, and its source, which is a property of the account or a fact."""

    kind: Kind
    label: str
    of_account: Callable[[Account], Iterable[str | None]] | None = None
    select: str = ""
    """The name of the property in Graph."""
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
"""The facts that a snapshot needs besides the account itself."""


def snapshot_of(account: Account, known: Facts, at: datetime) -> Snapshot:
    """Return the snapshot of an account. ``at`` is a time before the first of the reads."""
    return _fitted(Snapshot(at, {row.kind: _reading(row, account, known) for row in KINDS}))


def with_mail(before: Snapshot, account: Account) -> Snapshot:
    """Return ``before`` with the account's present mail. A person corrected the mail, so that is no difference."""
    mail = _reading(_ROWS[Kind.MAIL], account, Facts())
    return before if mail.unread else replace(before, kinds=before.kinds | {Kind.MAIL: mail})


def compare(before: Snapshot, after: Snapshot) -> tuple[Difference, ...]:
    """Return the differences, in the order of `KINDS`. A kind that could not be read before is not compared."""
    found = (_difference(row.kind, before.kinds.get(row.kind), after.kinds.get(row.kind)) for row in KINDS)
    return tuple(difference for difference in found if difference is not None)


def sentence(differences: Iterable[Difference]) -> str:
    """Describe the differences in one line."""
    return "; ".join(map(str, differences))


def label(kind: Kind) -> str:
    """Return the name of a kind for use in sentences."""
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
    """Shorten a snapshot to `MOST_BYTES`: remove names, then items; of the largest kinds first."""
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
    """List up to `NAMED` objects, each by its name if it has one, and the number of the others."""
    shown = [f"{name} ({key})" if name else key for key, name in list(things.items())[:NAMED]]
    more = len(things) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
