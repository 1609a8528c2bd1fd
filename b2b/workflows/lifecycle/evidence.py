"""Gather everything that the ledger knows of an account's conversion, for a person who has to prove what happened."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from b2b.domain.conversion.records import Event
from b2b.domain.errors import UnreadableRow
from b2b.domain.request.record import RequestRecord
from b2b.workflows.lifecycle.accounts import Access, Accounts
from b2b.workflows.listings import Listings
from b2b.workflows.ports import Clock, Ledger

MOST_REQUESTS = 100
"""So many requests of a conversion are told of; a person asks for the others one by one."""
MOST_EVENTS = 1_000


@dataclass(frozen=True)
class Told:
    """One request, and what happened to it. A purged one leaves its id alone."""

    request_id: str
    record: RequestRecord | None = None
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Gathered:
    """What is known of an account."""

    access: Access
    events: tuple[Event, ...]
    """Of all conversions of the account, oldest first."""
    requests: tuple[Told, ...]
    left_out: int
    """How many requests are not told of."""
    at: datetime


class Dossier:
    """Gathers."""

    def __init__(self, accounts: Accounts, listings: Listings, ledger: Ledger, clock: Clock) -> None:
        self._accounts, self._listings, self._ledger, self._clock = accounts, listings, ledger, clock

    async def of(self, user_id: str) -> Gathered:
        """Return what is known of an account.

        Raises:
            RequestRefused: it has no conversion.
            UnreadableRow: a newer version wrote its row.

        """
        access = await self._accounts.access(user_id)
        events = await self._events(access.conversion.user_id)
        members = await self._ledger.members(access.conversion)
        named = [access.conversion.request_id, *(event.request_id for event in events), *members]
        ids = [each for each in dict.fromkeys(named) if each]
        requests = await asyncio.gather(*map(self._request, ids[:MOST_REQUESTS]))
        return Gathered(access, events, tuple(requests), max(len(ids) - MOST_REQUESTS, 0), self._clock())

    async def _events(self, user_id: str) -> tuple[Event, ...]:
        found, after = list[Event](), 0
        while len(found) < MOST_EVENTS:
            part = await self._listings.history_of_account(user_id, after)
            found += part.events
            if part.next is None:
                break
            after = part.next
        return tuple(found)

    async def _request(self, request_id: str) -> Told:
        with suppress(UnreadableRow):
            record = await self._ledger.requests.get(request_id)
            if record is not None:
                return Told(request_id, record, (await self._listings.history(request_id, 0)).events)
        return Told(request_id)
