"""The relations of the accounts in the directory in memory, now and in the past, for lagging reads and for oracles."""

from collections import defaultdict
from collections.abc import Collection

from tests.simulation.directory_accounts import BEGINNING

RELATIONS = ("groups", "appRoles", "directoryRoles", "manager", "sponsors", "ownedObjects", "registeredDevices")
Held = tuple[str, ...]
"""Ids of related objects. For an app role: the ids of application and role, joined by a slash."""


class Access:
    """The relations of all accounts. Moments are seconds since 1970; keys are object ids in lower case."""

    def __init__(self) -> None:
        self._versions: defaultdict[tuple[str, str], list[tuple[float, Held]]] = defaultdict(list)
        self.names: dict[str, str] = {}
        """Names by id, for applications, devices and other objects that are neither users nor groups."""

    def begin(self, key: str, relation: str, held: Collection[str]) -> None:
        """Set what an account is related to since the beginning."""
        if relation not in RELATIONS:
            raise ValueError(f"there is no relation {relation!r}")
        self._versions[key, relation] = [(BEGINNING, tuple(held))]

    def write(self, moment: float, key: str, relation: str, held: Collection[str]) -> None:
        """Set what an account is related to from `moment` on."""
        if (key, relation) not in self._versions:
            self.begin(key, relation, ())
        self._versions[key, relation].append((moment, tuple(held)))

    def at(self, key: str, relation: str, moment: float) -> Held:
        """Return what an account was related to at a moment."""
        found: Held = ()
        for since, held in self._versions.get((key, relation), ()):
            if since > moment:
                break
            found = held
        return found

    def between(self, key: str, relation: str, first: float, last: float) -> set[frozenset[str]]:
        """Return every state that a relation of an account had between two moments."""
        within = {frozenset(held) for since, held in self._versions.get((key, relation), ()) if first < since <= last}
        return {frozenset(self.at(key, relation, first)), *within}
