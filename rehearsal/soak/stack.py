"""Start what a soak needs on loopback: storage, a tenant with faults, and two hosts with the real app."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rehearsal.rig import APP, Rig, app_settings, without_foreign
from rehearsal.run.interrupts import Interrupts
from rehearsal.soak.fleet import Fleet
from rehearsal.soak.plan import ANYWHERE, Plan
from rehearsal.soak.population import Population
from rehearsal.storage import QUEUES, Azurite, provision
from rehearsal.tenant import RunningTenant, running

HOSTS = 2


class FleetRig(Rig):
    """A rig whose app runs under several hosts."""

    def __init__(self, tenant: RunningTenant, storage: str, fleet: Fleet) -> None:
        super().__init__(tenant, storage)
        self.fleet = fleet

    def at_rest(self) -> bool:
        """Tell whether both queues are empty, so that no message can change a request."""
        return not any(map(self.waiting, QUEUES))


@contextmanager
def opened(plan: Plan, population: Population, logs: Path, interrupts: Interrupts) -> Iterator[FleetRig]:
    """Start everything, and stop it when the context ends.

    Raises `StorageError`, `HostError` or OSError if storage, a host or the tenant does not start.
    """
    with ExitStack() as started:
        storage = started.enter_context(Azurite()).connection_string()
        with interrupts.allowed():
            provision(storage)
        tenant = started.enter_context(running(population.tenant()))
        settings = {**without_foreign(), **app_settings(tenant, storage, **plan.settings)}
        fleet = started.enter_context(Fleet(APP, settings, HOSTS, logs))
        trouble(tenant, plan)
        yield started.enter_context(FleetRig(tenant, storage, fleet))


def trouble(tenant: RunningTenant, plan: Plan) -> None:
    """Turn on the tenant's faults: lag, throttling, random and scripted faults."""
    control = tenant.control
    control.set_seed(plan.seed)
    control.set_switch("pending-state", "pending-acceptance" if plan.shows else "unset")
    control.set_lag(*plan.lag, seed=plan.seed)
    control.set_throttling(factor=plan.granted(0.0))
    control.set_chaos(plan.chaos, seed=plan.seed, kinds=ANYWHERE)
    control.set_faults(list(plan.script()))
