"""The size, duration and faults of a soak, and the settings that let it end within minutes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.tenant.faults.script import KINDS, WHENS

_TOLD_TO_WAIT = tuple(name for name, kind in KINDS.items() if kind.retry_after)
ANYWHERE = tuple(name for name in KINDS if name != "slow")  # `slow` costs time and tests nothing else
"""The kinds of random fault, for any call."""
_APART = 25
"""The fewest invitations between two scripted faults, because each fault pauses all hosts for seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One soak. Times are in seconds."""

    requests: int = 2000
    """The number of accounts to convert. Each is requested once, and one in twenty twice."""
    seconds: float = 600.0
    """The time limit for the work and the checks. The last kill alone takes more than three minutes: first the lease of
    the claim has to end, then the window in which reads may not yet show a sent invitation."""
    seed: int = 1
    """The seed of the requests' order and ways, of faults and of lag. Timing still differs from run to run."""
    rate: float = 20.0
    """The most requests sent in a second."""
    stored: int = 200
    """If the queue holds more messages than this, hidden ones included, nothing is sent until it holds fewer. Azurite
    scans all messages to change one, so a long queue slows it down."""
    kill_every: float = 6.0
    sweep_every: float = 60.0
    chaos: float = 0.002
    """Share of the Graph calls (0 to 1), parts of batches included, that get a random fault."""
    shows: bool = True
    """Whether an account shows a pending invitation. Whether a real tenant does so is not known."""
    lag: tuple[float, float] = (2.0, 4.0)
    """By how much reads by id, and lists, may lag."""
    throttling: float = 0.4
    """Share of Graph's limits (0 to 1) that the tenant grants."""
    tight: tuple[float, float] = (0.25, 0.28)
    """While the share of requests sent is between these two, the tenant grants a third of `throttling`, so that the app
    reaches the limits on any machine."""
    redeeming: float = 0.2
    """Share of the invited people (0 to 1) who redeem."""

    def granted(self, sent: float) -> float:
        """Return the share of Graph's limits to grant while `sent` (0 to 1) is the share of requests sent so far."""
        first, last = self.tight
        return self.throttling / 3 if first <= sent < last else self.throttling

    @property
    def settings(self) -> Mapping[str, str]:
        """The hosts' settings. Minutes are shortened to seconds; the replication window is three times the lag."""
        return {
            "B2B_MODE": "convert",
            "B2B_SWEEP_SCHEDULE": "0 0 3 1 1 *",  # never during a soak, which starts the sweep itself
            "B2B_GRAPH_TIMEOUT_SECONDS": "5",
            "B2B_REPLICATION_WINDOW_SECONDS": f"{3 * max(self.lag):.0f}",
            "B2B_BREAKER_WINDOW_SECONDS": "10",
            "B2B_INVITATIONS_PER_MINUTE": "0",  # no pacing, because a new process waits longer than hosts live here
            "REHEARSAL_MESSAGE_LEASE_SECONDS": "5",
            "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:01",
            "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:01",
            "AzureFunctionsJobHost__extensions__queues__batchSize": "8",
            "AzureFunctionsJobHost__extensions__queues__newBatchThreshold": "4",
        }

    def script(self) -> Iterator[dict[str, Any]]:
        """Yield the scripted faults: invitations get every form of Retry-After, before and after their effect."""
        lines = [(kind, when) for kind in _TOLD_TO_WAIT for when in WHENS]
        apart = max(self.requests // (len(lines) + 1), _APART)
        for number, (kind, when) in enumerate(lines, start=1):
            yield {"kind": kind, "when": when, "method": "POST", "path": "/invitations$", "nth": apart * number}
