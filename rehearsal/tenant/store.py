"""The directory: its objects, who belongs to what, and a log of every change.

The log holds before and after of each write, so that a view of the past (a lagging replica, a delta link) can be made
from it without another source of truth.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rehearsal.tenant.clock import Clock, timestamp

JSON = dict[str, Any]

RECYCLE_BIN = timedelta(days=30)
"""How long a deleted user can be restored (recover-from-deletions article)."""


@dataclass(frozen=True, slots=True)
class Change:
    """One write: what it did (`add`, `update`, `delete`, `restore`, `purge`) and the properties it touched."""

    number: int
    time: str
    kind: str
    id: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(slots=True)
class Directory:
    """All objects by id. Users are written through the methods only, so that the log is complete."""

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
    log: list[Change] = field(default_factory=list)

    def user(self, identifier: str) -> JSON | None:
        """The user with this object id or userPrincipalName, soft-deleted ones left out."""
        wanted = identifier.lower()
        if wanted in self.users:
            return self.users[wanted]
        return next((user for user in self.users.values() if user["userPrincipalName"].lower() == wanted), None)

    def add_user(self, user: JSON) -> None:
        """Create a user."""
        self.users[user["id"].lower()] = user
        self._record("add", user["id"], {}, user)

    def update_user(self, identifier: str, changes: Mapping[str, Any]) -> None:
        """Write properties of a user."""
        user = self.users[identifier.lower()]
        before = {name: user[name] for name in changes}
        user.update(changes)
        self._record("update", user["id"], before, changes)

    def delete_user(self, identifier: str, upn: str) -> None:
        """Move a user to the recycle bin under the name `upn`. Memberships and assignments stay with the object."""
        user = self.users.pop(identifier.lower())
        changes = {"deletedDateTime": self.clock.stamp(), "userPrincipalName": upn}
        before = {name: user[name] for name in changes}
        user.update(changes)
        self.deleted_users[identifier.lower()] = user
        self._record("delete", user["id"], before, changes)

    def restore_user(self, identifier: str) -> JSON:
        """Take a user out of the recycle bin, with the name it had."""
        user = self.deleted_users.pop(identifier.lower())
        prefix = user["id"].replace("-", "")
        changes = {"deletedDateTime": None, "userPrincipalName": user["userPrincipalName"].removeprefix(prefix)}
        before = {name: user[name] for name in changes}
        user.update(changes)
        self.users[identifier.lower()] = user
        self._record("restore", user["id"], before, changes)
        return user

    def purge_user(self, identifier: str) -> None:
        """Delete a user for good."""
        user = self.deleted_users.pop(identifier.lower())
        self._record("purge", user["id"], user, {})

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

    def changed_since(self, moment: datetime) -> list[Change]:
        """Changes from a moment on."""
        since = timestamp(moment)
        return [change for change in self.log if change.time >= since]

    def _record(self, kind: str, identifier: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        self.log.append(Change(len(self.log) + 1, self.clock.stamp(), kind, identifier, dict(before), dict(after)))


def addresses_of(thing: Mapping[str, Any]) -> set[str]:
    """Every address an object answers to, in lower case and without the `smtp:` prefix."""
    single: Iterable[str | None] = (thing.get("mail"), thing.get("userPrincipalName"))
    several = [*thing.get("otherMails", ()), *thing.get("proxyAddresses", ())]
    return {address.lower().removeprefix("smtp:") for address in [*single, *several] if address}


def holders(things: Iterable[JSON], address: str) -> list[JSON]:
    """Those of some objects that hold an address."""
    wanted = address.lower()
    return [thing for thing in things if wanted in addresses_of(thing)]
