"""The environment that connects an app with a tenant and a storage account."""

import os
from pathlib import Path

from rehearsal.tenant import RunningTenant

APP = Path(__file__).parents[2]
"""The directory of function_app.py and host.json."""
NEVER = "0 0 3 1 1 *"
"""A schedule that no run meets: the sweep is started on demand."""
FOREIGN = (
    *("B2B", "AZURE_", "AzureWebJobs", "AzureFunctionsJobHost__", "GRAPH_", "IDENTITY_", "MSI_", "REHEARSAL_"),
    *("APPLICATIONINSIGHTS_", "APPINSIGHTS_", "OTEL_"),
)
"""Prefixes of variables that would change the app or the host. Those of the caller's shell are removed.

With those of the last line the app would send its telemetry to a service.
"""


def app_settings(tenant: RunningTenant, storage: str, **settings: str) -> dict[str, str]:
    """Return the app's settings in convert mode. `settings` override the usual ones."""
    return {
        **tenant.identity_env,
        "B2BStorage": storage,
        "GRAPH_BASE_URL": tenant.graph_url,
        "B2B_MODE": "convert",
        "B2B_SWEEP_SCHEDULE": NEVER,
        "B2B_COMPARE_ACCESS": "false",  # two readings a replication window apart take longer than most runs
        **settings,
    }


def without_foreign() -> dict[str, str | None]:
    """Return None, which removes a variable, for each variable of this process that would change app or host."""
    return {name: None for name in os.environ if name.startswith(FOREIGN)}
