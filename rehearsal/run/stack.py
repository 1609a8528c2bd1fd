"""Start what a run needs on loopback: storage, the tenant, and the Functions host with the real app."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from rehearsal.rig import HostedRig, hosted
from rehearsal.run.interrupts import Interrupts
from rehearsal.run.packaged import Packaged
from rehearsal.sample import Sample
from rehearsal.storage import DEFAULT_PORTS, Azurite, provision
from rehearsal.tenant import running

HOST_SETTINGS = {
    # Shorter times than in Azure between two tries of a message, and between two polls of an empty queue.
    "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:01",
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:01",
    "AzureFunctionsJobHost__extensions__queues__batchSize": "16",
}
PROFILE = "B2B_ELIGIBILITY_PROFILE"
NEWCOMER = {
    "id": "7d0f6a4e-93b1-4c58-8e2a-5b6c1d9f0a37",
    "displayName": "Quinn Moss",
    "userPrincipalName": "quinn.moss@contoso.com",
    "mail": "quinn.moss@fabrikam.com",
}
"""One more person in the tenant, whom no request of the sample names, for calls by hand."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of host, tenant and storage. For 0 the system chooses one."""

    host: int = 0
    tenant: int = 0
    storage: tuple[int, int, int] = (0, 0, 0)


FRIENDLY = Ports(host=7071, tenant=7080, storage=DEFAULT_PORTS)
"""The usual ports of Core Tools and Azurite, which other tools know."""


def friendly_ports() -> Ports:
    """Return the usual ports, with 0 in place of those that are taken."""
    storage = FRIENDLY.storage if all(_free(port) for port in FRIENDLY.storage) else Ports().storage
    return Ports(
        host=FRIENDLY.host if _free(FRIENDLY.host) else 0,
        tenant=FRIENDLY.tenant if _free(FRIENDLY.tenant) else 0,
        storage=storage,
    )


@contextmanager
def opened(
    seed: Mapping[str, Any],
    settings: Mapping[str, str],
    ports: Ports,
    interrupts: Interrupts,
    packaged: Packaged | None = None,
    *,
    positions: Mapping[str, str] | None = None,
) -> Iterator[HostedRig]:
    """Start everything, and stop it when the context ends. `positions` are those of the tenant's switches.

    The app is that of this checkout, or `packaged` if given. `settings` override the usual settings.

    Raises `StorageError`, `HostError` or OSError if storage, the tenant or the host does not start.
    """
    with ExitStack() as started:
        storage = started.enter_context(Azurite(ports=ports.storage)).connection_string()
        with interrupts.allowed():
            provision(storage)
        tenant = started.enter_context(running(seed, switches=positions, port=ports.tenant))
        app = {"app_dir": packaged.app, "interpreter": packaged.interpreter} if packaged else {}
        yield started.enter_context(hosted(tenant, storage, {**HOST_SETTINGS, **settings}, port=ports.host, **app))


def with_newcomer(sample: Sample) -> dict[str, Any]:
    """Return the sample's tenant with one more person, who is in the group to which conversions are limited."""
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
