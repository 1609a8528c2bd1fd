"""Gather everything that the ledger holds about an account's conversion, for proving what happened."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from b2b.domain.conversion.records import Event
from b2b.domain.errors import UnreadableRow
from b2b.domain.request.record import RequestRecord
from b2b.workflows.lifecycle.accounts import Access, Accounts
from b2b.workflows.listings import Listings, Part
from b2b.workflows.ports import Clock, Ledger

MOST_REQUESTS = 100
"""The most requests of a conversion that the evidence contains; a person gets the others one by one."""
MOST_EVENTS = 1_000
"""Events of one history after which the evidence contains no further page of it."""


@dataclass(frozen=True)
class History:
    """The events of a row, oldest first."""

    events: tuple[Event, ...] = ()
    cut: bool = False
    """Whether there are more events than these."""


@dataclass(frozen=True)
class RequestFile:
    """One request with its history. If the request was purged, or a newer version wrote it, only its id is known."""

    request_id: str
    record: RequestRecord | None = None
    history: History = History()


@dataclass(frozen=True)
class Gathered:
    """Everything that the ledger holds about an account's conversions."""

    access: Access
    history: History
    """Of all conversions of the account."""
    requests: tuple[RequestFile, ...]
    left_out: int
    """How many requests beyond `MOST_REQUESTS` are left out."""
    at: datetime


class Dossier:
    """Gathers the evidence of an account."""

    def __init__(self, accounts: Accounts, listings: Listings, ledger: Ledger, clock: Clock) -> None:
        self._accounts, self._listings, self._ledger, self._clock = accounts, listings, ledger, clock

    async def of(self, user_id: str) -> Gathered:
        """Return everything that the ledger holds about an account's conversions.

        Raises:
            RequestRefused: the account has no conversion.
            UnreadableRow: a newer version of the app wrote the account's row.

        """
        access = await self._accounts.access(user_id)
        history = await _whole(self._listings.history_of_account, access.conversion.user_id)
        members = await self._ledger.members(access.conversion)
        named = [access.conversion.request_id, *(event.request_id for event in history.events), *members]
        ids = [each for each in dict.fromkeys(named) if each]
        requests = await asyncio.gather(*map(self._request, ids[:MOST_REQUESTS]))
        return Gathered(access, history, tuple(requests), max(len(ids) - MOST_REQUESTS, 0), self._clock())

    async def _request(self, request_id: str) -> RequestFile:
        with suppress(UnreadableRow):
            record = await self._ledger.requests.get(request_id)
            if record is not None:
                return RequestFile(request_id, record, await _whole(self._listings.history, request_id))
        return RequestFile(request_id)


async def _whole(page: Callable[[str, int], Awaitable[Part]], key: str) -> History:
    """Read a history page by page."""
    events, after = list[Event](), 0
    while len(events) < MOST_EVENTS:
        part = await page(key, after)
        events += part.events
        if part.next is None:
            return History(tuple(events))
        after = part.next
    return History(tuple(events), cut=True)
