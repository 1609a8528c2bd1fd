"""Read what administrators ask to see: lists of requests, searches by name, histories, an account's conversion."""

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
"""Lines in a page of a list, and events in a page of a history."""
SCANNED = 1_000
"""Lines that a search by part of a name reads with one call. Storage returns no more."""
SCANS = 5
"""The most calls for one page of a search by part of a name. The next page continues from there."""


@dataclass(frozen=True)
class Part:
    """A page of a history."""

    events: tuple[Event, ...]
    next: int | None
    """The number of the last event in this page, after which the next page begins. None if this page is the last."""


class Listings:
    """Reads lists. The cost of a call does not depend on the size of the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def page(self, wanted: Range, after: Place | None, stage: Stage | None = None) -> Page:
        """Return the next page of a list."""
        return await self._ledger.lists.page(wanted, after, PAGE, stage)

    async def named(self, name: str, after: str = "") -> tuple[Page, str]:
        """Return requests whose account has this user principal name or address, and the id for the next page.

        A page is sorted by age, oldest first. The index may lag behind the rows. A request whose account has another
        name by now is left out, so a page may be short. The id is empty if there are no more requests.
        """
        ids = await self._ledger.lists.named(name_key(name), PAGE, after)
        found = await asyncio.gather(*map(self._line, ids))
        lines = [line for line in found if line is not None and line.is_named(name)]
        page = Page(tuple(sorted(lines, key=lambda line: line.listed_at)), None, 1 + len(ids), len(ids))
        return page, ids[-1] if len(ids) == PAGE else ""

    async def with_part(self, part: str, wanted: Range, after: Place | None, stage: Stage | None = None) -> Page:
        """Search a list for part of a name, with up to `SCANS` calls. The page says what that cost."""
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
        """Return a page of a request's history: the events after number ``after``.

        Raises:
            RequestRefused: there is no request with this id.

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
            RequestRefused: the account has no conversion.
            UnreadableRow: a newer version of the app wrote the row of the account.

        """
        found = await self._ledger.conversions.get(user_id.lower()) if GUID.fullmatch(user_id) else None
        if found is None:
            raise RequestRefused("ConversionNotFound", "There is no conversion of this account.", "userId")
        return found

    async def history_of_account(self, user_id: str, after: int) -> Part:
        """Return a page of the history of an account's conversion: the events after number ``after``.

        Raises:
            RequestRefused: the account has no conversion.

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
