"""Write the campaign's list as CSV, with the name of each account as its reference."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.sample.records import Sample

COLUMNS = (
    "id",
    "userPrincipalName",
    "mail",
    "invitedUserEmailAddress",
    "reference",
    "sendInvitationMessage",
    "inviteRedirectUrl",
    "messageLanguage",
    "ccRecipient",
    "invitedUserSponsors",
    "customizedMessageBody",
)
BYTE_ORDER_MARK = "\ufeff"
"""Excel writes this at the start of a file that it saves as 'CSV UTF-8'."""


def as_csv(sample: Sample) -> bytes:
    """Return the list as Excel saves it: first the accounts, then the rows that are refused."""
    entries = [
        *((account.name, account.request.body) for account in sample.listed),
        *((entry.name, entry.document) for entry in sample.refused_rows),
    ]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(dict(_cells(name, body)) for name, body in entries)
    return (BYTE_ORDER_MARK + text.getvalue()).encode()


def _cells(name: str, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    info = body.get("invitedUserMessageInfo") or {}
    copies = info.get("ccRecipients") or []
    send = body.get("sendInvitationMessage")
    yield "reference", name
    yield from ((column, value) for column, value in body["invitedUser"].items() if value)
    yield "invitedUserEmailAddress", body.get("invitedUserEmailAddress") or ""
    yield "sendInvitationMessage", "" if send is None else str(send).lower()
    yield "inviteRedirectUrl", body.get("inviteRedirectUrl") or ""
    yield "messageLanguage", info.get("messageLanguage") or ""
    yield "ccRecipient", copies[0]["emailAddress"]["address"] if copies else ""
    yield "invitedUserSponsors", " ".join(body.get("invitedUserSponsors") or ())
    yield "customizedMessageBody", info.get("customizedMessageBody") or ""
