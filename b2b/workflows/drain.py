"""Empty the poison queue into the ledger: whatever the host gave up on gets its row, and what can go on goes back.

There is no trigger on the poison queue: a body that the host could not hand over could not be handed over from there.
"""

import logging
from dataclasses import replace

from b2b.domain.conversion import WORKING, Change, Event, RequestRecord, Source, Stage, advance_request
from b2b.domain.errors import B2BError, LedgerConflict, RequestRefused, Transient
from b2b.domain.readings import PoisonMessage
from b2b.domain.request import ConversionRequest
from b2b.workflows.intake import Intake, made_request_id
from b2b.workflows.ports import Clock, Ledger, Queue

log = logging.getLogger(__name__)

HIDDEN = 300.0
"""Seconds that a message stays hidden from a second sweep while this one records it."""
MAX_RETURNS = 3
"""How often a request that was under way goes back: a neighbour's crash may have brought it there."""
GAVE_UP = "the host gave up on the message: every try ended in an error or a crash"
NEVER_RAN = "the host gave up on the message before the app could record it; send the request again"


class Drain:
    """Records and removes poison messages."""

    def __init__(self, intake: Intake, ledger: Ledger, queue: Queue, clock: Clock) -> None:
        """Use the intake and the adapters; nothing is read yet."""
        self._intake, self._ledger, self._queue, self._clock = intake, ledger, queue, clock

    async def run(self) -> tuple[int, int]:
        """Go through the poison queue once; return how many messages were recorded and how many could not be.

        A message that could not be recorded stays in the queue for the next run. Never raises.
        """
        recorded = problems = 0
        try:
            async for message in self._queue.poison(HIDDEN):
                done = await self._recorded(message)
                recorded, problems = recorded + int(done), problems + int(not done)
        except Transient as error:  # what was taken out before is not forgotten
            problems += 1
            log.warning("the poison queue was not emptied: %s", error)
        return recorded, problems

    async def _recorded(self, message: PoisonMessage) -> bool:
        try:
            await self._record(message)
            await self._queue.remove_poison(message)
        except B2BError as error:
            log.warning("poison message %s stays: %s", message.message_id, error)
        except Exception:
            log.exception("poison message %s stays", message.message_id)
        else:
            return True
        return False

    async def _record(self, message: PoisonMessage) -> None:
        made_id = made_request_id(message.body, message.message_id)
        try:
            request, told = self._intake.understand(message.body, Source.QUEUE)
        except RequestRefused as refused:
            await self._intake.reject(message.body, made_id, refused)
            return
        record = await self._find(request, told)
        if record is None:
            await self._never_ran(request, told or made_id)
        elif record.body_hash != request.body_hash():
            await self._intake.note(record.request_id, "refused-repeat", "another body came from the poison queue")
        elif record.stage not in WORKING:
            await self._intake.note(record.request_id, "poison-removed", "the request has gone on without this copy")
        elif record.poison_returns < MAX_RETURNS:
            await self._send_back(request, record)
        else:
            await self._fail(record)

    async def _find(self, request: ConversionRequest, told: str | None) -> RequestRecord | None:
        """Find the request by its id or, where it had none, by its body: a poison copy keeps nothing else.

        By its body, only one that is still under way: an old twin says nothing about this message.
        """
        ids = [told] if told else await self._ledger.by_body(request.body_hash())
        found = [record for request_id in ids if (record := await self._ledger.requests.get(request_id))]
        at_work = next((record for record in found if record.stage in WORKING), None)
        return at_work if at_work or not told else next(iter(found), None)

    async def _send_back(self, request: ConversionRequest, record: RequestRecord) -> None:
        """Counted first: a crash in between costs one return, not an endless circle."""
        returns = record.poison_returns + 1
        back = Event(
            "returned-from-poison", self._clock(), record.stage, record.request_id, f"{returns} of {MAX_RETURNS}"
        )
        await self._ledger.requests.write(Change(replace(record, poison_returns=returns), (back,)))
        await self._queue.send(request.message(record.request_id))

    async def _fail(self, record: RequestRecord) -> None:
        change = advance_request(record, Stage.FAILED, self._clock(), GAVE_UP, last_error=GAVE_UP)
        await self._ledger.requests.write(change)

    async def _never_ran(self, request: ConversionRequest, request_id: str) -> None:
        now = self._clock()
        record = RequestRecord(
            request_id=request_id,
            stage=Stage.FAILED,
            body_hash=request.body_hash(),
            source=Source.QUEUE,
            requested_at=now,
            completed_at=now,
            body=request.body(),
            last_error=NEVER_RAN,
        )
        failed = Event(Stage.FAILED.value, now, Stage.FAILED, request_id, NEVER_RAN)
        try:
            await self._ledger.requests.write(Change(record, (failed,)))
        except LedgerConflict:
            stored = await self._ledger.requests.get(request_id)
            if stored is None or stored.body_hash != record.body_hash:
                raise  # otherwise an earlier sweep recorded it and could not remove it
