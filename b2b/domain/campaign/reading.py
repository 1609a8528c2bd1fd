"""Read a list into entries that can become requests. A row is checked by the rules for the body of a request."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from b2b.domain.campaign.columns import ACCOUNTS, Column, Layout, column_of, layout
from b2b.domain.campaign.sheet import Cells, Form, sheet
from b2b.domain.campaign.text import Encoding, decoded
from b2b.domain.errors import MalformedRequest
from b2b.domain.request import ConversionRequest, IntakePolicy
from b2b.domain.request.parse import parse_document

LONGEST_CELL: Final = 1000
"""The most characters of a reference or a kept column. Both are stored in the member's row, whose size is limited."""
MOST_KEPT: Final = 10
LARGEST_KEPT: Final = 32_000
"""The most UTF-16 units that the kept columns of one row take in the ledger. A property in storage holds 32,768."""
_TRUE_OR_FALSE = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_BETWEEN = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class Wanted:
    """How a caller wants its list to be read."""

    encoding: Encoding | None = None
    form: Form | None = None
    named: Mapping[Column, str] = field(default_factory=dict)
    """The caller's own headers, by column."""
    keep: tuple[str, ...] = ()
    """Headers of other columns to show with the member."""


@dataclass(frozen=True)
class Fault:
    """Why a row of the list was refused: its line and column, an error code, and what to do."""

    line: int
    column: str
    code: str
    message: str


@dataclass(frozen=True)
class Entry:
    """A valid row of the list."""

    line: int
    request: ConversionRequest
    names: Mapping[Column, str]
    """The names of the account in the row: its id, its user principal name, or the address by which it is found."""
    reference: str = ""
    kept: tuple[tuple[str, str], ...] = ()

    @property
    def address(self) -> str:
        """The address to invite, or the address by which the account is found; empty if the row has none."""
        return self.request.invited_user_email_address or self.request.invited_user.mail or ""

    @property
    def keys(self) -> frozenset[str]:
        """Every name of the account, in the form in which names are compared."""
        return frozenset(f"{column}={value.lower()}" for column, value in self.names.items())


@dataclass(frozen=True)
class Reading:
    """The valid rows of a list, the faults of the others, and how the columns were understood."""

    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]
    layout: Layout


def read(raw: bytes, policy: IntakePolicy, wanted: Wanted | None = None) -> Reading:
    """Read a list.

    Raises:
        MalformedRequest: the list as a whole is unreadable, so no row of it is taken.

    """
    wanted = wanted or Wanted()
    if len(wanted.keep) > MOST_KEPT:
        raise MalformedRequest("InvalidValue", f"keep: expected at most {MOST_KEPT} columns", "keep")
    found = sheet(decoded(raw, wanted.encoding), wanted.form)
    columns = layout(found.headers, wanted.named, wanted.keep) if found.headers else None
    if columns is None or not found.rows:
        raise MalformedRequest("ListEmpty", "the list has a header and no rows: add a line for each person")
    entries: list[Entry] = []
    faults: list[Fault] = []
    for cells in found.rows:
        read_row = _entry(cells, columns, policy)
        if isinstance(read_row, Entry):
            entries.append(read_row)
        else:
            faults += read_row
    alone, twice = _each_once(entries, columns)
    return Reading(alone, tuple(sorted((*faults, *twice), key=lambda fault: fault.line)), columns)


def _entry(cells: Cells, columns: Layout, policy: IntakePolicy) -> Entry | list[Fault]:
    if cells.fault:
        return [Fault(cells.line, "", "InvalidValue", cells.fault)]
    values = {column: cell for column, place in columns.places.items() if (cell := cells.at(place))}
    kept = tuple((header, cells.at(place)) for header, place in columns.kept.items())
    if wrong := [*_own_faults(cells.line, values, kept, columns)]:
        return wrong
    names = _names(values)
    if not names:
        header = columns.header(next(column for column in ACCOUNTS if column in columns.places))
        return [Fault(cells.line, header, "MissingField", "the row names no account and no address: fill one in")]
    try:
        request, _ = parse_document(_document(values, names, export=columns.export), policy)
    except MalformedRequest as error:
        return [
            Fault(cells.line, columns.header(column_of(each.target)), each.code, each.message)
            for each in (error, *error.others)
        ]
    return Entry(cells.line, request, names, values.get(Column.REFERENCE, ""), kept)


def _own_faults(
    line: int, values: Mapping[Column, str], kept: tuple[tuple[str, str], ...], columns: Layout
) -> Iterator[Fault]:
    """Yield the faults that parsing the request cannot find: in texts for booleans, and in columns for display only."""
    shown = [*kept, (columns.header(Column.REFERENCE), values.get(Column.REFERENCE, ""))]
    faulty = False
    for header, value in shown:
        if len(value) > LONGEST_CELL:
            faulty = True
            yield Fault(line, header, "InvalidValue", f"expected at most {LONGEST_CELL} characters: shorten it")
    if kept and not faulty and _units(kept) > LARGEST_KEPT:
        said = "the columns that are kept take more room than the ledger has for one member: shorten them"
        yield Fault(line, kept[0][0], "InvalidValue", said)
    if values.get(Column.SEND, "true").lower() not in _TRUE_OR_FALSE:
        yield Fault(line, columns.header(Column.SEND), "InvalidValue", "expected true or false")


def _units(kept: tuple[tuple[str, str], ...]) -> int:
    """Return the UTF-16 units that kept columns take in storage, as JSON with its escapes."""
    return len(msgspec.json.encode(kept).decode().encode("utf-16-le")) // 2


def _names(values: Mapping[Column, str]) -> dict[Column, str]:
    """Return the id and user principal name in a row; if it has neither, the address by which to find the account."""
    own = {column: values[column] for column in (Column.ID, Column.UPN) if column in values}
    if own:
        return own
    by = next((column for column in (Column.MAIL, Column.ADDRESS) if column in values), None)
    return {Column.MAIL: values[by]} if by is not None else {}


def _document(values: Mapping[Column, str], names: Mapping[Column, str], *, export: bool) -> dict[str, Any]:
    """Return the request that a row describes. It names the account once, by the most reliable name in ``names``."""
    column, name = next(iter(names.items()))
    beside = "" if export or column is Column.MAIL else values.get(Column.MAIL, "")
    info = {
        "messageLanguage": values.get(Column.LANGUAGE),
        "customizedMessageBody": values.get(Column.TEXT),
        "ccRecipients": [{"emailAddress": {"address": values[Column.COPY]}}] if Column.COPY in values else None,
    }
    document = {
        "invitedUser": {column.value: name},
        "invitedUserEmailAddress": values.get(Column.ADDRESS) or beside,
        "sendInvitationMessage": _TRUE_OR_FALSE.get(values.get(Column.SEND, "").lower()),
        "inviteRedirectUrl": values.get(Column.REDIRECT),
        "invitedUserMessageInfo": info if any(info.values()) else None,
        "invitedUserSponsors": [each for each in _BETWEEN.split(values.get(Column.SPONSORS, "")) if each],
    }
    return {field: value for field, value in document.items() if value is not None}


def _each_once(entries: list[Entry], columns: Layout) -> tuple[tuple[Entry, ...], list[Fault]]:
    """Take the first row for each person and each address. Refuse later rows; only the caller knows which is right."""
    people: dict[str, int] = {}
    addresses: dict[str, int] = {}
    alone: list[Entry] = []
    twice: list[Fault] = []
    for entry in entries:
        first = next((people[key] for key in sorted(entry.keys) if key in people), None)
        if first is not None:
            header = columns.header(next(iter(entry.names)))
            said = f"the row is about the same account as line {first}: keep one of the two"
            twice.append(Fault(entry.line, header, "DuplicatePerson", said))
            continue
        address = entry.address.lower()
        if address and (other := addresses.get(address)) is not None:
            header = columns.header(Column.ADDRESS if Column.ADDRESS in columns.places else Column.MAIL)
            said = f"line {other} names the same address for another account: an address can belong to one of them"
            twice.append(Fault(entry.line, header, "DuplicateAddress", said))
            continue
        people |= dict.fromkeys(entry.keys, entry.line)
        if address:
            addresses[address] = entry.line
        alone.append(entry)
    return tuple(alone), twice
