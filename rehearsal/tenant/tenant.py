"""One tenant in memory, with everything that a call can read or change."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Self

from rehearsal.tenant.clock import Clock
from rehearsal.tenant.directory import seed as seeds
from rehearsal.tenant.directory.mail import Outbox
from rehearsal.tenant.directory.tickets import Tickets
from rehearsal.tenant.faults.trouble import Trouble
from rehearsal.tenant.protocol.journal import Journal
from rehearsal.tenant.protocol.permissions import DEFAULT_ROLES
from rehearsal.tenant.switches import Switches


class Tenant:
    """The state and the switches of a tenant; `reset` restores them from a seed."""

    def __init__(
        self,
        seed: Mapping[str, Any],
        *,
        switches: Mapping[str, str] | None = None,
        roles: Iterable[str] | None = None,
        identity_header: str | None = None,
    ) -> None:
        self._seed = copy.deepcopy(dict(seed))
        self._initial_switches = dict(switches or {})
        self._initial_roles = tuple(DEFAULT_ROLES if roles is None else roles)
        self.identity_header = identity_header
        self.reset()

    def reset(self, seed: Mapping[str, Any] | None = None) -> None:
        """Start over from `seed` (None: the current seed), with new time, switches, permissions, journal and no
        trouble.
        """
        chosen = copy.deepcopy(dict(seed if seed is not None else self._seed))
        seeds.check(chosen)
        switches, clock = Switches(self._initial_switches), Clock()
        policies, directory = seeds.tenant_policies(chosen), seeds.directory(chosen, clock)
        self._seed, self.switches, self.clock = chosen, switches, clock
        self.policies, self.directory = policies, directory
        self.roles = frozenset(self._initial_roles)
        self.roles_by_client: dict[str, frozenset[str]] = {}
        self.journal, self.outbox, self.tickets = Journal(), Outbox(), Tickets()
        self.trouble = Trouble(clock)
        self.audits: list[dict[str, Any]] = []
        self._open_seeded_invitations()

    def roles_of(self, client_id: str | None) -> frozenset[str]:
        """Return the permissions of new tokens for an application: its own if it has any, else those of all
        applications.
        """
        return self.roles_by_client.get(client_id or "", self.roles)

    def fork(self) -> Self:
        """Return a copy of the tenant.

        Writing to the copy leaves this tenant unchanged; both share time and journal.
        """
        twin = copy.copy(self)
        twin.directory, twin.outbox, twin.tickets = self.directory.fork(), self.outbox.fork(), self.tickets.fork()
        return twin

    def _open_seeded_invitations(self) -> None:
        """Give each guest that is pending in the seed a redeem link in its mailbox."""
        for user in self.directory.users.values():
            if user["externalUserState"] == "PendingAcceptance":
                self.tickets.issue(user["id"], user["mail"] or user["userPrincipalName"], kill_older=True)
