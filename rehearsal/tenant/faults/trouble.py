"""Everything that can disturb a tenant. All of it is off until the control plane turns it on."""

from rehearsal.tenant.clock import Clock
from rehearsal.tenant.directory.store import Directory
from rehearsal.tenant.faults.chaos import Chaos
from rehearsal.tenant.faults.replicas import Replicas
from rehearsal.tenant.faults.retry_after import RetryAfterLedger
from rehearsal.tenant.faults.script import Fault, Script
from rehearsal.tenant.faults.throttling import Throttling
from rehearsal.tenant.protocol.messages import Request


class Trouble:
    """Scripted and random faults, throttling, lagging replicas, and the waits that clients were asked for."""

    def __init__(self, clock: Clock) -> None:
        self.script = Script()
        self.chaos = Chaos()
        self.retry_after = RetryAfterLedger(clock)
        self.throttling = Throttling(clock, self.retry_after)
        self.replicas = Replicas(clock)

    def fault(self, request: Request) -> Fault | None:
        """Return the fault for a call: the script's if one is due, else maybe a random one, else None."""
        return self.script.due(request) or self.chaos.due(request)

    def reseed(self, seed: int, directory: Directory) -> None:
        """Set one seed for everything random."""
        self.chaos.reseed(seed)
        self.replicas.reseed(seed, directory)
