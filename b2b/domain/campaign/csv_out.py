"""Write CSV whose cells a spreadsheet cannot run as formulas.

Following OWASP's advice on CSV injection, a cell that begins with =, +, -, @, a tab or a line end gets an apostrophe in
front, so that Excel, Calc and Sheets treat it as text. A spreadsheet that expects another separator than the comma
splits a cell at that separator or at a line end, so the text after these is guarded in the same way. When the app reads
a list, it removes these apostrophes again.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Final

MARK: Final = "\ufeff"
"""The byte order mark. Without it, Excel does not read CSV as UTF-8."""
_STARTERS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Characters that begin a formula, or may hide one; the last four are full-width forms, which Excel accepts too."""
_GUARD: Final = "'"
_SPLITS: Final = r"(?<=[,;\t\r\n])"
"""Matches directly after a character at which a spreadsheet may end a cell."""
_FORMULA: Final = rf"(?=[ '\"]*[{re.escape(''.join(_STARTERS))}])"
"""Matches directly before a formula.

Spaces and quotation marks may precede the formula, because a spreadsheet may take a quotation mark for the beginning
of a cell if it has split the text elsewhere.
"""
_BARE: Final = re.compile(_SPLITS + _FORMULA)
_GUARDED: Final = re.compile(_SPLITS + _GUARD + _FORMULA)


def guarded(text: str) -> str:
    """Return the text of a cell, guarded so that neither the cell nor any part of it is a formula."""
    bare = text.lstrip(f'{_GUARD} "')
    first = _GUARD if text.startswith(_STARTERS) or bare.startswith(_STARTERS) else ""
    return first + _BARE.sub(_GUARD, text)


def unguarded(text: str) -> str:
    """Return the text of a cell as it was before `guarded`."""
    for rest in (text.removeprefix(_GUARD), text):
        if guarded(bare := _GUARDED.sub("", rest)) == text:
            return bare
    return text


def lines(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield CSV line by line, so that only one row is in memory."""
    yield header(headers)
    for row in rows:
        yield line(row)


def header(headers: Sequence[str]) -> str:
    """Return the line of headers, after a byte order mark."""
    return MARK + _line(headers)


def line(row: Sequence[object]) -> str:
    """Return a row as a line of CSV."""
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
