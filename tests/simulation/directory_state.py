"""The state of a Graph tenant in memory: what calls read and change, and the settings for lag and faults.

Each open question about Graph is a switch, with the names and positions of the rehearsal's switches.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.simulation.directory_access import Access
from tests.simulation.directory_accounts import BEGINNING, Accounts, State, complete
from tests.simulation.directory_tenant import PERMISSIONS, TenantFacts

Lag = Callable[[str, str], float]
PartFault = Callable[[str], int | None]

SWITCHES: Mapping[str, tuple[str, ...]] = {
    "pending-state": ("pending-acceptance", "unset"),
    "address-match": ("mail-or-other-mails", "mail-only"),
    "address-case": ("ignored", "exact"),
    "invite-redeemed-account": ("completed", "refused"),
    "old-redeem-link": ("dead", "alive"),
    "corrected-invitation": ("accepted", "refused"),
    "disabled-account": ("refused", "accepted"),
    "deleted-holder": ("ignored", "refused"),
    "mailbox-account": ("accepted", "refused"),
    "page-shape": ("full", "short"),
    "held-address": ("refused", "accepted", "refused-in-words-of-the-portal"),
    "unknown-account": ("not-found", "bad-request"),
    "filter-case": ("ignored", "exact"),
    "proxy-address-case": ("ignored", "exact"),
    "selected-properties": ("all", "empty-ones-left-out"),
    "eligibility-licence": ("present", "absent"),
    "issuer-assigned-id": ("address", "opaque"),
    "audit-redeemer": ("signed-in", "invited", "account"),
    "relations-for-applications": ("readable", "refused"),
}
"""The positions of each switch; the first is the default."""


@dataclass(frozen=True, slots=True)
class Post:
    """An invitation as received. ``user_id`` is empty if the body names no account; ``status`` is the HTTP status."""

    time: datetime
    user_id: str
    address: str
    send_message: bool
    body: Mapping[str, Any]
    status: int


@dataclass(frozen=True, slots=True)
class Mail:
    """An invitation mail that the app caused. ``user_id`` is the invited account, or the guest created in its place."""

    time: datetime
    user_id: str
    address: str
    cc: tuple[str, ...]


@dataclass(slots=True)
class Ticket:
    """A redeem link. The switch `old-redeem-link` decides whether a newer invitation disables it."""

    secret: str
    user_id: str
    address: str
    alive: bool = True
    redeemed: bool = False

    @property
    def open(self) -> bool:
        """Whether a person can redeem with the link."""
        return self.alive and not self.redeemed


@dataclass(frozen=True, slots=True)
class Redemption:
    """A redemption: account, address of the person, invited address, provider, and the name in the audit log."""

    time: datetime
    user_id: str
    person: str
    invited: str
    provider: str
    named: str

    @property
    def by_other(self) -> bool:
        """Whether someone other than the invited person holds the account now."""
        return self.person.casefold() != self.invited.casefold()


class Refused(Exception):
    """An error that Graph answers to a call, or to one part of a batch."""

    def __init__(self, status: int, code: str, message: str, retry_after: str | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.headers = {} if retry_after is None else {"Retry-After": retry_after}


def not_found(identifier: str) -> Refused:
    """Return the 404 for an object that does not exist, is deleted, or is not known to this replica yet."""
    return Refused(
        404,
        "Request_ResourceNotFound",
        f"Resource '{identifier}' does not exist or one of its queried reference-property objects are not present.",
    )


class TenantState:
    """All that calls read or change, and the settings for lag and faults, which may change at any time.

    - `lag(id, "object" or "list")`: by how many seconds the next read of this account lags.
    - `part_fault(url)`: the status with which one part of a batch fails; None if it does not fail.
    - `redemptions`: every redemption, oldest first.
    - `retry_after`: the header of a throttled answer, if the fault sets none; None leaves the header out.
    - `page_cap`: the most items in one page; `page_lifetime`: how long a page token is valid, in seconds.
    - `permissions`: the permissions in the app's token.
    - `tenant`: the facts of the tenant, which the constructor takes by keyword.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        users: Iterable[Mapping[str, Any]],
        switches: Mapping[str, str] | None = None,
        *,
        deleted: Iterable[Mapping[str, Any]] = (),
        permissions: Iterable[str] = PERMISSIONS,
        **facts: Any,
    ) -> None:
        self.now = now
        self.tenant = TenantFacts(**facts)
        self.permissions = frozenset(permissions)
        self.switches = {name: positions[0] for name, positions in SWITCHES.items()}
        for name, position in (switches or {}).items():
            self.set_switch(name, position)
        self.lag: Lag = lambda _subject, _kind: 0.0
        self.part_fault: PartFault = lambda _url: None
        self.retry_after: str | None = "2"
        self.page_cap: int | None = None
        self.page_lifetime = 1800.0
        self.accounts = Accounts()
        self.access = Access()
        self.posts: list[Post] = []
        self.by_hand: list[Post] = []
        self.mails: list[Mail] = []
        self.redemptions: list[Redemption] = []
        self._tickets: defaultdict[str, list[Ticket]] = defaultdict(list)
        self.issued = 0
        for user in users:
            self.accounts.write(BEGINNING, complete(user))
        for user in deleted:
            state = complete({"deletedDateTime": self.stamp(), **user})
            self.accounts.discard(self.moment(), state, seen=BEGINNING)
        for key in self.accounts:
            kinds = [(self.tenant.container(each), each) for each in self.tenant.direct(key)]
            self.access.begin(key, "groups", [each for (kind, _), each in kinds if kind == "group"])
        for user_id in self.accounts.ever_pending:
            if (account := self.account(user_id)) is not None:
                self.issue(user_id, account["mail"] or account["userPrincipalName"])

    def set_switch(self, name: str, position: str) -> None:
        """Put one switch into a position. An unknown name or position raises ValueError."""
        if position not in SWITCHES.get(name, ()):
            raise ValueError(f"no switch {name!r} with a position {position!r}")
        self.switches[name] = position

    def moment(self) -> float:
        """The tenant's time in seconds since 1970."""
        return self.now().timestamp()

    def stamp(self) -> str:
        """Return the tenant's time in Graph's format."""
        return self.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def account(self, user_id: str) -> State | None:
        """Return the account as the primary holds it; None if it does not exist or is deleted."""
        return self.accounts.live(user_id.lower(), self.moment())

    def update(self, account: State, **changes: Any) -> State:
        """Write properties of an account, and return its new state."""
        changed = {**account, **changes}
        self.accounts.write(self.moment(), changed)
        return changed

    def issue(self, user_id: str, address: str) -> Ticket:
        """Create a redeem link. The switch `old-redeem-link` decides whether older links stop working."""
        earlier = self._tickets[user_id.lower()]
        if self.switches["old-redeem-link"] == "dead":
            for older in earlier:
                older.alive = False
        self.issued += 1
        earlier.append(Ticket(f"t1cket{self.issued:026d}", user_id.lower(), address))
        return earlier[-1]

    def tickets_of(self, user_id: str) -> tuple[Ticket, ...]:
        """Return the redeem links of an account, oldest first."""
        return tuple(self._tickets.get(user_id.lower(), ()))
