"""The environment variables that connect the app with a tenant and a storage account."""

import os
from pathlib import Path

from rehearsal.tenant import RunningTenant

APP = Path(__file__).parents[2]
"""The directory that holds function_app.py and host.json."""
NEVER = "0 0 3 29 2 *"
"""A schedule that does not come due during a run, not even if the run moves the clock ahead by weeks: rehearsals start
the sweep themselves.
"""
FOREIGN = (
    *("B2B", "AZURE_", "AzureWebJobs", "AzureFunctionsJobHost__", "GRAPH_", "IDENTITY_", "MSI_", "REHEARSAL_"),
    *("APPLICATIONINSIGHTS_", "APPINSIGHTS_", "OTEL_"),
)
"""Prefixes of variables in the caller's shell that would change the app or the host. The app starts without them.

The variables of the last line would make the app send its telemetry to a service.
"""


def app_settings(tenant: RunningTenant, storage: str, **settings: str) -> dict[str, str]:
    """Return the app's settings in convert mode. `settings` replace the usual values."""
    return {
        **tenant.identity_env,
        "B2BStorage": storage,
        "GRAPH_BASE_URL": tenant.graph_url,
        "B2B_MODE": "convert",
        "B2B_SWEEP_SCHEDULE": NEVER,
        "B2B_COMPARE_ACCESS": "false",  # its two readings, a replication window apart, take longer than most runs
        **settings,
    }


def without_foreign() -> dict[str, str | None]:
    """Map each variable of this process that would change the app or the host to None, which removes it."""
    return {name: None for name in os.environ if name.startswith(FOREIGN)}
