"""CSV that a spreadsheet shows as text: no cell of it is a formula, whatever a list or a directory holds.

OWASP, CSV injection: a cell that begins with =, +, -, @, a tab or a line end is prefixed with an apostrophe, which
Excel, Calc and Sheets show or hide and do not run. Reading a list takes it off again.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Final

MARK: Final = "\ufeff"
"""Excel takes CSV for UTF-8 where it begins with this."""
_STARTERS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Characters that begin a formula, or may hide one; the last four are their full-width forms, which Excel takes too."""
_GUARD: Final = "'"


def guarded(text: str) -> str:
    """Return a cell that is no formula."""
    bare = text.lstrip(_GUARD + " ")
    return _GUARD + text if text.startswith(_STARTERS) or bare.startswith(_STARTERS) else text


def unguarded(text: str) -> str:
    """Return a cell as it was before `guarded`."""
    rest = text.removeprefix(_GUARD)
    return rest if rest != text and guarded(rest) == text else text


def lines(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Give CSV line by line, so that no more than one row is held."""
    yield header(headers)
    for row in rows:
        yield line(row)


def header(headers: Sequence[str]) -> str:
    """Return the first line."""
    return MARK + _line(headers)


def line(row: Sequence[object]) -> str:
    """Return the line of a row."""
    return _line([_cell(value) for value in row])


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return guarded(str(value.value if isinstance(value, Enum) else value))


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerow(cells)
    return text.getvalue()
