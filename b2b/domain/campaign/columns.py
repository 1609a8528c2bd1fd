"""The columns of a list: the app's own, and those of Entra's bulk-invite template and of Entra's export of users.

Entra translates the headers of its template, but not the names in brackets, so the app compares these names.
Microsoft's article does not describe the export, so its header is taken from exported files.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from b2b.domain.errors import MalformedRequest


class Column(StrEnum):
    """A column that the app understands. The value is the app's own header for it."""

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
    """One column: the field of a request that takes the column's value, and other headers with the same meaning."""

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
"""The most characters of a header."""
ACCOUNTS: Final = (Column.ID, Column.UPN, Column.MAIL, Column.ADDRESS)
"""A list needs one of these columns. If a row has only an address, judging looks for the account with that address."""
_EXPORT: Final = frozenset({"displayname", "usertype", "userprincipalname"})
"""Headers by which Entra's export of users is recognised.

In an export, `mail` is the account's own address, so it is not an address that the caller asks to invite.
"""
_BRACKETED = re.compile(r"\[([^\[\]]++)\]")
"""Matches a name in brackets. The name contains no bracket and the quantifier does not backtrack, so matching takes
linear time."""


def bare(header: str) -> str:
    """Return a header in the form in which headers are compared.

    That is the name in brackets, if there is one, in lower case and without spaces, hyphens and underscores.
    """
    named = _BRACKETED.search(header)
    return re.sub(r"[\s_\-]", "", named[1] if named else header).lower()


_KNOWN: Final = {bare(name): row.column for row in COLUMNS for name in (row.column.value, *row.also)}
_TARGETS: Final = {row.target: row.column for row in COLUMNS}


def known(header: str) -> Column | None:
    """Return the column that a header means; None if the header is unknown."""
    return _KNOWN.get(bare(header))


def column_of(target: str) -> Column | None:
    """Return the column whose value goes into this field of a request; None if there is none."""
    if target == "invitedUser":
        return Column.ID
    return _TARGETS.get(target)


@dataclass(frozen=True)
class Layout:
    """How the columns of one list were understood."""

    headers: tuple[str, ...]
    places: Mapping[Column, int]
    kept: Mapping[str, int]
    """The places of other columns that the caller wants to be shown with the member, by header."""
    export: bool
    """Whether the list is Entra's export of users."""

    @property
    def dropped(self) -> tuple[str, ...]:
        """The headers of columns that are not read."""
        used = {*self.places.values(), *self.kept.values()}
        return tuple(header for place, header in enumerate(self.headers) if place not in used and header)

    def header(self, column: Column | None) -> str:
        """Return the list's header for a column. If the list has no such column, return the app's own header."""
        place = self.places.get(column) if column is not None else None
        return self.headers[place] if place is not None else (column or "")


def check_size(headers: Sequence[str]) -> None:
    """Check the line of headers before the rows below it are read.

    Raises:
        MalformedRequest: there are too many headers, or one is too long.

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
    """Find the columns in a line of headers.

    ``named``: columns for which the caller names the header. ``keep``: headers of other columns to show with members.

    Raises:
        MalformedRequest: two columns have the same header, a column that the call names is missing, or no column
                names an account or an address.

    """
    headers = tuple(header.strip() for header in headers)
    _each_once(headers)
    place_of = {header.lower(): place for place, header in enumerate(headers) if header}
    for header in (*named.values(), *keep):
        if header.strip().lower() not in place_of:
            said = (
                f"the call names the column {header.strip()[:LONGEST_HEADER]!r}, which the list's header does not have"
            )
            raise MalformedRequest("ListHeader", said, "columns")
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
    """Return the error for a list without an account column.

    The error shows no header, because in a list without headers the first line is a person's name and address.
    """
    wanted = ", ".join(ACCOUNTS)
    read = f"{len(headers)} columns were read" if len(headers) > 1 else "one column was read"
    return MalformedRequest(
        "ListHeader",
        f"the first line names no account: expected one of the headers {wanted} ({read}; commas, semicolons and tabs "
        "separate columns)",
    )
