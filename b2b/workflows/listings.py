"""What an administrator asks to see: lists of requests, one by its name, histories, and an account's conversion."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from b2b.domain.conversion.records import Conversion, Event
from b2b.domain.conversion.stages import Stage
from b2b.domain.errors import RequestRefused, UnreadableRow
from b2b.domain.request.ids import GUID, REQUEST_ID
from b2b.domain.request.line import Line, Page, Place, Range, line_of, name_key
from b2b.workflows.ports import Ledger

PAGE = 100
"""Lines of a page, and events of a page of a history."""
SCANNED = 1_000
"""Lines that a search by a part of a name reads with one call: the most that storage returns."""
SCANS = 5
"""Calls of such a search at most; the next page goes on."""


@dataclass(frozen=True)
class Part:
    """A part of a history."""

    events: tuple[Event, ...]
    next: int | None
    """The number behind which the next part begins. None: this part is the last."""


class Listings:
    """Reads lists. The cost of a call does not depend on the size of the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def page(self, wanted: Range, after: Place | None, stage: Stage | None = None) -> Page:
        """Return the next page of a list."""
        return await self._ledger.lists.page(wanted, after, PAGE, stage)

    async def named(self, name: str, after: str = "") -> tuple[Page, str]:
        """Return requests of an account, by its whole user principal name or address, and behind which id others are.

        The oldest of a page come first. A key may be older than the request's row: what has another name by now is left
        out, so a page may be short.
        """
        ids = await self._ledger.lists.named(name_key(name), PAGE, after)
        found = await asyncio.gather(*map(self._line, ids))
        lines = [line for line in found if line is not None and line.is_named(name)]
        page = Page(tuple(sorted(lines, key=lambda line: line.listed_at)), None, 1 + len(ids), len(ids))
        return page, ids[-1] if len(ids) == PAGE else ""

    async def with_part(self, part: str, wanted: Range, after: Place | None, stage: Stage | None = None) -> Page:
        """Go through a list for a part of a name, up to a number of calls; the page says what that cost."""
        found, cost = list[Line](), Page((), None)
        for _ in range(SCANS):
            page = await self._ledger.lists.page(wanted, after, SCANNED, stage)
            found += [line for line in page.lines if line.has(part)]
            cost = Page((), page.next, cost.calls + page.calls, cost.read + page.read)
            after = page.next
            if after is None or len(found) >= PAGE:
                break
        return replace(cost, lines=tuple(found))

    async def history(self, request_id: str, after: int) -> Part:
        """Return what happened to a request.

        Raises:
            RequestRefused: there is no such request.

        """
        if not REQUEST_ID.fullmatch(request_id):
            raise _no_request("as given")
        part = await self._part(self._ledger.requests.history, request_id, after)
        if not part.events and not after:
            raise _no_request(request_id)
        return part

    async def conversion(self, user_id: str) -> Conversion:
        """Return the conversion of an account.

        Raises:
            RequestRefused: there is none.
            UnreadableRow: a newer version wrote it.

        """
        found = await self._ledger.conversions.get(user_id.lower()) if GUID.fullmatch(user_id) else None
        if found is None:
            raise RequestRefused("ConversionNotFound", "There is no conversion of this account.", "userId")
        return found

    async def history_of_account(self, user_id: str, after: int) -> Part:
        """Return what happened to an account.

        Raises:
            RequestRefused: nothing did.

        """
        await self.conversion(user_id)
        return await self._part(self._ledger.conversions.history, user_id.lower(), after)

    async def _line(self, request_id: str) -> Line | None:
        try:
            record = await self._ledger.requests.get(request_id)
        except UnreadableRow:
            return None
        return line_of(record) if record is not None else None

    async def _part(self, read: Callable[[str, int, int], Awaitable[list[Event]]], key: str, after: int) -> Part:
        events = await read(key, after, PAGE)
        return Part(tuple(events), after + len(events) if len(events) == PAGE else None)


def _no_request(shown: str) -> RequestRefused:
    return RequestRefused("RequestNotFound", f"There is no request {shown}.", "requestId")
