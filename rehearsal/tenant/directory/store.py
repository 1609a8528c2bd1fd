"""The directory: its objects, who belongs to what, and a log of every change.

The log holds before and after of each write, so that a view of the past (a lagging replica, a delta link) can be made
from it without another source of truth.
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
"""The fields of a directory that say what a user is related to. `relate` writes them, and the log knows of it."""
RELATE = "relate"
"""The kind of a change that touches a relation and no property."""


@dataclass(frozen=True, slots=True)
class Change:
    """One write: what it did (`add`, `update`, `delete`, `restore`, `purge`, `relate`), and what it touched.

    `moment` is the tenant's time in seconds, exact where `time` is cut to whole ones.
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
    """All objects by id. Users are written through the methods only, so that log and index are complete.

    A write replaces a user object by a new one, so a reference to the old one keeps the past state. In a view of the
    past, `unsettled` are the users whose addresses may differ from the index.
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
        """A directory with the same content, whose users can be written without touching this one."""
        return replace(
            self,
            users=dict(self.users),
            deleted_users=dict(self.deleted_users),
            log=list(self.log),
            index=self.index.copy(),
            **self.relations(),
        )

    def relations(self) -> JSON:
        """Copies of what users are related to, by the names of the fields."""
        return {name: copy(getattr(self, name)) for name in RELATIONS}

    def user(self, identifier: str) -> JSON | None:
        """The user with this object id or userPrincipalName, soft-deleted ones left out."""
        wanted = identifier.lower()
        if wanted in self.users:
            return self.users[wanted]
        named = self.users_holding([identifier])
        return next((user for user in named if user["userPrincipalName"].lower() == wanted), None)

    def users_holding(self, addresses: Iterable[str]) -> list[JSON]:
        """Return the users that may hold one of these addresses; no other user holds one."""
        return [self.users[key] for key in self._keys(addresses) if key in self.users]

    def deleted_users_holding(self, addresses: Iterable[str]) -> list[JSON]:
        """The same among soft-deleted users."""
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
        """Move a user to the recycle bin under the name `upn`. Memberships and assignments stay with the object."""
        key = identifier.lower()
        changes = {"deletedDateTime": self.clock.stamp(), "userPrincipalName": upn}
        user, self.deleted_users[key] = self._changed(key, self.users.pop(key), changes)
        self._record("delete", user["id"], {name: user[name] for name in changes}, changes)

    def restore_user(self, identifier: str) -> JSON:
        """Take a user out of the recycle bin, with the name it had."""
        key = identifier.lower()
        deleted = self.deleted_users.pop(key)
        prefix = deleted["id"].replace("-", "")
        changes = {"deletedDateTime": None, "userPrincipalName": deleted["userPrincipalName"].removeprefix(prefix)}
        _, self.users[key] = self._changed(key, deleted, changes)
        self._record("restore", deleted["id"], {name: deleted[name] for name in changes}, changes)
        return self.users[key]

    def purge_user(self, identifier: str) -> None:
        """Delete a user for good."""
        key = identifier.lower()
        user = self.deleted_users.pop(key)
        self.index.remove(key, user)
        self._record("purge", user["id"], user, {})

    def relate(self, identifier: str, relation: str, value: Any) -> None:
        """Write what a user is related to by one relation; None: to nothing."""
        key, held = identifier.lower(), getattr(self, relation)
        before = held.get(key)
        put(held, key, value)
        self._record(RELATE, identifier, {relation: before}, {relation: value})

    def empty_recycle_bin(self) -> None:
        """Drop what was deleted more than 30 days ago."""
        oldest = timestamp(self.clock.now() - RECYCLE_BIN)
        expired = [key for key, user in self.deleted_users.items() if (user["deletedDateTime"] or oldest) < oldest]
        for key in expired:
            self.purge_user(key)

    def containers(self, identifier: str, *, transitive: bool) -> Iterator[tuple[str, JSON]]:
        """Groups and directory roles that a principal belongs to, as (type, object), each once."""
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
        """Whether a principal holds a role: by itself or through a group, tenant-wide or scoped."""
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
    """Write a relation; None takes it away."""
    if value is None:
        held.pop(key, None)
    else:
        held[key] = value
