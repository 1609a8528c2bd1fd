"""The size of a large campaign, and its list as CSV."""

import csv
import io
from dataclasses import dataclass

from rehearsal.soak.population import Population


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The size and settings of one campaign."""

    members: int = 10_000
    """Rows of the list; the default is the most that a list may have."""
    release: int = 3_000
    throttling: float = 1.0
    """Factor on Graph's limits in the tenant: 1 grants them in full."""
    look: float = 30.0
    """Seconds between two reads of a run. Each read is slow, because Azurite scans the whole campaign for the run's
    parts."""
    seed: int = 1
    """Seed of the generated accounts. One account in forty must not be invited."""


def as_csv(population: Population) -> bytes:
    """Return the list as CSV: a row for each account, in the order of the tenant."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("id", "userPrincipalName", "reference"))
    writer.writerows(
        (user["id"], user["userPrincipalName"], f"supplier-{number}")
        for number, user in enumerate(population.tenant()["users"], start=1)
    )
    return text.getvalue().encode()
