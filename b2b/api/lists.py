"""Handlers of lists, histories and search."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from msgspec import UNSET, UnsetType

from b2b.api import bodies, show, tokens
from b2b.api.answers import (
    Cost,
    History,
    Reply,
    RequestLine,
    RequestPage,
    SearchResult,
    WaitsFor,
)
from b2b.api.door import Call, Workflows
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import WaitReason, row_of
from b2b.domain.error_codes import ErrorCode
from b2b.domain.errors import RequestRefused
from b2b.domain.request.line import EVERY, Line, Place, Range, name_key, stage_list, waiting_list
from b2b.workflows.listings import Part

TOKEN = "continuationToken"  # noqa: S105  a query parameter


async def requests(app: Workflows, call: Call) -> Reply:
    """List requests."""
    wanted, stage = _range(call.query)
    filters = {name: value for name, value in call.query.items() if name in FILTERS}
    page = await app.listings.page(wanted, tokens.place(call.query.get(TOKEN), filters, wanted.name), stage)
    token, link = _next(call, "requests", filters, page.next)
    return Reply(200, RequestPage(requests=list(map(_line, page.lines)), continuation_token=token, next_link=link))


async def search(app: Workflows, call: Call) -> Reply:
    """Find requests by the name of their account."""
    body = bodies.read(call.body, bodies.Search)
    if (body.name is None) is (body.part is None):
        said = "name, part: expected exactly one of the two"
        raise RequestRefused(ErrorCode.INVALID_VALUE, said, "part" if body.part is not None else "name")
    given = {"stage": body.stage, "waiting": body.waiting, "from": body.since, "to": body.until}
    filters = {name: value for name, value in given.items() if value}
    if body.name is not None:
        _with_part_only(list(filters))
        about = {"name": name_key(body.name)}
        page, following = await app.listings.named(body.name, tokens.key(body.continuation_token, about))
        token = tokens.of_key(about, following) if following else None
    else:
        wanted, stage = _range(filters)
        after = tokens.place(body.continuation_token, {**filters, "part": body.part or ""}, wanted.name)
        page = await app.listings.with_part(body.part or "", wanted, after, stage)
        token = tokens.of_place({**filters, "part": body.part or ""}, page.next) if page.next else None
    cost = Cost(calls=page.calls, lines=page.read)
    content = SearchResult(requests=list(map(_line, page.lines)), cost=cost, continuation_token=token or UNSET)
    return Reply(200, content)


def _with_part_only(fields: list[str]) -> None:
    """Refuse fields that a search by a whole name would ignore, because it searches no single list.

    Raises:
        RequestRefused: the search has such fields. The error names all of them.

    """
    faults = [RequestRefused(ErrorCode.INVALID_VALUE, f"{each}: only together with part", each) for each in fields]
    if faults:
        raise faults[0].with_others(faults[1:])


async def history(app: Workflows, call: Call) -> Reply:
    """Return a page of the history of a request."""
    about = {"request": call.request_id}
    part = await app.listings.history(call.request_id, tokens.number(call.query.get(TOKEN), about))
    return _history(call, f"requests/{call.request_id}/history", about, part)


async def conversion(app: Workflows, call: Call) -> Reply:
    """Return the state of an account's conversion."""
    found = await app.listings.conversion(call.path["userId"])
    return Reply(200, show.conversion(found))


async def access(app: Workflows, call: Call) -> Reply:
    """Return what the directory granted an account before its invitation and after its redemption."""
    return Reply(200, show.access(await app.accounts.access(call.path["userId"])))


async def conversion_history(app: Workflows, call: Call) -> Reply:
    """Return a page of the history of an account's conversions."""
    user_id = call.path["userId"]
    about = {"account": user_id.lower()}
    part = await app.listings.history_of_account(user_id, tokens.number(call.query.get(TOKEN), about))
    return _history(call, f"conversions/{user_id}/history", about, part)


def _history(call: Call, path: str, about: Mapping[str, str], part: Part) -> Reply:
    token = tokens.of_number(about, part.next) if part.next is not None else None
    link = f"{call.base_url}/api/{path}?{urlencode({TOKEN: token})}" if token else UNSET
    events = list(map(show.event, part.events))
    return Reply(200, History(events=events, continuation_token=token or UNSET, next_link=link))


def _next(
    call: Call, path: str, filters: Mapping[str, str], place: Place | None
) -> tuple[str | UnsetType, str | UnsetType]:
    if place is None:
        return UNSET, UNSET
    token = tokens.of_place(filters, place)
    return token, f"{call.base_url}/api/{path}?{urlencode({**filters, TOKEN: token})}"


FILTERS = ("stage", "waiting", "from", "to")


def _range(query: Mapping[str, str]) -> tuple[Range, Stage | None]:
    """Return the list to read, and the stage that filters a list of waiting requests; None if no stage filters.

    Raises:
        RequestRefused: a value is invalid. The error names every such value.

    """
    faults = list[RequestRefused]()
    read: dict[str, Any] = {}
    for name, kind in (("stage", Stage), ("waiting", WaitReason), ("from", _moment), ("to", _moment)):
        try:
            read[name] = kind(query[name]) if query.get(name) else None
        except ValueError:
            faults.append(RequestRefused(ErrorCode.INVALID_VALUE, f"{name}: expected {EXPECTED[name]}", name))
    if faults:
        raise faults[0].with_others(faults[1:])
    stage, waiting = read["stage"], read["waiting"]
    if waiting is not None:
        return Range(waiting_list(waiting), read["from"], read["to"]), stage
    return Range(EVERY if stage is None else stage_list(stage), read["from"], read["to"]), None


EXPECTED = {
    "stage": "one of " + ", ".join(stage.value for stage in Stage),
    "waiting": "one of " + ", ".join(reason.value for reason in WaitReason),
    "from": "a date or a time such as 2026-11-01 or 2026-11-01T08:00:00Z",
    "to": "a date or a time such as 2026-12-01 or 2026-12-01T08:00:00Z",
}


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text.replace(" ", "+"))  # in a URL, an unescaped plus becomes a space
    try:
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:  # in UTC the time is before the year 1 or after 9999
        raise ValueError(text) from error


def _line(line: Line) -> RequestLine:
    waits = None
    if line.waiting is not None:
        since = show.utc(line.waiting_since or line.requested_at)
        waits = WaitsFor(reason=line.waiting, text=row_of(line.waiting).text, since=since)
    return RequestLine(
        request_id=line.request_id,
        stage=line.stage,
        dry_run=line.dry_run,
        user_id=line.user_id or None,
        user_principal_name=line.user_principal_name or None,
        invited_user_email_address=line.address or None,
        asked_by=show.actor(line.asked_by),
        requested_at=show.utc(line.requested_at),
        verdict=line.verdict,
        rules=list(line.rules),
        waiting=waits,
    )
