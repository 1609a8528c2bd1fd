"""Every fault that a tenant can have, in one place. All are off until the control plane turns them on."""

from rehearsal.tenant.clock import Clock
from rehearsal.tenant.directory.store import Directory
from rehearsal.tenant.faults.chaos import Chaos
from rehearsal.tenant.faults.replicas import Replicas
from rehearsal.tenant.faults.retry_after import RetryAfterLedger
from rehearsal.tenant.faults.script import Fault, Script
from rehearsal.tenant.faults.throttling import Throttling
from rehearsal.tenant.protocol.messages import Request


class Trouble:
    """Faults by script and by chance, throttling, replicas, and what clients were told about coming back."""

    def __init__(self, clock: Clock) -> None:
        self.script = Script()
        self.chaos = Chaos()
        self.retry_after = RetryAfterLedger(clock)
        self.throttling = Throttling(clock, self.retry_after)
        self.replicas = Replicas(clock)

    def fault(self, request: Request) -> Fault | None:
        """The fault that stands in the way of a call: the script's, else one by chance."""
        return self.script.due(request) or self.chaos.due(request)

    def reseed(self, seed: int, directory: Directory) -> None:
        """One seed for everything that is left to chance."""
        self.chaos.reseed(seed)
        self.replicas.reseed(seed, directory)
