"""Take a request in: give it a row, and notice repeats and conflicts."""

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
"""How often a row is read and written anew when other deliveries write it too."""
LONGEST_DELIVERY = timedelta(minutes=10)
"""functionTimeout of host.json. The host has long given the message of a delivery that lasts longer to another one."""


class Intake:
    """Gives every request its row."""

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
        """``assess_only``: the mode is `assess`, so every request that comes in is a dry run."""
        self._ledger, self._messages, self.policy = ledger, messages, policy
        self._clock, self._new_id, self._assess_only = clock, new_id, assess_only

    async def submit(self, raw: bytes) -> RequestRecord:
        """Take an HTTP request in, and put its message on the queue.

        A repeat of one that was never tried is put there again: the process may have died in between.

        Raises:
            RequestRefused: malformed, or its request id belongs to another body. Nothing is recorded but a conflict.
            Transient: storage did not take it; the caller may repeat the same request.

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
        """Give a queue message its row; None if another message already carries the request.

        ``again``: the host delivers this message not for the first time.

        Raises:
            RequestIdInUse: the id belongs to another body, in whose history that is noted.

        """
        came = self._clock()  # before the first write: a process that freezes there was late as well
        if asked.made:
            await self._ledger.remember_body(asked.request.body_hash(), asked.request_id)
        record = await self._row(asked, Source.QUEUE, came)
        if not record.token:
            return record
        if again and record.at_work and not record.token_before:
            await self._messages.send_again(record)
        return None

    async def resume(self, resume: Resume, *, again: bool) -> RequestRecord | None:
        """Return the request that one of our own messages is about; None: the message does nothing.

        Only the newest message counts. Where the one before comes again, its process died between naming the newest
        and sending it, so that one is sent now.
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
        """Record a message that is no request; where its id belongs to one, only in that one's history."""
        now = self._clock()
        change = rejected(refused.request_id, refused.body_hash, refused.error, now)
        await self._ledger.rested.add(refused.request_id, now)
        await self._ledger.open.add(refused.request_id, now)  # so that the sweep sees to its lines, should this one not
        try:
            await self._ledger.requests.write(change)
        except LedgerConflict:
            stored = await self._ledger.requests.get(refused.request_id)
            if stored is None or stored.body_hash != refused.body_hash:
                detail = f"a malformed body came by the queue: {refused.error.code}"
                await self.note(refused.request_id, "refused-repeat", detail)

    async def never_ran(self, asked: Asked) -> None:
        """Record a request that the host gave up on before it had a row, with everything that its body said."""
        request = asked.request
        await self._ledger.open.add(asked.request_id, self._clock())
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
        """Add an event to a request's history, and leave the request as it is."""
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
        await self._ledger.open.add(asked.request_id, now)
        record = await self._write_new(change, listed=source is not Source.QUEUE)
        if record.body_hash != change.row.body_hash:
            await self.note(asked.request_id, "refused-repeat", f"another body came by {source}")
            raise RequestIdInUse(asked.request_id)
        return record

    async def _write_new(self, change: Change[RequestRecord], *, listed: bool = True) -> RequestRecord:
        """Write a new row, in place of a draft where one is there; return the row that stands in the end.

        A process that was frozen in between replaces nothing: its message was delivered again, and that delivery's
        settings are newer than those this row was made with.
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
    """Tell whether a second sweep only records again what the first recorded."""
    return stored.error_code == row.error_code != "" and stored.body_hash == row.body_hash


def stored_request(record: RequestRecord) -> ConversionRequest:
    """Return the request of a row that was understood when it came."""
    return msgspec.json.decode(record.body, type=ConversionRequest)
