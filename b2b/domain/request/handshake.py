"""Answer a sender that asks for permission to deliver events over HTTP (CloudEvents, HTTP Webhook, 4).

Event Grid asks before it creates a subscription with CloudEvents 1.0 to a webhook
(https://learn.microsoft.com/azure/event-grid/end-point-validation-cloud-events-schema).
"""

import re
from collections.abc import Mapping

METHODS = "POST, OPTIONS"
_ORIGIN = re.compile(r"[A-Za-z0-9.-]{1,253}")


def permission(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that let the sender deliver events, without a limit on their rate.

    The function key has authorised the sender already. The address in `WebHook-Request-Callback` is ignored, because
    the answer itself grants permission and the app never calls an address that a caller names.
    """
    told = {name.lower(): value.strip() for name, value in headers.items()}
    origin = told.get("webhook-request-origin", "")
    granted = {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"} if _ORIGIN.fullmatch(origin) else {}
    return {"Allow": METHODS, **granted}
