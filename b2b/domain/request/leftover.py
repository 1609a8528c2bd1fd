"""What can still be learned from a body that could not be parsed."""

from typing import Any

from b2b.domain.errors import MalformedRequest
from b2b.domain.request.body import document
from b2b.domain.request.cloudevents import event_key
from b2b.domain.request.ids import REQUEST_ID, RESERVED_BY_HOST


def told_request_id(raw: bytes) -> str | None:
    """Return the request id of a body that could not be parsed, where one can still be told."""
    try:
        found = document(raw, limit=len(raw))
    except MalformedRequest:
        return None
    return told_id(found)


def told_id(found: dict[str, Any]) -> str | None:
    """Return the request id of a document that is no request, where one can still be told."""
    if "specversion" in found:
        source, event = found.get("source"), found.get("id")
        return event_key(source, event) if isinstance(source, str) and isinstance(event, str) else None
    told = found.get("requestId")
    return told if isinstance(told, str) and REQUEST_ID.fullmatch(told) else None


def keeps_metadata(raw: bytes) -> bool:
    """Tell whether the host surely reports the message's own id.

    It looks for names in bodies that are JSON as they stand, and is more lenient than we are about what JSON is.
    """
    if not raw.lstrip().startswith(b"{"):
        return True
    try:
        return not any(name.lower() in RESERVED_BY_HOST for name in document(raw, limit=len(raw)))
    except MalformedRequest:
        return False
