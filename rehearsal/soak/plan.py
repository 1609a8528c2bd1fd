"""How hard and how long a soak is, and the settings under which it fits into minutes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.tenant.faults.script import KINDS, WHENS

_TOLD_TO_WAIT = tuple(name for name, kind in KINDS.items() if kind.retry_after)
ANYWHERE = tuple(name for name in KINDS if name != "slow")  # which takes nothing but time
"""Kinds of fault that any call may meet by chance."""
_APART = 25
"""Invitations between two faults of the script: each stops all hosts for seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One soak. Times are in seconds."""

    requests: int = 2000
    """So many accounts are asked for, each once; a few of them once more."""
    seconds: float = 600.0
    """All of it ends within this: the work, done or not, and the judgement on it. The last kill alone costs more than
    three minutes: the claim's lease, then the window in which its account may not show what was sent."""
    seed: int = 1
    """Decides on order, ways, faults and lag. What the operating system decides is different in every run."""
    rate: float = 20.0
    """Requests sent in a second, at most."""
    stored: int = 200
    """Messages in the queue, hidden ones too, above which nothing more is sent: Azurite looks through all of them to
    change one."""
    kill_every: float = 6.0
    sweep_every: float = 60.0
    chaos: float = 0.002
    """Share of the Graph calls, parts of batches as well, that meet a fault by chance."""
    shows: bool = True
    """Whether an account shows an invitation that waits for its person. Nobody knows of a real tenant."""
    lag: tuple[float, float] = (2.0, 4.0)
    """How far reads by id and lists may lag behind."""
    throttling: float = 0.4
    """Share of the real limits that the tenant grants."""
    tight: tuple[float, float] = (0.25, 0.28)
    """Between these shares of the requests it grants a third of that: its limits are met then, on any machine."""
    redeeming: float = 0.2
    """Share of the invited people who redeem."""

    def granted(self, sent: float) -> float:
        """The share of the limits that is granted when this share of the requests is sent."""
        first, last = self.tight
        return self.throttling / 3 if first <= sent < last else self.throttling

    @property
    def settings(self) -> Mapping[str, str]:
        """What the hosts run with: what would take minutes is short, and longer than the lag where it has to be."""
        return {
            "B2B_MODE": "convert",
            "B2B_SWEEP_SCHEDULE": "0 0 3 1 1 *",  # far away: the soak starts the sweep itself
            "B2B_GRAPH_TIMEOUT_SECONDS": "5",
            "B2B_REPLICATION_WINDOW_SECONDS": f"{3 * max(self.lag):.0f}",
            "B2B_BREAKER_WINDOW_SECONDS": "10",
            "B2B_INVITATIONS_PER_MINUTE": "0",  # each new process is silent for longer than it lives here
            "REHEARSAL_MESSAGE_LEASE_SECONDS": "5",
            "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:01",
            "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:01",
            "AzureFunctionsJobHost__extensions__queues__batchSize": "8",
            "AzureFunctionsJobHost__extensions__queues__newBatchThreshold": "4",
        }

    def script(self) -> Iterator[dict[str, Any]]:
        """Faults that invitations meet, far apart: every shape of Retry-After, before and after the effect."""
        lines = [(kind, when) for kind in _TOLD_TO_WAIT for when in WHENS]
        apart = max(self.requests // (len(lines) + 1), _APART)
        for number, (kind, when) in enumerate(lines, start=1):
            yield {"kind": kind, "when": when, "method": "POST", "path": "/invitations$", "nth": apart * number}
