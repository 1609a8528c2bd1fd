"""What accounts are related to in the directory in memory, with all its past: reads lag, and oracles look back."""

from collections import defaultdict
from collections.abc import Collection

from tests.simulation.directory_accounts import BEGINNING

RELATIONS = ("groups", "appRoles", "directoryRoles", "manager", "sponsors", "ownedObjects", "registeredDevices")
Held = tuple[str, ...]
"""Ids; of an app role the application and the role, with a slash between them."""


class Access:
    """The relations of all accounts. Moments are seconds since 1970; keys are object ids in lower case."""

    def __init__(self) -> None:
        self._versions: defaultdict[tuple[str, str], list[tuple[float, Held]]] = defaultdict(list)
        self.names: dict[str, str] = {}
        """Names of applications, devices and whatever else is no user and no group, by id."""

    def begin(self, key: str, relation: str, held: Collection[str]) -> None:
        """Say what an account was related to from the beginning."""
        if relation not in RELATIONS:
            raise ValueError(f"there is no relation {relation!r}")
        self._versions[key, relation] = [(BEGINNING, tuple(held))]

    def write(self, moment: float, key: str, relation: str, held: Collection[str]) -> None:
        """Say what an account is related to from now on."""
        if (key, relation) not in self._versions:
            self.begin(key, relation, ())
        self._versions[key, relation].append((moment, tuple(held)))

    def at(self, key: str, relation: str, moment: float) -> Held:
        """What an account was related to at a moment."""
        found: Held = ()
        for since, held in self._versions.get((key, relation), ()):
            if since > moment:
                break
            found = held
        return found

    def between(self, key: str, relation: str, first: float, last: float) -> set[frozenset[str]]:
        """Everything that an account was related to at some time between two moments."""
        within = {frozenset(held) for since, held in self._versions.get((key, relation), ()) if first < since <= last}
        return {frozenset(self.at(key, relation, first)), *within}
