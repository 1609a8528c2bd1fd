"""Make and read the tokens with which a caller asks for the next page. A token is valid for one list and filter."""

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
    """A hash of the list and its filters. The filters themselves may contain names of people."""
    month: str = ""
    after: str = ""
    number: int = 0


def of_place(filters: Mapping[str, str], place: Place) -> str:
    """Return the token for a place in a list."""
    return _written(_Token(VERSION, _named(filters), place.month, place.after))


def place(token: str | None, filters: Mapping[str, str], name: str) -> Place | None:
    """Return the place in a list that a token stands for. None, the beginning of the list, if there is no token.

    Raises:
        RequestRefused: the token belongs to another list, or to other filters.

    """
    found = _read(token, filters)
    if found is None:
        return None
    if not _MONTH.fullmatch(found.month) or not (found.after == "" or found.after.startswith(f"{name}~")):
        _refuse()
    return Place(found.month, found.after)


def of_key(about: Mapping[str, str], key: str) -> str:
    """Return the token for a place in a search by name."""
    return _written(_Token(VERSION, _named(about), after=key))


def key(token: str | None, about: Mapping[str, str]) -> str:
    """Return the id of the request after which a search by name continues. Empty at its beginning.

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
    """Return the token for a place in a history."""
    return _written(_Token(VERSION, _named(about), number=number))


def number(token: str | None, about: Mapping[str, str]) -> int:
    """Return the number of the event after which a history continues; 0 at its beginning.

    Raises:
        RequestRefused: the token belongs to another history.

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
