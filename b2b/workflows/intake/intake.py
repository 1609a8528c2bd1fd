"""Take requests in: write each one's row, and recognise repeats and ids that are used twice."""

from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from b2b.domain.conversion.records import Change, Event, Source
from b2b.domain.errors import LedgerConflict, MalformedRequest, RequestIdInUse
from b2b.domain.request import ConversionRequest, IntakePolicy, parse
from b2b.domain.request.ids import MADE_BY_US
from b2b.domain.request.message import Asked, Refused, Resume
from b2b.domain.request.record import RequestRecord, in_place_of, never_ran, rejected, taken_in
from b2b.workflows.conversion.messages import Messages
from b2b.workflows.ports import Clock, Ledger, NewId

TRIES = 5
"""How often a row is read and written again if other deliveries write it at the same time."""
LONGEST_DELIVERY = timedelta(minutes=10)
"""functionTimeout of host.json. If a delivery takes longer, the host has delivered its message again meanwhile."""


class Intake:
    """Writes the rows of new requests."""

    def __init__(
        self,
        ledger: Ledger,
        messages: Messages,
        policy: IntakePolicy,
        clock: Clock,
        new_id: NewId,
        *,
        assess_only: bool,
    ) -> None:
        """``assess_only``: whether the mode is `assess`, so that every new request is a dry run."""
        self._ledger, self._messages, self.policy = ledger, messages, policy
        self._clock, self._new_id, self._assess_only = clock, new_id, assess_only

    async def submit(self, raw: bytes) -> RequestRecord:
        """Take an HTTP request in, and put its message on the queue.

        If the same request was taken in before and never tried, its message is sent again, because the process may have
        died between the row and the message.

        Raises:
            RequestRefused: the body is malformed, or its request id belongs to a request with another body. Only the
                second case is recorded, in that request's history.
            Transient: storage did not take the row or the message; the caller may repeat the same request.

        """
        request, told = parse(raw, self.policy)
        if (request.request_id or "").startswith(MADE_BY_US):
            prefixes = ", ".join(MADE_BY_US)
            raise MalformedRequest("InvalidValue", f"requestId: expected none of the prefixes {prefixes}", "requestId")
        asked = Asked(request, told or self._new_id(), made=told is None)
        record = await self._row(asked, Source.HTTP, self._clock(), token=self._messages.token())
        if record.at_work and not record.generation and not record.token_before and record.waiting is None:
            await self._messages.send_again(record)
        return record

    async def take_in(self, asked: Asked, *, again: bool) -> RequestRecord | None:
        """Write the row of a request that came by the queue. Return None if another message continues the request.

        ``again``: whether the host has delivered this message before.

        Raises:
            RequestIdInUse: the id belongs to a request with another body. That request's history notes it.

        """
        came = self._clock()  # before the first write, so that a process that freezes in that write counts as late
        if asked.made:
            # Before the row: the poison copy of a message without an id is matched with its request by the body alone.
            # If the row came first, a crash in between would let drain record the same request a second time.
            await self._ledger.remember_body(asked.request.body_hash(), asked.request_id)
        record = await self._row(asked, Source.QUEUE, came)
        if not record.token:
            return record
        if again and record.at_work and not record.token_before:
            await self._messages.send_again(record)
        return None

    async def resume(self, resume: Resume, *, again: bool) -> RequestRecord | None:
        """Return the request that one of the app's own messages continues. None if the message is not the newest.

        The host may deliver an older message again, because its process died after it wrote the newest token and before
        it sent the newest message. So if the message is the one before the newest, the newest message is sent now.
        """
        record = await self._ledger.requests.get(resume.request_id)
        if record is None or not record.at_work:
            return None
        if resume.token == record.token:
            return record
        if again and resume.token == record.token_before:
            await self._messages.send_again(record)
        return None

    async def reject(self, refused: Refused) -> None:
        """Record a malformed message as a rejected request.

        If its id already belongs to another request, only add an event to that request's history.
        """
        now = self._clock()
        change = rejected(refused.request_id, refused.body_hash, refused.error, now)
        # The lists of purge (`rested`) and repair (`open`) come before the row: both parts drop an entry that has no
        # row, but nothing would find a row that has no entry.
        await self._ledger.rested.add(refused.request_id, now)
        await self._ledger.open.add(refused.request_id, now)
        try:
            await self._ledger.requests.write(change)
        except LedgerConflict:
            stored = await self._ledger.requests.get(refused.request_id)
            if stored is None or stored.body_hash != refused.body_hash:
                detail = f"a malformed body came by the queue: {refused.error.code}"
                await self.note(refused.request_id, "refused-repeat", detail)

    async def never_ran(self, asked: Asked) -> None:
        """Record a request that the host gave up on before it had a row, with its whole body."""
        request = asked.request
        await self._ledger.open.add(asked.request_id, self._clock())  # both lists before the row, as in `reject`
        change = never_ran(
            asked.request_id,
            request.body(),
            request.body_hash(),
            self._clock(),
            dry_run=request.dry_run is True or self._assess_only,
        )
        await self._ledger.rested.add(asked.request_id, self._clock())
        await self._write_new(change)

    async def note(self, request_id: str, kind: str, detail: str) -> None:
        """Add an event to a request's history without changing the request."""
        for _ in range(TRIES):
            stored = await self._ledger.requests.get(request_id)
            if stored is None:
                return
            event = Event(kind, self._clock(), stored.stage, request_id, detail)
            with suppress(LedgerConflict):
                await self._ledger.requests.write(Change(stored, (event,)))
                return
        raise LedgerConflict(f"request {request_id}")

    async def _row(self, asked: Asked, source: Source, now: datetime, **columns: str) -> RequestRecord:
        request = asked.request
        user_id = (request.invited_user.id or "").lower()
        change = taken_in(
            asked.request_id,
            request.body(),
            request.body_hash(),
            source,
            now,
            dry_run=request.dry_run is True or self._assess_only,
            user_id=user_id,
            user_principal_name=request.invited_user.user_principal_name or "",
            invited_user_email_address=request.invited_user_email_address or request.invited_user.mail or "",
            **columns,
        )
        # The list comes before the row: repair finds a lost message only through it, and drops an entry without a row.
        await self._ledger.open.add(asked.request_id, now)
        record = await self._write_new(change, listed=source is not Source.QUEUE)
        if record.body_hash != change.row.body_hash:
            await self.note(asked.request_id, "refused-repeat", f"the same id came by {source} with another body")
            raise RequestIdInUse(asked.request_id)
        return record

    async def _write_new(self, change: Change[RequestRecord], *, listed: bool = True) -> RequestRecord:
        """Write a new row, or replace a row that may be replaced; return the row that is stored in the end.

        A row may be replaced if it is a rejected draft or a request that never ran. A delivery that took longer than
        `LONGEST_DELIVERY` replaces nothing, because the host has delivered its message again, perhaps under newer
        settings.
        """
        request_id = change.row.request_id
        for _ in range(TRIES):
            with suppress(LedgerConflict):
                return await self._ledger.requests.write(change, listed=listed)
            stored = await self._ledger.requests.get(request_id)
            late = self._clock() - change.row.requested_at > LONGEST_DELIVERY
            if stored is not None and (late or not stored.replaceable or _same(stored, change.row)):
                return stored
            if stored is not None:
                change = in_place_of(change, stored)
        raise LedgerConflict(f"request {request_id}")


def _same(stored: RequestRecord, row: RequestRecord) -> bool:
    """Tell whether two rows record the same end of the same body, as when two sweeps record one poison message."""
    return stored.error_code == row.error_code != "" and stored.body_hash == row.body_hash


def stored_request(record: RequestRecord) -> ConversionRequest:
    """Return the request in a row, parsed from the stored body."""
    return msgspec.json.decode(record.body, type=ConversionRequest)
