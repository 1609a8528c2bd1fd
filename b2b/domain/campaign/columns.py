"""The columns of a list: ours, those of Entra's bulk-invite template, and those of Entra's export of users.

Entra translates the texts of its template and keeps the names in brackets, so those are what is compared. No text of
the article describes the export; its header is taken from exported files.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from b2b.domain.errors import MalformedRequest


class Column(StrEnum):
    """What a column can say. The value is the header of ours."""

    ID = "id"
    UPN = "userPrincipalName"
    MAIL = "mail"
    ADDRESS = "invitedUserEmailAddress"
    REFERENCE = "reference"
    SEND = "sendInvitationMessage"
    REDIRECT = "inviteRedirectUrl"
    LANGUAGE = "messageLanguage"
    COPY = "ccRecipient"
    SPONSORS = "invitedUserSponsors"
    TEXT = "customizedMessageBody"


@dataclass(frozen=True)
class Row:
    """One column: where its value goes in a request, and other headers that mean the same."""

    column: Column
    target: str
    also: tuple[str, ...] = ()


_C = Column
COLUMNS: Final[tuple[Row, ...]] = (
    Row(_C.ID, "invitedUser.id", ("objectId", "userId", "user id", "object id")),
    Row(_C.UPN, "invitedUser.userPrincipalName", ("upn", "user principal name", "user name")),
    Row(_C.MAIL, "invitedUser.mail"),
    Row(_C.ADDRESS, "invitedUserEmailAddress", ("inviteeEmail", "address", "email", "email address", "external mail")),
    Row(_C.REFERENCE, "reference", ("ref",)),
    Row(_C.SEND, "sendInvitationMessage", ("sendEmail",)),
    Row(_C.REDIRECT, "inviteRedirectUrl"),
    Row(_C.LANGUAGE, "invitedUserMessageInfo.messageLanguage", ("language",)),
    Row(_C.COPY, "invitedUserMessageInfo.ccRecipients", ("cc", "ccRecipients")),
    Row(_C.SPONSORS, "invitedUserSponsors", ("sponsors", "sponsor")),
    Row(_C.TEXT, "invitedUserMessageInfo.customizedMessageBody"),
)
MOST_COLUMNS: Final = 200
LONGEST_HEADER: Final = 200
"""Characters."""
ACCOUNTS: Final = (Column.ID, Column.UPN, Column.MAIL, Column.ADDRESS)
"""A list needs one of these. Without an account, a row is matched by its address when it is judged."""
_EXPORT: Final = frozenset({"displayname", "usertype", "userprincipalname"})
"""Headers that Entra's export of users has. There `mail` is the account's own, so that it is no wish of the caller."""
_BRACKETED = re.compile(r"\[([^\[\]]++)\]")
"""Without an opening bracket inside, and without going back: the time grows with the header and no faster."""


def bare(header: str) -> str:
    """Return a header as it is compared: the name in brackets where there is one, without blanks, in lower case."""
    named = _BRACKETED.search(header)
    return re.sub(r"[\s_\-]", "", named[1] if named else header).lower()


_KNOWN: Final = {bare(name): row.column for row in COLUMNS for name in (row.column.value, *row.also)}
_TARGETS: Final = {row.target: row.column for row in COLUMNS}


def known(header: str) -> Column | None:
    """Return what a header says; None for one that is not known."""
    return _KNOWN.get(bare(header))


def column_of(target: str) -> Column | None:
    """Return the column whose value stands at this place of a request."""
    if target == "invitedUser":
        return Column.ID
    return _TARGETS.get(target)


@dataclass(frozen=True)
class Layout:
    """What the columns of one list say."""

    headers: tuple[str, ...]
    places: Mapping[Column, int]
    kept: Mapping[str, int]
    """Other columns that the caller named, to be shown with the member."""
    export: bool
    """The list is Entra's export of users."""

    @property
    def dropped(self) -> tuple[str, ...]:
        """The headers of columns that are not read."""
        used = {*self.places.values(), *self.kept.values()}
        return tuple(header for place, header in enumerate(self.headers) if place not in used and header)

    def header(self, column: Column | None) -> str:
        """Return the header that the list has for a column."""
        place = self.places.get(column) if column is not None else None
        return self.headers[place] if place is not None else (column or "")


def check_size(headers: Sequence[str]) -> None:
    """Look at a line of headers before the rows below it are read.

    Raises:
        MalformedRequest: there are too many, or one is too long.

    """
    if len(headers) > MOST_COLUMNS:
        wide = f"the list has {len(headers)} columns and may have {MOST_COLUMNS}"
        said = f"{wide}: delete the columns that the campaign does not need"
        raise MalformedRequest("ListHeader", said)
    for place, header in enumerate(headers, 1):
        if len(header) > LONGEST_HEADER:
            said = f"the header of column {place} has more than {LONGEST_HEADER} characters: shorten it"
            raise MalformedRequest("ListHeader", said)


def layout(headers: Sequence[str], named: Mapping[Column, str], keep: Sequence[str] = ()) -> Layout:
    """Understand a line of headers. ``named`` are columns whose headers the caller told; ``keep`` other ones to keep.

    Raises:
        MalformedRequest: two columns have the same header, a column that the call names is missing, or no column
                names an account or an address.

    """
    headers = tuple(header.strip() for header in headers)
    _each_once(headers)
    place_of = {header.lower(): place for place, header in enumerate(headers) if header}
    for header in (*named.values(), *keep):
        if header.strip().lower() not in place_of:
            raise MalformedRequest("ListHeader", "a column that the call names is not in the list's header", "columns")
    places = {column: place_of[header.strip().lower()] for column, header in named.items()}
    taken = set(places.values())
    for place, header in enumerate(headers):
        column = known(header)
        if column is None or place in taken or column in named:
            continue
        if column in places:
            raise MalformedRequest(
                "ListHeader", f"columns {places[column] + 1} and {place + 1} both mean {column}: leave one out"
            )
        places[column] = place
    if not places.keys() & set(ACCOUNTS):
        raise _no_account(headers)
    kept = {headers[place_of[header.strip().lower()]]: place_of[header.strip().lower()] for header in keep}
    export = {bare(header) for header in headers} >= _EXPORT and Column.MAIL not in named
    return Layout(headers, places, {header: place for header, place in kept.items() if place not in taken}, export)


def _each_once(headers: tuple[str, ...]) -> None:
    seen: dict[str, int] = {}
    for place, header in enumerate(headers):
        if header and seen.setdefault(header.lower(), place) != place:
            raise MalformedRequest(
                "ListHeader", f"columns {seen[header.lower()] + 1} and {place + 1} have the same header: rename one"
            )


def _no_account(headers: tuple[str, ...]) -> MalformedRequest:
    """Headers are not shown: where a list has none, they are a person's name and address."""
    wanted = ", ".join(ACCOUNTS)
    read = f"{len(headers)} columns were read" if len(headers) > 1 else "one column was read"
    return MalformedRequest(
        "ListHeader",
        f"the first line names no account: expected one of the headers {wanted} ({read}; commas, semicolons and tabs "
        "separate columns)",
    )
