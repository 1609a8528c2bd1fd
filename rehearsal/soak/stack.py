"""Everything that a soak needs, up on loopback: storage, the tenant in trouble, and two hosts with the real app."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from azure.data.tables import TableServiceClient
from azure.storage.queue import LinearRetry, QueueServiceClient

from rehearsal.run.interrupts import Interrupts
from rehearsal.run.scene import APP, FOREIGN, POISON, REQUESTS
from rehearsal.soak.crowd import Crowd
from rehearsal.soak.fleet import Fleet
from rehearsal.soak.plan import ANYWHERE, Plan
from rehearsal.storage import QUEUES, TABLES, Azurite, provision
from rehearsal.tenant import RunningTenant, running

HOSTS = 2
Row = Mapping[str, Any]


class Site:
    """The running pieces, and what can be seen of the storage."""

    def __init__(self, tenant: RunningTenant, fleet: Fleet, storage: str, clients: ExitStack) -> None:
        self.tenant, self.fleet = tenant, fleet
        again = LinearRetry(backoff=1, retry_total=5, random_jitter_range=0)  # by itself it would wait for 15 s
        queues = clients.enter_context(QueueServiceClient.from_connection_string(storage, retry_policy=again))
        tables = clients.enter_context(TableServiceClient.from_connection_string(storage))
        self._queues = {name: clients.enter_context(closing(queues.get_queue_client(name))) for name in QUEUES}
        self._tables = {name: clients.enter_context(tables.get_table_client(name)) for name in TABLES}

    def put(self, text: str) -> None:
        """Put a request on the queue."""
        self._queues[REQUESTS].send_message(text)

    def stored(self, queue: str = REQUESTS) -> int:
        """How many messages a queue holds, hidden ones too."""
        return self._queues[queue].get_queue_properties().approximate_message_count or 0

    def at_rest(self) -> bool:
        """Whether no message is left that could move a request."""
        return not self.stored(REQUESTS) and not self.stored(POISON)

    def rows(self, table: str, query: str = "") -> list[Row]:
        """Rows of a table."""
        return [dict(row) for row in self._tables[table].query_entities(query)]


@contextmanager
def opened(plan: Plan, crowd: Crowd, logs: Path, interrupts: Interrupts) -> Iterator[Site]:
    """Start everything, and stop it at the end, whatever happens.

    Raises `StorageError`, `HostError` or OSError where a piece does not start.
    """
    with ExitStack() as started:
        storage = started.enter_context(Azurite()).connection_string()
        with interrupts.allowed():
            provision(storage)
        tenant = started.enter_context(running(crowd.tenant()))
        environment: dict[str, str | None] = {
            **{name: None for name in os.environ if name.startswith(FOREIGN)},
            **plan.settings,
            **tenant.identity_env,
            "B2BStorage": storage,
            "GRAPH_BASE_URL": tenant.graph_url,
        }
        fleet = started.enter_context(Fleet(APP, environment, HOSTS, logs))
        trouble(tenant, plan)
        yield Site(tenant, fleet, storage, started)


def trouble(tenant: RunningTenant, plan: Plan) -> None:
    """Let the tenant misbehave."""
    control = tenant.control
    control.set_seed(plan.seed)
    control.set_switch("pending-state", "pending-acceptance" if plan.shows else "unset")
    control.set_lag(*plan.lag, seed=plan.seed)
    control.set_throttling(factor=plan.granted(0.0))
    control.set_chaos(plan.chaos, seed=plan.seed, kinds=ANYWHERE)
    control.set_faults(list(plan.script()))
