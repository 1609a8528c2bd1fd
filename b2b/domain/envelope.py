"""From bytes to what they say, or to a refusal by name: raw or base64 JSON, bare or in a CloudEvents 1.0 envelope."""

import base64
import binascii
import hashlib
import json
import re
from typing import Any, TypeVar

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
_JSON_TYPES = {
    "str": "string",
    "bool": "boolean",
    "int": "number",
    "float": "number",
    "list": "array",
    "dict": "object",
    type(None).__name__: "null",
}
"""A caller is told the types of JSON (RFC 8259), whatever they are called in here."""

Part = TypeVar("Part", bound=msgspec.Struct)


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
        raise MalformedRequest("WrongType", f"expected a JSON object, got {_json_type(found)}")
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
    known = {RecursionError: "nested too deeply", UnicodeDecodeError: "not UTF-8"}
    return known.get(type(error)) or str(error).partition(" - at `")[0]


def _json_type(value: Any) -> str:
    return _JSON_TYPES[type(value).__name__]


def _deeper(value: Any, levels: int) -> bool:
    """Tell whether a value is nested deeper than so many levels, without going any deeper."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(levels == 0 or _deeper(member, levels - 1) for member in members)


def names(*kinds: type[msgspec.Struct]) -> frozenset[str]:
    """Return the names that these parts of a document have in JSON."""
    return frozenset(field.encode_name for kind in kinds for field in msgspec.structs.fields(kind))


def convert(document: dict[str, Any], kind: type[Part], known: frozenset[str]) -> Part:
    """Return a JSON object as ``kind``: a known name that is null is absent, an unknown one is refused by its name.

    Raises:
        MalformedRequest: names the field and what was expected.

    """
    try:
        return msgspec.convert(_without_nulls(document, known), kind)
    except msgspec.ValidationError as error:
        raise _named(str(error)) from error


def _without_nulls(value: Any, known: frozenset[str]) -> Any:
    if isinstance(value, dict):
        kept = ((name, member) for name, member in value.items() if member is not None or name not in known)
        return {name: _without_nulls(member, known) for name, member in kept}
    return [_without_nulls(member, known) for member in value] if isinstance(value, list) else value


_REFUSALS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"Object contains unknown field `(?P<field>.*)`", re.DOTALL), "UnknownField", "not a known field"),
    (re.compile(r"Object missing required field `(?P<field>[^`]*)`"), "MissingField", "required"),
    (re.compile(r"Expected `(?P<wanted>[^`]*)`, got `(?P<got>[^`]*)`"), "WrongType", "expected {wanted}, got {got}"),
)
"""msgspec's texts (pinned version, held by tests), our error code for each, and what the caller is told."""
_PLACED = re.compile(r"(?P<message>.*) - at `\$(?P<path>([.\[][\w.\[\]]*)?)`", re.DOTALL)
"""Where msgspec says it found the problem; a field's own name may look alike, but not start with a dot or bracket."""


def _named(text: str) -> MalformedRequest:
    placed = _PLACED.fullmatch(text)
    message, path = (placed["message"], placed["path"].lstrip(".")) if placed else (text, "")
    for pattern, code, said in _REFUSALS:
        if match := pattern.fullmatch(message):
            words = match.groupdict()
            target = ".".join(part for part in (path, words.get("field")) if part)
            told = said.format(**{name: _in_json(word) for name, word in words.items()})
            return MalformedRequest(code, f"{target}: {told}".removeprefix(": "), target)
    return MalformedRequest("InvalidValue", text, path)


def _in_json(types: str) -> str:
    """Name a type of msgspec as JSON does; that null is taken, too, goes without saying."""
    return _JSON_TYPES.get(types.removesuffix(" | null"), types.removesuffix(" | null"))


def open_envelope(event: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the key of a CloudEvents 1.0 event and the request in it (cloudevents/spec 1.0.2, required attributes)."""
    for name in ("specversion", "id", "source", "type"):
        _require(event, name, str)
    if not event["source"].isprintable():
        raise MalformedRequest("InvalidValue", "source: expected a URI reference", "source")
    if event["specversion"] != "1.0":
        raise MalformedRequest("InvalidValue", "specversion: expected '1.0'", "specversion")
    for name in event:
        if name != "id" and (name in RESERVED_BY_HOST or not _CLOUDEVENT_ATTRIBUTE.fullmatch(name)):
            raise MalformedRequest("UnknownField", f"{name}: not an attribute of a CloudEvents envelope", name)
    _require(event, "data", dict)
    return _event_key(event["source"], event["id"]), event["data"]


def _require(event: dict[str, Any], name: str, kind: type) -> None:
    value = event.get(name)
    if value is None:
        raise MalformedRequest("MissingField", f"{name}: required in a CloudEvents envelope", name)
    if not isinstance(value, kind):
        expected = f"expected {_JSON_TYPES[kind.__name__]}, got {_json_type(value)}"
        raise MalformedRequest("WrongType", f"{name}: {expected}", name)
    if value == "":
        raise MalformedRequest("InvalidValue", f"{name}: expected a string that is not empty", name)


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
