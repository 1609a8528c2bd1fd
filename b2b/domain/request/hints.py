"""Recognise what common tools make of a body when they wrap, encode or print it, and tell the sender what to change."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from b2b.domain.characters import shown

EXPECTED = "expected a JSON object"


class Hint(NamedTuple):
    """A kind of wrong body: the test that recognises it, and the message to its sender."""

    fits: Callable[[bytes], object]
    said: str


_WORTH_NAMING = 16
"""A text that decodes as base64 and has at least this many bytes is hardly base64 by chance."""
_STANDARD = bytes.maketrans(b"-_", b"+/")
_FORM = re.compile(rb"[A-Za-z0-9_.%-]+=[^&\s]*(&[A-Za-z0-9_.%-]+=[^&\s]*)*")


def utf16(body: bytes) -> bool:
    """Tell whether a text is in UTF-16 or UTF-32, by its byte order mark or by a zero in its first four bytes."""
    return body[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in body[:4]


def decoded(body: bytes) -> bytes | None:
    """Return the content of base64; None if the text is not base64. White space in it is ignored (RFC 2045, .NET)."""
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error:
        return None


def _holds(body: bytes, kind: Callable[[bytes], object]) -> bool:
    inner = decoded(body)
    return inner is not None and bool(kind(inner))


def _compressed(body: bytes) -> bool:
    return body[:2] == b"\x1f\x8b"


def _is_json(body: bytes) -> bool:
    return body.strip()[:1] in (b"{", b"[")


def _mended(body: bytes, *, urls: bool) -> bool:
    """Tell whether a text would be base64 of JSON if it were corrected.

    ``urls``: True for a text in the alphabet of URLs, False for a text without padding.
    """
    text = b"".join(body.split()).rstrip(b"=")
    if urls == (text.translate(_STANDARD) == text):
        return False
    return _holds(text.translate(_STANDARD) + b"=" * (-len(text) % 4), _is_json)


def _looks_like_csv(body: bytes) -> bool:
    first, _, rest = body.partition(b"\n")
    mark = max((b",", b";", b"\t"), key=first.count)
    return first.count(mark) > 0 and rest.partition(b"\n")[0].count(mark) > 0


_NOT_JSON = (
    Hint(lambda body: re.match(rb"b['\"]", body), "b'…' is how Python shows bytes: decode them before they are sent"),
    Hint(_compressed, "the body is compressed: send it as it is"),
    Hint(lambda body: _holds(body, _compressed), "the base64 is of a compressed body: encode the body itself"),
    Hint(utf16, "the body is UTF-16 or UTF-32: send UTF-8"),
    Hint(lambda body: _holds(body, utf16), "the base64 is of UTF-16: encode the bytes of UTF-8"),
    Hint(lambda body: body[:5].lower() == b"data:", "the body is a data: URL: send what follows its comma"),
    Hint(
        lambda body: _holds(body, lambda inner: _holds(inner, _is_json)),
        "the body is base64 of base64: encode it once",
    ),
    Hint(
        lambda body: _holds(body, lambda inner: inner.strip()[:1] == b'"'),
        "the base64 is of a JSON string: encode the object itself",
    ),
    Hint(lambda body: _mended(body, urls=True), "the body is base64 in the alphabet of URLs: use + and /, not - and _"),
    Hint(lambda body: _mended(body, urls=False), "the body is base64 without its padding (=)"),
    Hint(
        lambda body: body.startswith((b"System.", b"@{")),
        "the body is what PowerShell shows of an object: use ConvertTo-Json",
    ),
    Hint(lambda body: body[:1] == b"<", "the body is XML or HTML"),
    Hint(_looks_like_csv, "the body is CSV: send one request per row, each as JSON"),
    Hint(lambda body: len(body) >= _WORTH_NAMING and decoded(body), "the body is base64, but not of JSON"),
    Hint(_FORM.fullmatch, "the body is a form: send JSON"),
)


def of_text(body: bytes) -> str:
    """Return the message about a body that is neither JSON nor base64 of JSON."""
    said = next((hint.said for hint in _NOT_JSON if hint.fits(body)), "the body is neither JSON nor base64 of JSON")
    return f"{said}; {EXPECTED}"


_CURLY = re.compile("[\u2018\u2019\u201c\u201d\u201e]")
_ALMOST_JSON = (
    Hint(lambda body: re.match(rb"[{\[]\s*'", body), "names and texts stand in double quotes; Python has json.dumps"),
    Hint(lambda body: re.match(rb"\{\s*[A-Za-z_]", body), "names stand in double quotes"),
    Hint(lambda body: re.search(rb"\}\s*\{", body), "send each request alone"),
)


def of_almost_json(body: bytes) -> str:
    """Return a hint about a text that begins like JSON but is not; empty if the cause is not known."""
    text = body.decode(errors="replace")
    if curly := _CURLY.search(text.partition(":")[0]):
        return f" ({shown(curly.group())} is no double quote)"
    return next((f" ({hint.said})" for hint in _ALMOST_JSON if hint.fits(body)), "")


EVENT_GRID = "this is Event Grid's own schema: choose CloudEvents 1.0 for the event subscription"
_WRAPPERS: dict[str, str] = {
    "$content": "Logic Apps wraps a file so: send base64ToString(…['$content'])",
    "ContentData": "Logic Apps wraps a message so: send base64ToString(…['ContentData'])",
    "eventType": EVENT_GRID,
}
"""Top-level names by which a platform's wrapper around a request is recognised, and the message to its sender."""


_LISTED = {
    "eventType": EVENT_GRID,
    "specversion": "a batch of CloudEvents: let each event come alone",
    "invitedUser": "send each request alone",
}
"""Names by which the members of a list are recognised, and the message to its sender."""


def of_wrapper(document: dict[str, Any]) -> tuple[str, str] | None:
    """Return the field by which a wrapper is recognised, and the message to its sender; None if there is no wrapper."""
    return next(((name, said) for name, said in _WRAPPERS.items() if name in document), None)


def of_other_type(found: Any) -> str:
    """Return a hint about JSON that is not an object; empty if the cause is not known."""
    if isinstance(found, str) and found.strip()[:1] == "{":
        return " (JSON inside a JSON string: send the object itself)"
    if isinstance(found, str) and _holds(found.encode(errors="replace"), _is_json):
        return " (base64 inside a JSON string: send it without the quotes)"
    names = {name for item in found if isinstance(item, dict) for name in item} if isinstance(found, list) else set()
    return next((f" ({said})" for name, said in _LISTED.items() if name in names), "")
