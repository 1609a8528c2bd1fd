"""The accounts and the recycle bin of the directory in memory, now and in the past, so that a read can lag."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

State = Mapping[str, Any]
"""The properties of one object at one time. A write makes a new state and does not change the old one."""
_Version = tuple[float, State | None]

PENDING, ACCEPTED = "PendingAcceptance", "Accepted"
RECYCLE_BIN = 30 * 86_400.0
"""How long a deleted account can be restored, in seconds."""
BEGINNING = float("-inf")
USER: Mapping[str, Any] = {
    "id": None,
    "userPrincipalName": None,
    "displayName": None,
    "mail": None,
    "mailNickname": None,
    "creationType": None,
    "externalUserState": None,
    "externalUserStateChangeDateTime": None,
    "onPremisesSyncEnabled": None,
    "onPremisesUserPrincipalName": None,
    "isManagementRestricted": None,
    "givenName": None,
    "surname": None,
    "companyName": None,
    "employeeId": None,
    "employeeType": None,
    "isResourceAccount": None,
    "licenseAssignmentStates": [],
    "preferredLanguage": None,
    "deletedDateTime": None,
    "otherMails": [],
    "proxyAddresses": [],
    "identities": [],
    "assignedPlans": [],
    "userType": "Member",
    "accountEnabled": True,
    "createdDateTime": "2021-02-03T09:00:00Z",
}
"""The properties of a user, each with the value that it has if a seed does not give it."""


def plain(address: str) -> str:
    """Return an address in the form for comparisons: in lower case, and without the `smtp:` of a proxy address."""
    return address.casefold().removeprefix("smtp:")


def addresses_of(thing: State) -> Iterator[str]:
    """Yield every address of a user, a group or a contact."""
    for name in ("mail", "userPrincipalName"):
        if thing.get(name):
            yield plain(thing[name])
    for name in ("otherMails", "proxyAddresses"):
        yield from map(plain, thing.get(name) or ())


def holding(things: Iterable[State | None], address: str) -> list[State]:
    """Return the users, groups or contacts that hold an address."""
    wanted = plain(address)
    return [thing for thing in things if thing is not None and wanted in addresses_of(thing)]


def complete(user: Mapping[str, Any]) -> dict[str, Any]:
    """Return a user with all properties; those not given have defaults. An unknown name raises ValueError."""
    if unknown := user.keys() - USER.keys():
        raise ValueError(f"a user has no {', '.join(sorted(unknown))}")
    upn = user["userPrincipalName"]
    local, _, domain = upn.partition("@")
    sign_in = {"signInType": "userPrincipalName", "issuer": domain, "issuerAssignedId": upn}
    return {**USER, "displayName": local, "mailNickname": local, "identities": [sign_in], **user}


class Accounts:
    """Users and the recycle bin. Moments are seconds since 1970; keys are object ids in lower case."""

    def __init__(self) -> None:
        self._live: dict[str, list[_Version]] = {}
        self._bin: dict[str, list[_Version]] = {}
        self._deleted_at: dict[str, float] = {}
        self._holders: dict[str, dict[str, None]] = {}
        self._employees: dict[str, dict[str, None]] = {}
        self.ever_pending: dict[str, None] = {}

    def __iter__(self) -> Iterator[str]:
        return iter({**self._live, **self._bin})

    def __contains__(self, key: str) -> bool:
        return key in self._live or key in self._bin

    def live(self, key: str, moment: float) -> State | None:
        """Return the account as it was at a moment; None if it did not exist or was in the recycle bin."""
        return _at(self._live.get(key, ()), moment)

    def binned(self, key: str, moment: float) -> State | None:
        """Return the account as it was in the recycle bin at a moment; None if not there, as after 30 days."""
        state = _at(self._bin.get(key, ()), moment)
        return None if state is None or moment - self._deleted_at[key] > RECYCLE_BIN else state

    def ever_holding(self, addresses: Iterable[str]) -> dict[str, None]:
        """Return the keys of the accounts that hold one of these addresses, or ever held one."""
        found: dict[str, None] = {}
        for address in addresses:
            found |= self._holders.get(plain(address), {})
        return found

    def ever_of_company(self, name: str) -> dict[str, None]:
        """Return the keys of the accounts that have this companyName, or ever had it."""
        return self._employees.get(name.casefold(), {})

    def values(self, key: str, name: str, first: float, last: float) -> set[Any]:
        """Return the values that a property of an account had between two moments; None if the account was away."""
        within = {state and state[name] for since, state in self._live.get(key, ()) if first < since <= last}
        before = self.live(key, first)
        return {before and before[name], *within}

    def holders(self, address: str, moment: float) -> list[State]:
        """Return the users that hold an address at a moment."""
        return holding((self.live(key, moment) for key in self.ever_holding([address])), address)

    def deleted_holders(self, address: str, moment: float) -> list[State]:
        """Return the users that hold an address and are in the recycle bin at a moment."""
        return holding((self.binned(key, moment) for key in self.ever_holding([address])), address)

    def write(self, moment: float, live: State) -> None:
        """Write the state of an account that is not deleted; create the account if it is new."""
        key = live["id"].lower()
        self._append(self._live, key, moment, live)
        if key in self._bin:
            self._append(self._bin, key, moment, None)

    def discard(self, moment: float, binned: State, *, seen: float | None = None) -> None:
        """Move an account to the recycle bin at `moment`. Reads show that from `seen` on; default: from `moment` on."""
        key = binned["id"].lower()
        since = moment if seen is None else seen
        self._deleted_at[key] = moment
        if key in self._live:
            self._append(self._live, key, since, None)
        self._append(self._bin, key, since, binned)

    def purge(self, moment: float, key: str) -> None:
        """Delete an account in the recycle bin permanently."""
        self._append(self._bin, key, moment, None)

    def _append(self, logs: dict[str, list[_Version]], key: str, moment: float, state: State | None) -> None:
        log = logs.setdefault(key, [])
        if log and log[-1][1] is state:
            return
        log.append((moment, state))
        if state is not None:
            for address in addresses_of(state):
                self._holders.setdefault(address, {})[key] = None
            if state["companyName"]:
                self._employees.setdefault(state["companyName"].casefold(), {})[key] = None
            if state["externalUserState"] == PENDING:
                self.ever_pending[key] = None


def _at(log: Sequence[_Version], moment: float) -> State | None:
    for since, state in reversed(log):
        if since <= moment:
            return state
    return None
