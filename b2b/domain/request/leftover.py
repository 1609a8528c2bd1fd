"""Find out what a body that could not be parsed still says."""

from typing import Any

from b2b.domain.errors import MalformedRequest
from b2b.domain.request.body import document
from b2b.domain.request.cloudevents import event_key
from b2b.domain.request.ids import REQUEST_ID, RESERVED_BY_HOST


def told_request_id(raw: bytes) -> str | None:
    """Return the request id in a body that could not be parsed; None if there is none that can be read."""
    try:
        found = document(raw, limit=len(raw))
    except MalformedRequest:
        return None
    return told_id(found)


def told_id(found: dict[str, Any]) -> str | None:
    """Return the request id in a JSON object that is not a valid request; None if there is none that can be read."""
    if "specversion" in found:
        source, event = found.get("source"), found.get("id")
        return event_key(source, event) if isinstance(source, str) and isinstance(event, str) else None
    told = found.get("requestId")
    return told if isinstance(told, str) and REQUEST_ID.fullmatch(told) else None


def keeps_metadata(raw: bytes) -> bool:
    """Tell whether the host is certain to report the message's own id, and not a value from its body.

    The host looks for reserved names in a body that is raw JSON. The host accepts more as JSON than this app does. So
    if a body begins like JSON and the app cannot read it, the answer is no.
    """
    if not raw.lstrip().startswith(b"{"):
        return True
    try:
        return not any(name.lower() in RESERVED_BY_HOST for name in document(raw, limit=len(raw)))
    except MalformedRequest:
        return False
