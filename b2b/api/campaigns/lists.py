"""Handlers that import lists and show past imports."""

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final

from b2b.api.answers import JSON, Reply
from b2b.api.campaigns import show
from b2b.api.campaigns.answers import ListColumn, ListPage, ListTaken, RowFault, RowTaken
from b2b.api.door import Call, Workflows
from b2b.api.route import Parameter
from b2b.domain.campaign.columns import Column, Layout
from b2b.domain.campaign.incoming import Plan
from b2b.domain.campaign.reading import Wanted
from b2b.domain.campaign.sheet import Form
from b2b.domain.campaign.text import Encoding
from b2b.domain.errors import MalformedRequest, RequestRefused
from b2b.settings import Mode
from b2b.workflows.campaigns.lists import TakenIn

CSV: Final = "text/csv"
_FORMS: Final = {JSON: Form.JSON, CSV: Form.CSV}
_UNTOLD: Final = (
    *("", "text/plain", "text/tab-separated-values", "application/csv", "application/vnd.ms-excel"),
    *("application/octet-stream", "application/x-www-form-urlencoded"),
)
"""Media types that clients send if they do not know a file's type. The last one comes from curl and PowerShell."""
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)
_ENCODINGS: Final = {
    **dict.fromkeys(("utf-8", "utf8", "us-ascii", "ascii"), Encoding.UTF_8),
    **dict.fromkeys(("utf-16", "utf-16le", "utf-16be", "unicode"), Encoding.UTF_16),
    **dict.fromkeys(("windows-1252", "cp1252", "iso-8859-1", "latin1"), Encoding.WINDOWS_1252),
}
"""Charsets by their usual names. Like browsers, the app reads ISO-8859-1 as Windows-1252, which extends it."""
KEEP: Final = "keep"
NAMED: Final = {
    "idColumn": Column.ID,
    "userPrincipalNameColumn": Column.UPN,
    "mailColumn": Column.MAIL,
    "addressColumn": Column.ADDRESS,
    "referenceColumn": Column.REFERENCE,
}
QUERY: Final = (
    *(Parameter(name, f"The header of the column that holds {column}.") for name, column in NAMED.items()),
    Parameter(KEEP, "Headers of other columns that are shown with the members, separated by commas."),
)


async def send(app: Workflows, call: Call) -> Reply:
    """Import a list."""
    taken = await app.lists.take_in(call.campaign_id, call.body, _wanted(call))
    content = ListTaken(
        status=show.listing(taken.row),
        columns=list(_columns(taken.reading.layout)),
        rows=list(_rows(taken.plan)),
        next=_next(app, call, taken),
    )
    return Reply(200, content)


async def sent(app: Workflows, call: Call) -> Reply:
    """Show the lists that were sent to a campaign."""
    found = await app.campaigns.imports(call.campaign_id)
    return Reply(200, ListPage(lists=[show.listing(row) for row in found]))


def _wanted(call: Call) -> Wanted:
    told = call.headers.get("content-type", "")
    media = told.partition(";")[0].strip().lower()
    if media not in _FORMS and media not in _UNTOLD:
        said = "send the file itself as the body, as text/csv or application/json; a form with a file in it is not read"
        raise RequestRefused("UnsupportedMediaType", said)
    return Wanted(
        encoding=_encoding(told),
        form=_FORMS.get(media),
        named={column: call.query[name] for name, column in NAMED.items() if call.query.get(name)},
        keep=tuple(header.strip() for header in call.query.get(KEEP, "").split(",") if header.strip()),
    )


def _encoding(content_type: str) -> Encoding | None:
    found = _CHARSET.search(content_type)
    if found is None:
        return None
    encoding = _ENCODINGS.get(found[1].lower())
    if encoding is None:
        raise MalformedRequest("ListNotText", f"charset: expected one of {', '.join(_ENCODINGS)}", "charset")
    return encoding


def _columns(layout: Layout) -> Iterator[ListColumn]:
    column_at = {place: column for column, place in layout.places.items()}
    kept = frozenset(layout.kept.values())
    for place, header in enumerate(layout.headers):
        if header:
            yield ListColumn(header=header, column=column_at.get(place), kept=place in kept)


def _rows(plan: Plan) -> Iterator[RowTaken]:
    """Yield the results of accepted and refused rows in the order of the list."""
    refused: Mapping[int, list[RowFault]] = {
        line: [RowFault(column=each.column or None, code=each.code, message=each.message) for each in faults]
        for line, faults in groupby(plan.faults, key=lambda fault: fault.line)
    }
    rows = [RowTaken(line=row.entry.line, outcome=row.outcome.value, member=row.key, faults=[]) for row in plan.rows]
    rows += [RowTaken(line=line, outcome="refused", faults=faults) for line, faults in refused.items()]
    yield from sorted(rows, key=lambda row: row.line)


def _next(app: Workflows, call: Call, taken: TakenIn) -> str:
    """Return the next steps in sentences. If every row was known already, the next step is the release."""
    path = f"/api/campaigns/{call.campaign_id}"
    said = []
    if taken.plan.refused:
        said.append("Correct the rows that were refused and send the list again: rows that are known stay as they are.")
    if taken.all_known:
        said.append(f"Every row was known already: release those who are judged ready by POST {path}/release.")
        if app.settings.mode is Mode.ASSESS:
            said.append("B2B_MODE is assess: set it to convert before the release.")
    elif taken.plan.rows:
        said.append(f"Judge the members by POST {path}/judge.")
    return " ".join(said)
