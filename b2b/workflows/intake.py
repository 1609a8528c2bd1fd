"""Take a request in: understand it, give it a row, notice repeats and conflicts. Nothing is dropped without a row."""

from contextlib import suppress
from dataclasses import dataclass, replace

import msgspec

from b2b.domain import envelope
from b2b.domain.conversion import Change, Event, RequestRecord, Source, Stage
from b2b.domain.envelope import MAX_BODY_BYTES, ROOM_FOR_ID, digest
from b2b.domain.errors import LedgerConflict, MalformedRequest, RequestIdInUse, RequestRefused
from b2b.domain.request import GUID, ConversionRequest, IntakePolicy, Parsed, parse
from b2b.settings import Mode, Settings
from b2b.workflows.ports import Clock, Ledger, Queue

NOTE_TRIES = 5


@dataclass(frozen=True)
class Taken:
    """A request with its row."""

    request: ConversionRequest
    record: RequestRecord


class Intake:
    """Gives every request its row."""

    def __init__(self, ledger: Ledger, queue: Queue, settings: Settings, clock: Clock) -> None:
        """Use the adapters; nothing is read yet."""
        self._ledger, self._queue, self._settings, self._clock = ledger, queue, settings, clock
        self.policy = IntakePolicy(settings.redirect_hosts)

    async def submit(self, raw: bytes, made_id: str) -> RequestRecord:
        """Take an HTTP request in and put it on the queue. A repeat of one that waits is put there again: harmless.

        Raises:
            RequestRefused: malformed, or its request id belongs to another body. Nothing is recorded but a conflict.
            Transient: storage did not take it; the caller may repeat the same request.

        """
        told = self.understand(raw, Source.HTTP).request.request_id or ""
        if told.startswith(envelope.MADE_BY_US):
            prefixes = ", ".join(envelope.MADE_BY_US)
            raise MalformedRequest("InvalidValue", f"requestId: expected none of the prefixes {prefixes}", "requestId")
        taken = await self.take_in(raw, Source.HTTP, made_id)
        if taken.record.stage is Stage.REQUESTED:
            await self._queue.send(taken.request.message(taken.record.request_id))
        return taken.record

    async def take_in(self, raw: bytes, source: Source, made_id: str) -> Taken:
        """Understand a request and return it with its row, which is new unless this is a repeat.

        ``made_id`` is the request id where neither caller nor envelope gave one.

        Raises:
            RequestRefused: malformed, or its request id belongs to another body.
            Transient: storage did not answer.

        """
        request, told = self.understand(raw, source)
        record = self._new(request, source, told or made_id)
        if told is None and source is Source.QUEUE:
            await self._ledger.remember_body(record.body_hash, record.request_id)
        stored = await self._ledger.requests.get(record.request_id)
        if stored is not None and stored.stage is Stage.REJECTED:  # a corrected request takes the place of its draft
            record = replace(record, sequence=stored.sequence, etag=stored.etag)
            stored = None
        if stored is None:
            await self._ledger.open.add(record.request_id, record.requested_at)
            detail = "assess only: nothing is written to the directory" if record.dry_run else ""
            arrival = Event(Stage.REQUESTED.value, record.requested_at, Stage.REQUESTED, record.request_id, detail)
            try:
                return Taken(request, await self._ledger.requests.write(Change(record, (arrival,))))
            except LedgerConflict:
                stored = await self._ledger.requests.get(record.request_id)
        if stored is None or stored.body_hash != record.body_hash:
            await self.note(record.request_id, "refused-repeat", f"another body came by {source}")
            raise RequestIdInUse(record.request_id)
        return Taken(request, stored)

    def understand(self, raw: bytes, source: Source) -> Parsed:
        """Parse a request; one from the queue may carry the id that we gave it on top of its size.

        Raises:
            MalformedRequest: names the field and what was expected.

        """
        return parse(raw, self.policy, MAX_BODY_BYTES + (ROOM_FOR_ID if source is Source.QUEUE else 0))

    async def reject(self, raw: bytes, made_id: str, refused: RequestRefused) -> RequestRecord | None:
        """Record a queue message that is no request of ours, with as much of it as can be told.

        Returns None where the id that it carries belongs to another request: there it is an event in that history.

        Raises:
            Transient: storage did not answer.

        """
        request_id = envelope.told_request_id(raw) or made_id
        now = self._clock()
        record = RequestRecord(
            request_id=request_id,
            stage=Stage.REJECTED,
            body_hash=digest(raw),
            source=Source.QUEUE,
            requested_at=now,
            completed_at=now,
            last_error=refused.message[:1000],
            error_code=refused.code,
            error_target=refused.target[:200],
        )
        rejected = Event(Stage.REJECTED.value, now, Stage.REJECTED, request_id, refused.code)
        try:
            return await self._ledger.requests.write(Change(record, (rejected,)))
        except LedgerConflict:
            stored = await self._ledger.requests.get(request_id)
        if stored is not None and stored.body_hash == record.body_hash:
            return stored
        if not isinstance(refused, RequestIdInUse):
            await self.note(request_id, "refused-repeat", f"a malformed body came by the queue: {refused.code}")
        return None

    async def note(self, request_id: str, kind: str, detail: str) -> None:
        """Add an event to a request's history and leave the request as it is.

        Raises:
            Transient: storage did not answer.
            LedgerConflict: it changes all the time.

        """
        for _ in range(NOTE_TRIES):
            stored = await self._ledger.requests.get(request_id)
            if stored is None:
                return
            event = Event(kind, self._clock(), stored.stage, request_id, detail)
            with suppress(LedgerConflict):
                await self._ledger.requests.write(Change(stored, (event,)))
                return
        raise LedgerConflict(f"request {request_id}")

    async def reopen(self, change: Change[RequestRecord]) -> RequestRecord:
        """Put a request that a person opened again back on the queue.

        Raises:
            LedgerConflict: the request moved meanwhile.
            Transient: storage did not take it.

        """
        await self._ledger.open.add(change.row.request_id, self._clock())
        record = await self._ledger.requests.write(change)
        await self._queue.send(stored_request(record).message(record.request_id))
        return record

    def _new(self, request: ConversionRequest, source: Source, request_id: str) -> RequestRecord:
        now = self._clock()
        return RequestRecord(
            request_id=request_id,
            stage=Stage.REQUESTED,
            body_hash=request.body_hash(),
            source=source,
            requested_at=now,
            due_at=now,
            body=request.body(),
            dry_run=request.dry_run is True or self._settings.mode is Mode.ASSESS,
        )


def stored_request(record: RequestRecord) -> ConversionRequest:
    """Return the request of a row. Only rows of requests that were understood have one."""
    return msgspec.json.decode(record.body, type=ConversionRequest)


def made_request_id(raw: bytes, message_id: str) -> str:
    """Return the request id of a queue message that brings none: a second delivery must be the same request.

    A body with a reserved name makes the host report that name's value as the message's id,
    so there the body itself counts.
    """
    own = envelope.keeps_metadata(raw) and GUID.fullmatch(message_id)
    return f"queue-{message_id}" if own else f"body-{digest(raw)[:48]}"
