"""CSV that a spreadsheet shows as text: no cell of it is a formula, whatever a list or a directory holds.

OWASP, CSV injection: a cell that begins with =, +, -, @, a tab or a line end is prefixed with an apostrophe, which
Excel, Calc and Sheets show or hide and do not run. A spreadsheet whose separator is another one than ours splits a cell
at that separator or line end, so what follows one is guarded in the same way. Reading a list takes all of it off again.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Final

MARK: Final = "\ufeff"
"""Excel takes CSV for UTF-8 where it begins with this."""
_STARTERS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Characters that begin a formula, or may hide one; the last four are their full-width forms, which Excel takes too."""
_GUARD: Final = "'"
_SPLITS: Final = r"(?<=[,;\t\r\n])"
"""Right behind a character at which a spreadsheet may end a cell."""
_FORMULA: Final = rf"(?=[ '\"]*[{re.escape(''.join(_STARTERS))}])"
"""Before a formula. A reader that has lost its place between quotation marks takes one for the beginning of a cell."""
_BARE: Final = re.compile(_SPLITS + _FORMULA)
_GUARDED: Final = re.compile(_SPLITS + _GUARD + _FORMULA)


def guarded(text: str) -> str:
    """Return a cell that is no formula, and of which no part is one."""
    bare = text.lstrip(_GUARD + " ")
    first = _GUARD if text.startswith(_STARTERS) or bare.startswith(_STARTERS) else ""
    return first + _BARE.sub(_GUARD, text)


def unguarded(text: str) -> str:
    """Return a cell as it was before `guarded`."""
    for rest in (text.removeprefix(_GUARD), text):
        if guarded(bare := _GUARDED.sub("", rest)) == text:
            return bare
    return text


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
