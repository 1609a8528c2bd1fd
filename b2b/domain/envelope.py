"""How a request travels: raw or base64 JSON, bare or in a CloudEvents 1.0 envelope."""

import base64
import binascii
import hashlib
import json
import re
from typing import Any

import msgspec

from b2b.domain.errors import MalformedRequest

MAX_BODY_BYTES = 48 * 1024
"""48 KiB: what base64 leaves of a storage queue message of 64 KiB."""
ROOM_FOR_ID = 128
"""What a request id adds to a body that we put back on the queue."""
DEEPEST = 16
"""Levels of nesting; a request has five."""

RESERVED_BY_HOST = frozenset(
    {"id", "dequeuecount", "popreceipt", "insertiontime", "expirationtime", "nextvisibletime", "queuetrigger"}
)
"""Top-level names of a JSON body with which the Functions host overrides the queue message's own metadata, in any case
(webjobs-sdk, Utility.ApplyBindingData)."""

REQUEST_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}")
"""Not `.` and `..`: as the last part of an address they would mean another one."""
MADE_BY_US = ("queue-", "event-", "body-")
"""Prefixes of request ids that the service makes itself."""
_CLOUDEVENT_ATTRIBUTE = re.compile(r"[a-z0-9]{1,20}")


def digest(body: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(body).hexdigest()


def document(raw: bytes, limit: int = MAX_BODY_BYTES) -> dict[str, Any]:
    """Return the JSON object of a body of at most ``limit`` bytes.

    Raises:
        MalformedRequest: empty, too large, not JSON, not an object, or a name given twice.

    """
    text = raw.strip().removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        raise MalformedRequest(
            "EmptyBody",
            "the body is empty; expected a JSON object "
            "(a body sent with Transfer-Encoding: chunked arrives empty: send Content-Length)",
        )
    text = text if text[:1] in b'{["' else _from_base64(text)
    if len(text) > limit:
        raise MalformedRequest(
            "RequestTooLarge", f"the body has {len(text)} bytes; at most {limit} are taken", status=413
        )
    try:
        msgspec.json.decode(text)  # stricter than json: no NaN, no lone surrogates, UTF-8 only
        found = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest("NotJson", f"the body is not JSON: {_plain(error)}; expected a JSON object") from error
    if _deeper(found, DEEPEST):
        raise MalformedRequest("NotJson", "the body is nested too deeply; expected a JSON object")
    if not isinstance(found, dict):
        raise MalformedRequest("WrongType", f"expected a JSON object, got {type(found).__name__}")
    return found


def _from_base64(text: bytes) -> bytes:
    try:
        decoded = base64.b64decode(text, validate=True).strip().removeprefix(b"\xef\xbb\xbf").strip()
    except binascii.Error:
        return text
    return decoded if decoded[:1] in (b"{", b"[") else text


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise MalformedRequest("InvalidValue", f"{name}: given twice; expected once", name)
        found[name] = value
    return found


def _plain(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _deeper(value: Any, levels: int) -> bool:
    """Tell whether a value is nested deeper than so many levels, without going any deeper."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(levels == 0 or _deeper(member, levels - 1) for member in members)


def open_envelope(event: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the key of a CloudEvents 1.0 event and the request in it (cloudevents/spec 1.0.2, required attributes)."""
    for name in ("specversion", "id", "source", "type"):
        if not isinstance(event.get(name), str) or not event[name]:
            raise MalformedRequest("MissingField", f"{name}: expected a text, as CloudEvents 1.0 requires", name)
    if not event["source"].isprintable():
        raise MalformedRequest("InvalidValue", "source: expected a URI reference", "source")
    if event["specversion"] != "1.0":
        raise MalformedRequest("InvalidValue", "specversion: expected '1.0'", "specversion")
    for name in event:
        if name != "id" and (name in RESERVED_BY_HOST or not _CLOUDEVENT_ATTRIBUTE.fullmatch(name)):
            raise MalformedRequest("UnknownField", f"{name}: not an attribute of a CloudEvents envelope", name)
    if not isinstance(event.get("data"), dict):
        raise MalformedRequest("MissingField", "data: expected the request as a JSON object", "data")
    return _event_key(event["source"], event["id"]), event["data"]


def _event_key(source: str, event_id: str) -> str:
    """CloudEvents: source and id together are unique to the event."""
    return "event-" + digest(f"{source}\n{event_id}".encode())[:48]


def told_request_id(raw: bytes) -> str | None:
    """Return the request id of a body that could not be parsed, where one can still be told."""
    try:
        found = document(raw, limit=len(raw))
    except MalformedRequest:
        return None
    if "specversion" in found:
        source, event = found.get("source"), found.get("id")
        return _event_key(source, event) if isinstance(source, str) and isinstance(event, str) else None
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
