"""Open the CloudEvents 1.0 envelope around a request (cloudevents/spec 1.0.2)."""

import re
from typing import Any

from b2b.domain.errors import MalformedRequest
from b2b.domain.hashing import digest
from b2b.domain.request.body import JSON_TYPES, document, json_type
from b2b.domain.request.ids import RESERVED_BY_HOST

BINARY = "data_base64"
_ATTRIBUTE = re.compile(r"[a-z0-9]{1,20}")


def open_envelope(event: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the request id of a CloudEvents 1.0 event, and the request in it as a JSON object.

    Raises:
        MalformedRequest: the event lacks a required attribute or its data, or has an attribute that is not allowed.

    """
    for name in ("specversion", "id", "source", "type"):
        _require(event, name, str)
    if not event["source"].isprintable():
        raise MalformedRequest("InvalidValue", "source: expected a URI reference", "source")
    if event["specversion"] != "1.0":
        raise MalformedRequest("InvalidValue", "specversion: expected '1.0'", "specversion")
    for name in event:
        if name not in {"id", BINARY} and (name in RESERVED_BY_HOST or not _ATTRIBUTE.fullmatch(name)):
            raise MalformedRequest("UnknownField", f"{name}: not an attribute of a CloudEvents envelope", name)
    return event_key(event["source"], event["id"]), _data(event)


def _data(event: dict[str, Any]) -> dict[str, Any]:
    """Return the request in an event: a JSON object, or the base64 of one."""
    if event.get(BINARY) is None:
        _require(event, "data", dict)
        data: dict[str, Any] = event["data"]
        return data
    if event.get("data") is not None:
        raise MalformedRequest("InvalidValue", f"{BINARY}: left out where there is data", BINARY)
    _require(event, BINARY, str)
    try:
        return document(event[BINARY].encode())
    except MalformedRequest as error:
        raise MalformedRequest(error.code, f"{BINARY}: {error.message}", BINARY) from error


def _require(event: dict[str, Any], name: str, kind: type) -> None:
    value = event.get(name)
    if value is None:
        raise MalformedRequest("MissingField", f"{name}: required in a CloudEvents envelope", name)
    if not isinstance(value, kind):
        expected = f"expected {JSON_TYPES[kind.__name__]}, got {json_type(value)}"
        raise MalformedRequest("WrongType", f"{name}: {expected}", name)
    if value == "":
        raise MalformedRequest("InvalidValue", f"{name}: expected a string that is not empty", name)


def event_key(source: str, event_id: str) -> str:
    """Return the request id of an event, made from its source and id, which are unique together."""
    return "event-" + digest(f"{source}\n{event_id}".encode())[:48]
