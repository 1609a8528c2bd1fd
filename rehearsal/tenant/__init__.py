"""An Entra tenant on a laptop: Microsoft Graph as far as converting users needs it, with managed identity.

`create_app` makes it as an ASGI application, `running` serves it on a loopback port, `python -m rehearsal.tenant` from
the command line.
"""

from rehearsal.tenant.control.client import Control
from rehearsal.tenant.serving.app import create_app
from rehearsal.tenant.serving.serve import RunningTenant, running

__all__ = ["Control", "RunningTenant", "create_app", "running"]
