"""Empty the poison queue: record each message that the host gave up on, and send back the requests that can go on.

The poison queue has no trigger of its own. If the host cannot pass on a message's body from the work queue, it could
not pass that body on from the poison queue either.
"""

import logging
from dataclasses import replace

from b2b.domain.campaign.runs import PartMessage
from b2b.domain.conversion.records import Change, Event
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.errors import B2BError, Transient
from b2b.domain.readings import PoisonMessage
from b2b.domain.request.message import Asked, Refused, Resume, incoming
from b2b.domain.request.record import RequestRecord
from b2b.workflows.campaigns.runs import Runs
from b2b.workflows.conversion.endings import Endings
from b2b.workflows.conversion.messages import Messages
from b2b.workflows.intake.intake import Intake
from b2b.workflows.ports import Clock, Ledger, Queue
from b2b.workflows.sweep.turn import Turn

log = logging.getLogger(__name__)

HIDDEN = 300.0
"""Seconds for which a message is hidden from other sweeps while this one records it. Longer than the part's turn."""
MAX_RETURNS = 3
"""How often a request is sent back to the work queue, because another message may have crashed the process that handled
it."""
GAVE_UP = "The host gave up on the message: every try ended in an error or a crash. Retry the request."


class Drain:
    """Records poison messages, and removes them from their queue."""

    def __init__(
        self,
        intake: Intake,
        runs: Runs,
        messages: Messages,
        endings: Endings,
        ledger: Ledger,
        queue: Queue,
        clock: Clock,
    ) -> None:
        self._intake, self._runs, self._messages, self._endings = intake, runs, messages, endings
        self._ledger, self._queue, self._clock = ledger, queue, clock

    async def run(self, turn: Turn) -> None:
        """Go through the poison queue. A message that cannot be recorded stays there for a later run.

        Raises:
            Transient: the queue did not answer, or storage failed for several messages.

        """
        async for message in self._queue.poison(HIDDEN, turn.room):
            turn.did(changed=await self._recorded(message, turn))
            if not turn.room:
                await self._left(turn)
                return

    async def _recorded(self, message: PoisonMessage, turn: Turn) -> bool:
        try:
            await self._record(message)
            await self._queue.remove_poison(message)
        except Transient as error:
            log.warning("poison message %s stays: %s", message.message_id, error)
            turn.failed(error)
        except B2BError as error:
            log.warning("poison message %s stays: %s", message.message_id, error)
            turn.met_problem()
        except Exception:
            log.exception("poison message %s stays", message.message_id)
            turn.met_problem()
        else:
            return True
        return False

    async def _left(self, turn: Turn) -> None:
        found = await self._queue.poisoned()
        turn.leaves(found.depth, found.oldest)

    async def _record(self, message: PoisonMessage) -> None:
        found = incoming(message.body, message.message_id, self._intake.policy)
        match found:
            case PartMessage():
                await self._runs.give_up(found)
            case Refused():
                await self._intake.reject(found)
            case Resume():
                record = await self._ledger.requests.get(found.request_id)
                if record is not None:
                    await self._one_of_ours(record, found.token)
            case Asked():
                await self._asked(found)

    async def _asked(self, asked: Asked) -> None:
        """Handle a caller's request. Without a row it never ran; otherwise it goes on if this is its newest message."""
        record = await self._find(asked)
        if record is None or record.stage is Stage.REJECTED:
            await self._intake.never_ran(asked)
        elif record.body_hash != asked.request.body_hash():
            await self._intake.note(
                record.request_id, "refused-repeat", "the same id came from the poison queue with another body"
            )
        else:
            await self._one_of_ours(record, "")

    async def _find(self, asked: Asked) -> RequestRecord | None:
        """Return a request by its id, or by its body if the app made the id, because poison copies lack such an id."""
        hash_of = asked.request.body_hash()
        ids = await self._ledger.by_body(hash_of) if asked.made else [asked.request_id]
        found = [record for request_id in ids if (record := await self._ledger.requests.get(request_id))]
        at_work = next((record for record in found if record.at_work), None)
        return at_work if at_work is not None or asked.made else next(iter(found), None)

    async def _one_of_ours(self, record: RequestRecord, token: str) -> None:
        if not record.at_work or record.token != token:
            await self._intake.note(record.request_id, "poison-removed", "the request goes on without this message")
        elif record.poison_returns < MAX_RETURNS:
            await self._send_back(record)
        else:
            await self._fail(record)

    async def _fail(self, record: RequestRecord) -> None:
        """End a request as failed. If its invitation may have been sent, send the request back to learn the outcome."""
        if not await self._endings.fail(record, "gave-up", GAVE_UP):
            await self._send_back(record)

    async def _send_back(self, record: RequestRecord) -> None:
        """Count a return, and then send the request back. A crash in between costs the request one of its returns.

        In the other order, a request that crashes the app each time would return for ever.
        """
        returns = record.poison_returns + 1
        detail = f"{returns} of {MAX_RETURNS}"
        back = Event("returned-from-poison", self._clock(), record.stage, record.request_id, detail)
        counted = await self._ledger.requests.write(Change(replace(record, poison_returns=returns), (back,)))
        await self._messages.put_off(counted, WaitReason.SERVICE, 0.0, "returned from the poison queue")
