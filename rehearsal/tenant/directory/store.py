"""The directory: its objects, their relations, and a log of every change.

The log keeps the values before and after each write, so that the state at an earlier time (for a lagging replica or a
delta link) can be made from it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Self

from rehearsal.tenant.clock import Clock, timestamp
from rehearsal.tenant.directory.addresses import ADDRESS_PROPERTIES, AddressIndex

JSON = dict[str, Any]

RECYCLE_BIN = timedelta(days=30)
"""How long a deleted user can be restored (recover-from-deletions article)."""
RELATIONS = ("parents", "app_role_assignments", "sponsors", "managers", "owned_objects", "registered_devices")
"""The fields of a directory that hold what users are related to. `relate` writes them and logs the change."""
RELATE = "relate"
"""The kind of a change to a relation that changes no property."""


@dataclass(frozen=True, slots=True)
class Change:
    """One write: its kind (`add`, `update`, `delete`, `restore`, `purge`, `relate`), and the object that it changed.

    `moment` is the tenant's time in seconds, with fractions; `time` is cut to whole seconds.
    """

    number: int
    time: str
    moment: float
    kind: str
    id: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(slots=True)
class Directory:
    """All objects by id. Only the methods write users, so that log and index stay complete.

    A write replaces the user object by a new one, so a reference to the old object keeps the old state. In a view of
    the past, `unsettled` are the users whose addresses may differ from the index.
    """

    clock: Clock
    users: dict[str, JSON] = field(default_factory=dict)
    deleted_users: dict[str, JSON] = field(default_factory=dict)
    groups: dict[str, JSON] = field(default_factory=dict)
    roles: dict[str, JSON] = field(default_factory=dict)
    contacts: dict[str, JSON] = field(default_factory=dict)
    parents: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    role_assignments: list[JSON] = field(default_factory=list)
    role_eligibilities: list[JSON] = field(default_factory=list)
    app_role_assignments: dict[str, list[JSON]] = field(default_factory=dict)
    sponsors: dict[str, list[str]] = field(default_factory=dict)
    managers: dict[str, str] = field(default_factory=dict)
    owned_objects: dict[str, list[JSON]] = field(default_factory=dict)
    registered_devices: dict[str, list[JSON]] = field(default_factory=dict)
    log: list[Change] = field(default_factory=list)
    index: AddressIndex = field(default_factory=AddressIndex)
    unsettled: frozenset[str] = frozenset()

    def fork(self) -> Self:
        """Return a directory with the same content. Writes to its users do not change this one."""
        return replace(
            self,
            users=dict(self.users),
            deleted_users=dict(self.deleted_users),
            log=list(self.log),
            index=self.index.copy(),
            **self.relations(),
        )

    def relations(self) -> JSON:
        """Return copies of all relations, by field name."""
        return {name: copy(getattr(self, name)) for name in RELATIONS}

    def user(self, identifier: str) -> JSON | None:
        """Return the user with this object id or userPrincipalName; None if there is none outside the recycle bin."""
        wanted = identifier.lower()
        if wanted in self.users:
            return self.users[wanted]
        named = self.users_holding([identifier])
        return next((user for user in named if user["userPrincipalName"].lower() == wanted), None)

    def users_holding(self, addresses: Iterable[str]) -> list[JSON]:
        """Return the users that may hold one of these addresses. Every user that holds one is among them."""
        return [self.users[key] for key in self._keys(addresses) if key in self.users]

    def deleted_users_holding(self, addresses: Iterable[str]) -> list[JSON]:
        """Return the users in the recycle bin that hold one of these addresses."""
        return [self.deleted_users[key] for key in self._keys(addresses) if key in self.deleted_users]

    def _keys(self, addresses: Iterable[str]) -> Iterable[str]:
        return self.index.find(addresses) | dict.fromkeys(sorted(self.unsettled))

    def add_user(self, user: JSON) -> None:
        """Create a user."""
        key = user["id"].lower()
        self.users[key] = user
        self.index.add(key, user)
        self._record("add", user["id"], {}, user)

    def update_user(self, identifier: str, changes: Mapping[str, Any]) -> None:
        """Write properties of a user."""
        key = identifier.lower()
        user, changed = self._changed(key, self.users[key], changes)
        self.users[key] = changed
        self._record("update", user["id"], {name: user[name] for name in changes}, changes)

    def delete_user(self, identifier: str, upn: str) -> None:
        """Move a user to the recycle bin and rename it to `upn`. Memberships and assignments stay with the object."""
        key = identifier.lower()
        changes = {"deletedDateTime": self.clock.stamp(), "userPrincipalName": upn}
        user, self.deleted_users[key] = self._changed(key, self.users.pop(key), changes)
        self._record("delete", user["id"], {name: user[name] for name in changes}, changes)

    def restore_user(self, identifier: str) -> JSON:
        """Take a user out of the recycle bin, under the name that it had before."""
        key = identifier.lower()
        deleted = self.deleted_users.pop(key)
        prefix = deleted["id"].replace("-", "")
        changes = {"deletedDateTime": None, "userPrincipalName": deleted["userPrincipalName"].removeprefix(prefix)}
        _, self.users[key] = self._changed(key, deleted, changes)
        self._record("restore", deleted["id"], {name: deleted[name] for name in changes}, changes)
        return self.users[key]

    def purge_user(self, identifier: str) -> None:
        """Delete a user permanently."""
        key = identifier.lower()
        user = self.deleted_users.pop(key)
        self.index.remove(key, user)
        self._record("purge", user["id"], user, {})

    def relate(self, identifier: str, relation: str, value: Any) -> None:
        """Replace what a user is related to by one relation. None removes the entry."""
        key, held = identifier.lower(), getattr(self, relation)
        before = held.get(key)
        put(held, key, value)
        self._record(RELATE, identifier, {relation: before}, {relation: value})

    def empty_recycle_bin(self) -> None:
        """Delete users permanently that were deleted more than 30 days ago."""
        oldest = timestamp(self.clock.now() - RECYCLE_BIN)
        expired = [key for key, user in self.deleted_users.items() if (user["deletedDateTime"] or oldest) < oldest]
        for key in expired:
            self.purge_user(key)

    def containers(self, identifier: str, *, transitive: bool) -> Iterator[tuple[str, JSON]]:
        """Yield each group and directory role that a principal belongs to once, as (type, object)."""
        seen: set[str] = set()
        waiting = list(self.parents.get(identifier.lower(), ()))
        while waiting:
            container = waiting.pop(0)
            if container in seen:
                continue
            seen.add(container)
            if container in self.groups:
                yield "group", self.groups[container]
            else:
                yield "directoryRole", self.roles[container]
            if transitive:
                waiting.extend(self.parents.get(container, ()))

    def holds_role(self, identifier: str) -> bool:
        """Tell whether a principal holds a role, directly or through a group, tenant-wide or scoped."""
        principals = {identifier.lower()}
        for kind, container in self.containers(identifier, transitive=True):
            if kind == "directoryRole":
                return True
            principals.add(container["id"].lower())
        return any(assignment["principalId"].lower() in principals for assignment in self.role_assignments)

    def _changed(self, key: str, user: JSON, changes: Mapping[str, Any]) -> tuple[JSON, JSON]:
        changed = {**user, **changes}
        if ADDRESS_PROPERTIES & changes.keys():
            self.index.remove(key, user)
            self.index.add(key, changed)
        return user, changed

    def _record(self, kind: str, identifier: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        number, moment = len(self.log) + 1, self.clock.seconds()
        self.log.append(Change(number, self.clock.stamp(), moment, kind, identifier, dict(before), dict(after)))


def put(held: JSON, key: str, value: Any) -> None:
    """Write a relation of one object; None removes it."""
    if value is None:
        held.pop(key, None)
    else:
        held[key] = value
