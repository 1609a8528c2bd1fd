"""Read the JSON object that the bytes of a body hold, raw or in base64."""

import json
from typing import Any

import msgspec

from b2b.domain.errors import MalformedRequest
from b2b.domain.request import hints

MAX_BODY_BYTES = 48 * 1024
"""48 KiB: the most that fits, in base64, into a storage queue message of 64 KiB."""
ROOM_FOR_ID = 128
"""Bytes that a request id may add to a body when the app puts it back on the queue."""
DEEPEST = 16
"""The most levels of nesting. A request has five."""
JSON_TYPES = {
    "str": "string",
    "bool": "boolean",
    "int": "number",
    "float": "number",
    "list": "array",
    "dict": "object",
    type(None).__name__: "null",
}
"""The JSON name (RFC 8259) of each Python type, for error messages."""


def document(raw: bytes, limit: int = MAX_BODY_BYTES) -> dict[str, Any]:
    """Return the JSON object of a body of at most ``limit`` bytes.

    Raises:
        MalformedRequest: the body is empty, too large, not JSON or not an object, or gives a name twice.

    """
    text = _bare(raw)
    if not text:
        raise MalformedRequest(
            "EmptyBody",
            "the body is empty; expected a JSON object "
            "(a body sent with Transfer-Encoding: chunked arrives empty: send Content-Length)",
        )
    text = _json_text(text)
    if len(text) > limit:
        raise MalformedRequest("RequestTooLarge", f"the body has {len(text)} bytes; at most {limit} are taken")
    try:
        msgspec.json.decode(text)  # stricter than json: no NaN, no lone surrogates, UTF-8 only
        found = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        said = f"the body is not JSON: {_plain(error)}{hints.of_almost_json(text)}"
        raise MalformedRequest("NotJson", f"{said}; {hints.EXPECTED}") from error
    if _deeper(found, DEEPEST):
        raise MalformedRequest("NotJson", f"the body is nested too deeply; {hints.EXPECTED}")
    if not isinstance(found, dict):
        more = hints.of_other_type(found)
        raise MalformedRequest("WrongType", f"{hints.EXPECTED}, got {json_type(found)}{more}")
    return found


def _bare(text: bytes) -> bytes:
    """Return a text without surrounding white space, and without the mark that some editors put before UTF-8."""
    return text.strip().removeprefix(b"\xef\xbb\xbf").strip()


def _json_text(text: bytes) -> bytes:
    """Return the JSON text of a body: the body itself, or what it holds in base64.

    Raises:
        MalformedRequest: the body is neither JSON nor base64 of JSON.

    """
    if hints.utf16(text):
        raise MalformedRequest("NotJson", hints.of_text(text))
    if text[:1] in b'{["' or _is_scalar(text):
        return text
    inner = _bare(hints.decoded(text) or b"")
    if inner[:1] in (b"{", b"[") and not hints.utf16(inner):
        return inner
    raise MalformedRequest("NotJson", hints.of_text(text))


def _is_scalar(text: bytes) -> bool:
    """Tell whether a body is a JSON number, true, false or null."""
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return True


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


def json_type(value: Any) -> str:
    """Return the JSON name of a value's type."""
    return JSON_TYPES[type(value).__name__]


def _deeper(value: Any, levels: int) -> bool:
    """Tell whether a value is nested deeper than ``levels``. The recursion goes no deeper than that."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(levels == 0 or _deeper(member, levels - 1) for member in members)
