"""Read the ledger, the directory, the outbox, the journal and the logs at the end of a soak."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rehearsal.history import history
from rehearsal.rig import Row
from rehearsal.rig.rig import POISON, REQUESTS
from rehearsal.soak.plan import Plan
from rehearsal.soak.population import Population
from rehearsal.soak.stack import FleetRig
from rehearsal.soak.workload import Done

JSON = Mapping[str, Any]
REVIEW = "needsReview"
NO_EFFECT = "no-effect"
"""The fault in which Graph confirms an invitation but does not send it."""
DELIVERY = re.compile(r"Executing 'Functions\.convert' ")
"""The line that a host logs at each delivery of a message."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that the checks and the figures read."""

    population: Population
    shows: bool
    """Whether the tenant shows pending invitations."""
    done: Done
    requests: tuple[Row, ...]
    """All rows of the table `requests`: state rows, history and others."""
    conversions: tuple[Row, ...]
    users: Mapping[str, JSON]
    """Every user, by object id."""
    mails: tuple[JSON, ...]
    journal: tuple[JSON, ...]
    violations: tuple[JSON, ...]
    log: str
    kills: int
    stored: int
    poison: int

    @cached_property
    def request_states(self) -> dict[str, Row]:
        """The state row of each request, by request id."""
        return {row["PartitionKey"]: row for row in self.requests if row["RowKey"] == "request"}

    @cached_property
    def account_states(self) -> dict[str, Row]:
        """The state row of each account's conversion, by object id."""
        return {row["PartitionKey"]: row for row in self.conversions if row["RowKey"] == "current"}

    @cached_property
    def events(self) -> Counter[str]:
        """The number of events of each kind, for requests and accounts."""
        rows = (*self.requests, *self.conversions)
        return Counter(str(event["kind"]) for event in history(rows))

    @property
    def deliveries(self) -> int:
        """How often a host delivered a message to the app."""
        return len(DELIVERY.findall(self.log))

    @cached_property
    def lied_about(self) -> frozenset[str]:
        """The accounts whose invitation Graph confirmed but did not send, if they got none later.

        They stay at `invited`. The app cannot tell them from invited accounts in a tenant that does not show
        invitations.
        """
        faults = ((call["fault"] or {}, call) for call in self.journal)
        told = {str(call["body"]["invitedUser"]["id"]) for fault, call in faults if fault.get("kind") == NO_EFFECT}
        return frozenset(told - {str(mail["userId"]) for mail in self.mails})

    def stages(self, user_id: str) -> tuple[str, ...]:
        """Return the stages that an account and its requests may have; the second only after a lost answer."""
        if user_id in self.population.blocked:
            return ("blocked",)
        if user_id in self.done.redeemed:
            return ("completed",)
        return ("invited",) if self.shows else ("invited", REVIEW)

    def stands(self, user_id: str) -> str:
        """Return the stage in the row of an account, or "no row"."""
        row = self.account_states.get(user_id)
        return str(row["stage"]) if row is not None else "no row"

    def told(self) -> Iterator[tuple[str, str]]:
        """Yield every place that must not contain a secret, with its text."""
        yield "the hosts' logs", self.log
        yield "table requests", str(self.requests)
        yield "table conversions", str(self.conversions)


def gathered(rig: FleetRig, plan: Plan, population: Population, done: Done) -> Evidence:
    """Read the evidence. Raises httpx.HTTPError or AzureError if the tenant or storage no longer answers."""
    control = rig.tenant.control
    return Evidence(
        population=population,
        shows=plan.shows,
        done=done,
        requests=tuple(rig.query("requests")),
        conversions=tuple(rig.query("conversions")),
        users={user["id"]: user for user in control.users()},
        mails=tuple(control.mails()),
        journal=tuple(control.journal()),
        violations=tuple(control.violations()),
        log=rig.fleet.log(),
        kills=rig.fleet.kills,
        stored=rig.waiting(REQUESTS),
        poison=rig.waiting(POISON),
    )
