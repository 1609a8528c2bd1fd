"""Everything that a run needs, up on loopback: storage, the tenant, and the Functions host with the real app."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import TableSasPermissions, TableServiceClient, generate_table_sas
from azure.storage.queue import QueueSasPermissions, QueueServiceClient, generate_queue_sas

from rehearsal.host.process import HostError, HostProcess
from rehearsal.run.interrupts import Interrupts
from rehearsal.run.packaged import Packaged
from rehearsal.sample import Profile, Sample
from rehearsal.storage import DEFAULT_PORTS, QUEUES, TABLES, Azurite, provision
from rehearsal.tenant import RunningTenant, running

APP = Path(__file__).parents[2]
"""The directory of function_app.py and host.json."""
CALL_SECONDS = 30.0
SIGNED_FOR = timedelta(days=7)
"""How long an address with a permission of its own is good for."""

REQUESTS, POISON = QUEUES
HOST_SETTINGS = {
    # Fewer seconds between two tries of a message, and between two looks into an empty queue, than in Azure.
    "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:01",
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:01",
    "AzureFunctionsJobHost__extensions__queues__batchSize": "16",
}
APP_SETTINGS = {
    "B2B_MODE": "convert",
    "B2B_SWEEP_SCHEDULE": "0 0 3 1 1 *",  # far away: the run starts the sweep itself
}
FOREIGN = ("B2B", "AZURE_", "AzureWebJobs", "AzureFunctionsJobHost__", "GRAPH_", "IDENTITY_", "MSI_", "REHEARSAL_")
"""Beginnings of variables that would change the app or the host: those of the caller's shell are not for this run."""

NEWCOMER = {
    "id": "7d0f6a4e-93b1-4c58-8e2a-5b6c1d9f0a37",
    "displayName": "Quinn Moss",
    "userPrincipalName": "quinn.moss@contoso.com",
    "mail": "quinn.moss@fabrikam.com",
}
"""One more person in the tenant, of whom no request of the sample knows: for whoever goes on by hand."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything listens; 0 lets the system choose."""

    host: int = 0
    tenant: int = 0
    storage: tuple[int, int, int] = (0, 0, 0)


FRIENDLY = Ports(host=7071, tenant=7080, storage=DEFAULT_PORTS)
"""The ports that tools know: those of Core Tools and of Azurite."""


def friendly_ports() -> Ports:
    """The known ports, as far as nobody else has them."""
    storage = FRIENDLY.storage if all(_free(port) for port in FRIENDLY.storage) else Ports().storage
    return Ports(
        host=FRIENDLY.host if _free(FRIENDLY.host) else 0,
        tenant=FRIENDLY.tenant if _free(FRIENDLY.tenant) else 0,
        storage=storage,
    )


class Scene:
    """The running pieces, and what a caller or an administrator can do with them."""

    def __init__(self, tenant: RunningTenant, host: HostProcess, storage: str, clients: ExitStack) -> None:
        self.tenant = tenant
        self.host = host
        self.storage = storage
        """The connection string of queues and tables."""
        headers = {"x-functions-key": host.function_key}
        self.api = clients.enter_context(
            httpx.Client(base_url=host.base, headers=headers, timeout=CALL_SECONDS, trust_env=False)
        )
        queues = clients.enter_context(QueueServiceClient.from_connection_string(storage))
        tables = clients.enter_context(TableServiceClient.from_connection_string(storage))
        self._queues = {name: clients.enter_context(closing(queues.get_queue_client(name))) for name in QUEUES}
        self._tables = {name: clients.enter_context(tables.get_table_client(name)) for name in TABLES}

    def put(self, text: str) -> str:
        """Put a message on the queue of requests, exactly as it is; returns the message's id."""
        return str(self._queues[REQUESTS].send_message(text).id)

    def messages_url(self) -> str:
        """Where a message can be put on the queue of requests with nothing but HTTP: it carries its own permission."""
        queue = self._queues[REQUESTS]
        signature = generate_queue_sas(
            str(queue.account_name),
            REQUESTS,
            queue.credential.account_key,
            QueueSasPermissions(add=True),
            expiry=datetime.now(UTC) + SIGNED_FOR,
        )
        return f"{queue.url}/messages?messagettl=-1&{signature}"

    def rows_url(self, table: str, query: str) -> str:
        """Where rows of a table can be read with nothing but HTTP: it carries its own permission."""
        client = self._tables[table]
        credential = client.credential
        if not isinstance(credential, AzureNamedKeyCredential):
            raise TypeError("the connection string has no key to sign with")
        signature = generate_table_sas(
            credential, table, permission=TableSasPermissions(read=True), expiry=datetime.now(UTC) + SIGNED_FOR
        )
        return f"{client.url}/{table}()?$filter={quote(query)}&{signature}"

    def waiting(self, queue: str) -> int:
        """How many messages a queue holds, hidden ones too."""
        return self._queues[queue].get_queue_properties().approximate_message_count or 0

    def rows(self, table: str, query: str = "") -> list[Row]:
        """Rows of a table."""
        return [dict(row) for row in self._tables[table].query_entities(query)]

    def must_live(self) -> None:
        """Raise `HostError` when the host has ended by itself: nothing will come true any more."""
        if not self.host.running():
            raise HostError("The host ended by itself.")


@contextmanager
def opened(
    sample: Sample,
    profile: Profile,
    ports: Ports,
    interrupts: Interrupts,
    packaged: Packaged | None = None,
    *,
    positions: Mapping[str, str] | None = None,
) -> Iterator[Scene]:
    """Start everything, the tenant in these positions of its switches, and stop it at the end, whatever happens.

    The app is that of this checkout or a package.

    Raises `StorageError`, `HostError` or OSError where a piece does not start.
    """
    with ExitStack() as started:
        azurite = started.enter_context(Azurite(ports=ports.storage))
        storage = azurite.connection_string()
        with interrupts.allowed():
            provision(storage)
        tenant = started.enter_context(running(_with_newcomer(sample), switches=positions, port=ports.tenant))
        environment: dict[str, str | None] = {
            **{name: None for name in os.environ if name.startswith(FOREIGN)},
            **HOST_SETTINGS,
            **APP_SETTINGS,
            **sample.settings,
            **tenant.identity_env,
            "B2BStorage": storage,
            "GRAPH_BASE_URL": tenant.graph_url,
            "B2B_ELIGIBILITY_PROFILE": profile,
        }
        app, interpreter = (packaged.app, packaged.interpreter) if packaged else (APP, None)
        host = started.enter_context(
            HostProcess(app_dir=app, env=environment, port=ports.host, interpreter=interpreter)
        )
        yield Scene(tenant, host, storage, started)


def _with_newcomer(sample: Sample) -> dict[str, Any]:
    """The sample's tenant and one person more, who is in the group to which conversions are limited."""
    seed, scope = sample.seed(), sample.settings["B2B_SCOPE_GROUP_ID"]
    groups = [
        {**group, "members": [*group["members"], NEWCOMER["id"]]} if group["id"] == scope else group
        for group in seed["groups"]
    ]
    return {**seed, "groups": groups, "users": [*seed["users"], NEWCOMER]}


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
