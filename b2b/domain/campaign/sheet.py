"""Parse the text of a list, CSV (as Excel, PowerShell and Entra write it) or JSON, into headers and numbered rows."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from b2b.domain.campaign import columns
from b2b.domain.campaign.csv_out import unguarded
from b2b.domain.errors import MalformedRequest
from b2b.domain.request.body import json_type

MOST_ROWS: Final = 10_000
DELIMITERS: Final = (",", ";", "\t")
_BEFORE_HEADER = re.compile(r"(version:v\d+(\.\d+)*|#TYPE .*)[,;\t\s]*", re.IGNORECASE)
"""Lines that Entra's templates, and Export-Csv in Windows PowerShell, put above the header."""
_LINE_END = re.compile(r"\r\n|\r|\n")
_NOT_TEXT = re.compile(r"[\0\ud800-\udfff]")
"""Characters that JSON can escape and storage cannot hold: a NUL, and a lone surrogate."""
_SEPARATOR = re.compile(r"\"?sep=([,;\t])\"?\s*", re.IGNORECASE)
"""The line above the header in which Excel names the separator."""
_EXAMPLE = "example:"
"""The beginning of the example row in Entra's bulk-invite template."""


@dataclass(frozen=True)
class Cells:
    """One row: the line in which it begins, and its trimmed cells without the empty cells at its end."""

    line: int
    values: tuple[str, ...]
    fault: str = ""
    """Why this row cannot be read; empty if it can."""

    def at(self, place: int) -> str:
        """Return the cell of the column at ``place``; empty if the row is shorter."""
        return self.values[place] if place < len(self.values) else ""


@dataclass(frozen=True)
class Sheet:
    """The headers and the rows of a list."""

    headers: tuple[str, ...]
    rows: tuple[Cells, ...]


class Form(StrEnum):
    """The format of a list."""

    CSV = "csv"
    JSON = "json"


def sheet(text: str, form: Form | None = None) -> Sheet:
    """Read CSV or JSON. If ``form`` is None, the text is JSON if it begins with a bracket or a brace.

    Raises:
        MalformedRequest: the text is not valid in this format, or has too many rows or columns.

    """
    form = form or (Form.JSON if text.lstrip()[:1] in ("[", "{") else Form.CSV)
    return _json(text) if form is Form.JSON else _csv(text)


def _csv(text: str) -> Sheet:
    begin, skipped = 0, 0
    delimiter = ""
    while True:
        end = _LINE_END.search(text, begin)
        first = text[begin : end.start() if end else None]
        told = _SEPARATOR.fullmatch(first)
        if not (told or _BEFORE_HEADER.fullmatch(first) or not first.strip(" \t,;")) or not end:
            break
        delimiter, begin, skipped = told[1] if told else delimiter, end.end(), skipped + 1
    reader = csv.reader(io.StringIO(text[begin:], newline=""), delimiter=delimiter or _delimiter(first), strict=True)
    headers: tuple[str, ...] | None = None
    rows: list[Cells] = []
    for line, values in _rows(reader, skipped):
        if headers is None:
            headers = _without_empty_end(values)
            columns.check_size(headers)
            continue
        if not any(values) or values[0].lower().startswith(_EXAMPLE):
            continue
        if len(rows) == MOST_ROWS:
            raise _too_many()
        rows.append(_cells(line, _without_empty_end(values), len(headers)))
    return Sheet(headers or (), tuple(rows))


def _delimiter(header: str) -> str:
    """Return the delimiter that gives the header the most known columns, and among equals the most cells."""

    def told(delimiter: str) -> tuple[int, int]:
        try:
            cells = next(csv.reader([header], delimiter=delimiter), [])
        except csv.Error:
            return 0, 0
        return sum(columns.known(cell) is not None for cell in cells[: columns.MOST_COLUMNS]), len(cells)

    return max(DELIMITERS, key=told)


def _rows(reader: Any, skipped: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield each row with the number of the line in which it begins."""
    while True:
        line = reader.line_num + skipped + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise MalformedRequest(
                "ListNotCsv",
                f"the row that begins in line {line} is not CSV ({error}): look for a quotation mark that is missing, "
                "or not doubled inside a quoted cell",
            ) from error
        yield line, tuple(unguarded(value.strip()) for value in values)


def _cells(line: int, values: tuple[str, ...], wanted: int) -> Cells:
    if len(values) <= wanted:
        return Cells(line, values)
    said = f"the row has {len(values)} cells and the header {wanted}: quote a cell that holds the separator"
    return Cells(line, (), said)


def _without_empty_end(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the cells without the empty cells at the end. Excel pads every row with empty cells to the widest row."""
    filled = max((place for place, value in enumerate(values, 1) if value), default=0)
    return values[:filled]


def _json(text: str) -> Sheet:
    """Read an array of objects, alone or as `members` of an object. The names of their fields are the headers."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        said = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise MalformedRequest("NotJson", f"the list is not JSON: {said}") from error
    members = found.get("members") if isinstance(found, dict) else found
    if not isinstance(members, list):
        raise MalformedRequest("WrongType", "expected an array of members, or an object with the array members")
    if len(members) > MOST_ROWS:
        raise _too_many()
    flat = [_flat(member) for member in members]
    for line, member in enumerate(flat, 1):
        if member is not None and any(_NOT_TEXT.search(each) for each in _texts(member)):
            said = f"member {line} holds a NUL or a lone surrogate: export the list anew"
            raise MalformedRequest("ListNotText", said)
    headers = tuple(dict.fromkeys(name for names in flat if names is not None for name in names))
    columns.check_size(headers)
    return Sheet(headers, tuple(_of_json(line, member, headers) for line, member in enumerate(flat, 1)))


def _flat(member: Any) -> dict[str, Any] | None:
    """Return a member's values by header; None if the member is not an object.

    The names of the account may be inside `invitedUser`, as in a request.
    """
    if not isinstance(member, dict):
        return None
    user = member.get("invitedUser")
    return (
        {**{name: value for name, value in member.items() if name != "invitedUser"}, **user}
        if isinstance(user, dict)
        else member
    )


def _texts(member: dict[str, Any]) -> Iterator[str]:
    """Yield the names of a member's fields, and the texts in their values."""
    for name, value in member.items():
        yield name
        yield from (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str))


def _of_json(line: int, member: dict[str, Any] | None, headers: tuple[str, ...]) -> Cells:
    if member is None:
        return Cells(line, (), "expected an object with the member's columns")
    wrong = next((name for name, value in member.items() if not _is_cell(value)), None)
    if wrong is not None:
        said = f"expected a string, a number, true, false or an array of strings, got {json_type(member[wrong])}"
        return Cells(line, (), said)
    return Cells(line, _without_empty_end(tuple(_cell(member.get(header)) for header in headers)))


def _is_cell(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(each, str) for each in value)
    return value is None or isinstance(value, str | bool | int | float)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return " ".join(value)
    return "" if value is None else str(value).strip()


def _too_many() -> MalformedRequest:
    return MalformedRequest("ListTooLarge", f"the list has more than {MOST_ROWS} rows: split it and send the parts")
