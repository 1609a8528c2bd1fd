"""How large a campaign is, and its list."""

import csv
import io
from dataclasses import dataclass

from rehearsal.soak.population import Population


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One campaign."""

    members: int = 10_000
    """As many as a list may have."""
    release: int = 3_000
    throttling: float = 1.0
    """Share of Graph's limits that the tenant grants."""
    look: float = 30.0
    """Seconds between two looks at a run: each reads all of its parts, for which Azurite goes through the campaign."""
    seed: int = 1
    """Decides on the accounts: one in forty must not be invited."""


def as_csv(population: Population) -> bytes:
    """Write the list: a row for each account, in the order of the tenant."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("id", "userPrincipalName", "reference"))
    writer.writerows(
        (user["id"], user["userPrincipalName"], f"supplier-{number}")
        for number, user in enumerate(population.tenant()["users"], start=1)
    )
    return text.getvalue().encode()
