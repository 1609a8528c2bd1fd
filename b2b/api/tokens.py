"""Tokens with which a caller asks for the next page. A token is for one list with the same filters, and no other."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import NoReturn

import msgspec

from b2b.domain.error_codes import ErrorCode
from b2b.domain.errors import RequestRefused
from b2b.domain.hashing import digest
from b2b.domain.request.ids import REQUEST_ID
from b2b.domain.request.line import Place

VERSION = 1
LONGEST = 1_000
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


class _Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    v: int
    of: str
    """A hash of the list and its filters: they are not repeated here, and names are among them."""
    month: str = ""
    after: str = ""
    number: int = 0


def of_place(filters: Mapping[str, str], place: Place) -> str:
    """Return the token of a place in a list."""
    return _written(_Token(VERSION, _named(filters), place.month, place.after))


def place(token: str | None, filters: Mapping[str, str], name: str) -> Place | None:
    """Return the place in a list that a token names. None: the beginning of the list.

    Raises:
        RequestRefused: it is not of this list with these filters.

    """
    found = _read(token, filters)
    if found is None:
        return None
    if not _MONTH.fullmatch(found.month) or not (found.after == "" or found.after.startswith(f"{name}~")):
        _refuse()
    return Place(found.month, found.after)


def of_key(about: Mapping[str, str], key: str) -> str:
    """Return the token of a place among the requests that have a name."""
    return _written(_Token(VERSION, _named(about), after=key))


def key(token: str | None, about: Mapping[str, str]) -> str:
    """Return the id of the request after which a search continues; empty at its beginning.

    Raises:
        RequestRefused: the token belongs to another search.

    """
    found = _read(token, about)
    if found is None:
        return ""
    if found.month or found.number or not REQUEST_ID.fullmatch(found.after):
        _refuse()
    return found.after


def of_number(about: Mapping[str, str], number: int) -> str:
    """Return the token of a place in a history."""
    return _written(_Token(VERSION, _named(about), number=number))


def number(token: str | None, about: Mapping[str, str]) -> int:
    """Return the number behind which a history goes on; 0: the beginning.

    Raises:
        RequestRefused: it is not of this history.

    """
    found = _read(token, about)
    if found is None:
        return 0
    if found.number <= 0 or found.month or found.after:
        _refuse()
    return found.number


def _written(token: _Token) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode().rstrip("=")


def _read(token: str | None, filters: Mapping[str, str]) -> _Token | None:
    if token is None:
        return None
    try:
        if len(token) > LONGEST:
            _refuse()
        padded = token + "=" * (-len(token) % 4)
        found = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=_Token)
    except (binascii.Error, ValueError):
        _refuse()
    if found.v != VERSION or found.of != _named(filters):
        _refuse()
    return found


def _named(filters: Mapping[str, str]) -> str:
    return digest(msgspec.json.encode(sorted(filters.items())))[:16]


def _refuse() -> NoReturn:
    said = "continuationToken: not of this list with these filters; ask for the list from its beginning"
    raise RequestRefused(ErrorCode.INVALID_TOKEN, said, "continuationToken")
