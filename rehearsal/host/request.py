"""Read the head of a request as Kestrel, the real host's web server, does: its limits, URL, query and headers."""

import re
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

Scope = MutableMapping[str, Any]

_LARGEST_LINE = 8_192
_LARGEST_HEADERS = 32_768
_MOST_HEADERS = 100
_AROUND_TARGET = len("  HTTP/1.1\r\n")
_AROUND_HEADER = len(": \r\n")
_BAD_REQUEST, _URI_TOO_LONG, _HEADERS_TOO_LARGE = 400, 414, 431

_ESCAPES = re.compile("(?:%[0-9A-Fa-f]{2})+")
_ESCAPES_BUT_SLASH = re.compile("(?:%(?!2[fF])[0-9A-Fa-f]{2})+")
_BARE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_PATH_CHARACTERS = "!$&'()*+,-./:;=@_~%"


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request as a function sees it. Header names are in lower case; commas join repeated values."""

    method: str
    url: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]


class Refused(Exception):
    """The web server refuses the request before it looks for a function."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def read_head(scope: Scope) -> Request:
    """Read the head of a request. Raises `Refused` if Kestrel would refuse it."""
    target, query_string = scope["raw_path"].decode("ascii"), scope["query_string"].decode("ascii")
    if len(scope["method"]) + len(target) + len(query_string) + _AROUND_TARGET > _LARGEST_LINE:
        raise Refused(_URI_TOO_LONG)
    headers = _headers(scope["headers"])
    host = headers.get("host", "")
    path = decoded_path(_origin(target, host))
    url = f"http://{host}{_encoded_path(path)}" + (f"?{query_string}" if query_string else "")
    return Request(scope["method"].upper(), url, path, headers, _query(query_string))


def decoded_path(raw_path: str) -> str:
    """Return a path as routes see it: all escapes but `%2F` decoded, then `.` and `..` resolved.

    Raises:
        Refused: the path contains `%00`.
    """
    path = _ESCAPES_BUT_SLASH.sub(_decoded, raw_path)
    if "\0" in path:
        raise Refused(_BAD_REQUEST)
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _origin(target: str, host: str) -> str:
    """Return the path in the target of a request.

    An absolute URL is accepted if its host is that of the Host header.
    """
    if target.startswith("/"):
        return target
    address = urlsplit(target)
    if address.scheme not in ("http", "https") or address.netloc.lower() != host.lower():
        raise Refused(_BAD_REQUEST)
    return address.path or "/"


def _encoded_path(path: str) -> str:
    """Return a decoded path as `req.url` shows it: encoded again, except for parts that already are escapes."""
    return quote(_BARE_PERCENT.sub("%25", path), safe=_PATH_CHARACTERS)


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    lines = list(raw)
    size = sum(len(name) + len(value) + _AROUND_HEADER for name, value in lines)
    if size > _LARGEST_HEADERS or len(lines) > _MOST_HEADERS:
        raise Refused(_HEADERS_TOO_LARGE)
    try:
        return _joined((name.decode("ascii").lower(), value.decode()) for name, value in lines)
    except UnicodeDecodeError:
        raise Refused(_BAD_REQUEST) from None


def _query(text: str) -> dict[str, str]:
    """Return the query parameters. Like the real host, it drops those without a value."""
    pairs = (part.partition("=") for part in text.replace("+", " ").split("&") if part)
    unescaped = ((_ESCAPES.sub(_decoded, name), _ESCAPES.sub(_decoded, value)) for name, _, value in pairs)
    return {name: value for name, value in _joined(unescaped).items() if value}


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join the values of each name with commas.

    Names that differ only in case are equal, and the last spelling counts.
    """
    spelling: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        spelling[name.lower()] = name
        values.setdefault(name.lower(), []).append(value)
    return {spelling[name]: ",".join(filter(None, found)) for name, found in values.items()}


def _decoded(escapes: re.Match[str]) -> str:
    """Decode a sequence of escapes as UTF-8. Bytes that are not UTF-8 stay escaped."""
    text, rest = "", escapes[0]
    while rest:
        data = bytes.fromhex(rest.replace("%", ""))
        try:
            return text + data.decode()
        except UnicodeDecodeError as error:
            text += data[: error.start].decode() + rest[3 * error.start : 3 * error.end]
            rest = rest[3 * error.end :]
    return text
