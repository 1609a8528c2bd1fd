"""A rig connects the app to a tenant and a storage account, and observes it from outside.

`Rig` observes an app wherever it runs; `HostedRig` adds a Functions host, and `hosted` starts one.
"""

from rehearsal.rig.hosted import HostedRig, hosted
from rehearsal.rig.rig import Rig, Row
from rehearsal.rig.settings import APP, NEVER, app_settings, without_foreign

__all__ = ["APP", "NEVER", "HostedRig", "Rig", "Row", "app_settings", "hosted", "without_foreign"]
