"""Send requests by queue or HTTP, and tell the id under which each is recorded."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from rehearsal.rig import HostedRig
from rehearsal.sample import Account, Malformed, Request


@dataclass(frozen=True, slots=True)
class Receipt:
    """The id under which a request is recorded and, if it was sent by HTTP, the answer."""

    request_id: str | None
    """None if the request was refused by HTTP."""
    status: int | None = None
    body: dict[str, Any] = field(default_factory=dict)
    error_code: str | None = None
    """The header `x-ms-error-code`."""


def send(rig: HostedRig, entry: Account | Malformed) -> Receipt:
    """Send the request of one sample entry in the way that the entry states."""
    request: Request | Malformed = entry.request if isinstance(entry, Account) else entry
    if request.by == "http":
        return received(rig.api.post("/api/requests", content=request.text.encode(), headers=_JSON))
    message_id = rig.send(request.message)
    return Receipt(request.request_id or derived_id(request.text, message_id))


_JSON = {"content-type": "application/json"}


def received(answer: httpx.Response) -> Receipt:
    """Read the API's answer to a POST."""
    content = answer.json() if answer.content else {}
    return Receipt(
        request_id=content.get("requestId"),
        status=answer.status_code,
        body=content,
        error_code=answer.headers.get("x-ms-error-code"),
    )


def derived_id(text: str, message_id: str) -> str:
    """Return the id that the app derives for a request without one: from its event, or else from its message."""
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict) or "specversion" not in content:
        return f"queue-{message_id}"
    key = f"{content['source']}\n{content['id']}"
    return f"event-{hashlib.sha256(key.encode()).hexdigest()[:48]}"
