"""Detect the encoding of a list, and decode its bytes to text."""

import codecs
from enum import StrEnum
from typing import Final

from b2b.domain.errors import MalformedRequest

MOST_BYTES: Final = 8 * 1024 * 1024
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_SAMPLE = 400
"""How many of the first bytes are read to detect UTF-16 without a byte order mark.

In a header of ASCII characters, every second byte of UTF-16 is zero.
"""


class Encoding(StrEnum):
    """Encodings that a caller may name. The app detects Unicode, but Windows-1252 has to be named."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16"
    WINDOWS_1252 = "windows-1252"


def decoded(raw: bytes, told: Encoding | None = None) -> str:
    """Return the text of a list. A byte order mark overrides the encoding that the caller named (``told``).

    Raises:
        MalformedRequest: the list is empty, too large, or not text in its encoding.

    """
    if len(raw) > MOST_BYTES:
        raise MalformedRequest(
            "ListTooLarge", f"the list has {len(raw)} bytes; at most {MOST_BYTES} are taken: split it"
        )
    mark, codec = next(((mark, codec) for mark, codec in _MARKS if raw.startswith(mark)), (b"", ""))
    codec = codec or _codec(raw, told)
    body = raw.removeprefix(mark)
    text = _text(body, codec)
    if not text.strip():
        raise MalformedRequest("EmptyBody", "the list is empty; expected a line of headers and a line for each person")
    if (place := text.find("\0")) >= 0:
        line = text.count("\n", 0, place) + 1
        raise MalformedRequest("ListNotText", f"line {line} holds a NUL: export the list anew as CSV")
    return text


def _codec(raw: bytes, told: Encoding | None) -> str:
    head = raw[:_SAMPLE]
    unmarked = {"utf-16-le": head[1::2], "utf-16-be": head[::2]}
    wide = next((codec for codec, zeros in unmarked.items() if zeros.count(0) * 2 > len(head) // 2 > 1), None)
    if told is Encoding.WINDOWS_1252 and not raw.isascii() and _is_utf8(raw):
        raise MalformedRequest(
            "ListNotText", "the list is UTF-8, not Windows-1252: send it without a charset", "charset"
        )
    if told is Encoding.WINDOWS_1252:
        return "cp1252"
    return wide or ("utf-16-le" if told is Encoding.UTF_16 else "utf-8")


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text(body: bytes, codec: str) -> str:
    try:
        return body.decode(codec)
    except UnicodeDecodeError as error:
        line = body[: error.start].decode(codec, "ignore").count("\n") + 1
        hint = (
            "save the list as 'CSV UTF-8' in Excel, or send it as Content-Type: text/csv; charset=windows-1252 "
            "if Excel saved it as plain 'CSV'"
            if codec == "utf-8"
            else "name the encoding in which the list was saved, or save it as UTF-8"
        )
        name = "Windows-1252" if codec == "cp1252" else codec.upper()[: len("UTF-16")]
        raise MalformedRequest("ListNotText", f"line {line} is not text in {name}: {hint}") from error
