"""An Entra tenant on a laptop: the part of Microsoft Graph that converting users needs, and managed identity.

`create_app` returns it as an ASGI application, `running` serves it on a loopback port for the length of a with-block,
and `python -m rehearsal.tenant` serves it from the command line.
"""

from rehearsal.tenant.control.client import Control
from rehearsal.tenant.serving.app import create_app
from rehearsal.tenant.serving.serve import RunningTenant, running

__all__ = ["Control", "RunningTenant", "create_app", "running"]
