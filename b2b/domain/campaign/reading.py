"""From a list to entries that could become requests: what a row may say is what a request may say."""

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
"""Characters of a reference, or of a kept column: the ledger keeps them with the member, whose room is limited."""
MOST_KEPT: Final = 10
LARGEST_KEPT: Final = 32_000
"""UTF-16 units that the kept columns of one row take as the ledger writes them; storage has room for 32,768."""
_TRUE_OR_FALSE = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_BETWEEN = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class Wanted:
    """How a caller wants its list to be read."""

    encoding: Encoding | None = None
    form: Form | None = None
    named: Mapping[Column, str] = field(default_factory=dict)
    """Columns whose headers are the caller's own."""
    keep: tuple[str, ...] = ()
    """Headers of other columns that are to be shown with the member."""


@dataclass(frozen=True)
class Fault:
    """Why a row of the list was not taken: where, a code of the error table, and what to do."""

    line: int
    column: str
    code: str
    message: str


@dataclass(frozen=True)
class Entry:
    """A row of the list that was understood."""

    line: int
    request: ConversionRequest
    names: Mapping[Column, str]
    """The names of the account, as the row gives them: id, user principal name, or an address to match by."""
    reference: str = ""
    kept: tuple[tuple[str, str], ...] = ()

    @property
    def address(self) -> str:
        """The address that the row asks to invite, or by which its account is found. Empty text: the account's own."""
        return self.request.invited_user_email_address or self.request.invited_user.mail or ""

    @property
    def keys(self) -> frozenset[str]:
        """Every name of the account, as names are compared."""
        return frozenset(f"{column}={value.lower()}" for column, value in self.names.items())


@dataclass(frozen=True)
class Reading:
    """What a list says, row by row, and how its columns were understood."""

    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]
    layout: Layout


def read(raw: bytes, policy: IntakePolicy, wanted: Wanted | None = None) -> Reading:
    """Read a list.

    Raises:
        MalformedRequest: it cannot be read as a whole; then no row of it is taken.

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
    """What a request could not tell: texts that become truth values, and what is only shown again."""
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
    """Return the room that kept columns take: JSON escapes control characters, storage counts in UTF-16."""
    return len(msgspec.json.encode(kept).decode().encode("utf-16-le")) // 2


def _names(values: Mapping[Column, str]) -> dict[Column, str]:
    """Return the names of the account: its own, else the address that it is matched by."""
    own = {column: values[column] for column in (Column.ID, Column.UPN) if column in values}
    if own:
        return own
    by = next((column for column in (Column.MAIL, Column.ADDRESS) if column in values), None)
    return {Column.MAIL: values[by]} if by is not None else {}


def _document(values: Mapping[Column, str], names: Mapping[Column, str], *, export: bool) -> dict[str, Any]:
    """Return the request that a row stands for. A request names its account once, by the surest of its names."""
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
    """Take the first row for each person and each address. Refuse later ones: the caller knows which is right."""
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
