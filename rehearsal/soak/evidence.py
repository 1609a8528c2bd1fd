"""What a soak left behind, read once at its end: the ledger, the directory, the outbox, the journal, the logs."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rehearsal.run.scene import POISON, REQUESTS, Row
from rehearsal.soak.crowd import Crowd
from rehearsal.soak.labour import Done
from rehearsal.soak.site import Site

JSON = Mapping[str, Any]
HISTORY = "history-"
DELIVERY = re.compile(r"Executing 'Functions\.convert' ")
"""What a host logs at each delivery of a message."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that the checks and the figures look at."""

    crowd: Crowd
    done: Done
    requests: tuple[Row, ...]
    """The whole table: state rows, history and whatever else is in it."""
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
        """The state row of each request, by its id."""
        return {row["PartitionKey"]: row for row in self.requests if row["RowKey"] == "request"}

    @cached_property
    def account_states(self) -> dict[str, Row]:
        """The state row of each account's conversion, by object id."""
        return {row["PartitionKey"]: row for row in self.conversions if row["RowKey"] == "current"}

    @cached_property
    def events(self) -> Counter[str]:
        """How often each kind of event happened, to requests and to accounts."""
        rows = (*self.requests, *self.conversions)
        return Counter(str(row["kind"]) for row in rows if row["RowKey"].startswith(HISTORY))

    @property
    def deliveries(self) -> int:
        """How often a message was handed to the app."""
        return len(DELIVERY.findall(self.log))

    def stage(self, user_id: str) -> str:
        """Where an account, and every request for it, must stand."""
        if user_id in self.crowd.blocked:
            return "blocked"
        return "completed" if user_id in self.done.redeemed else "invited"

    def told(self) -> Iterator[tuple[str, str]]:
        """Every place where a secret must not be, with its text."""
        yield "the hosts' logs", self.log
        yield "table requests", str(self.requests)
        yield "table conversions", str(self.conversions)


def gathered(site: Site, crowd: Crowd, done: Done) -> Evidence:
    """Read everything. httpx.HTTPError or AzureError where a piece no longer answers."""
    control = site.tenant.control
    return Evidence(
        crowd=crowd,
        done=done,
        requests=tuple(site.rows("requests")),
        conversions=tuple(site.rows("conversions")),
        users={user["id"]: user for user in control.users()},
        mails=tuple(control.mails()),
        journal=tuple(control.journal()),
        violations=tuple(control.violations()),
        log=site.fleet.log(),
        kills=site.fleet.kills,
        stored=site.stored(REQUESTS),
        poison=site.stored(POISON),
    )
