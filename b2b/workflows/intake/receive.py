"""Handle one queue message: parse it, write or find its row, and work on its request.

A message is done only when its content is in a row or back on the queue.
"""

import logging
from dataclasses import dataclass

from b2b.domain.actors import BY_QUEUE, acting_as
from b2b.domain.campaign.runs import PartMessage
from b2b.domain.conversion.waits import LONGEST
from b2b.domain.errors import LedgerConflict, MustWait, RequestRefused, Transient, UnreadableRow, Unsent
from b2b.domain.request.message import Asked, Incoming, Refused, Resume, incoming
from b2b.domain.request.record import RequestRecord
from b2b.workflows.campaigns.runs import Runs
from b2b.workflows.conversion.process import Converter
from b2b.workflows.intake.intake import Intake
from b2b.workflows.ports import Queue

log = logging.getLogger(__name__)

SHORTEST = 15.0
"""Seconds until a message that goes back becomes visible again, if the error names no time."""


@dataclass(frozen=True)
class Delivery:
    """A message as the Functions host passes it to the app."""

    body: bytes
    message_id: str
    dequeue_count: int = 1

    @property
    def again(self) -> bool:
        """Whether the host has delivered this message before."""
        return self.dequeue_count > 1


class Receiver:
    """Handles the messages of the work queue."""

    def __init__(self, intake: Intake, converter: Converter, runs: Runs, queue: Queue) -> None:
        self._intake, self._converter, self._runs, self._queue = intake, converter, runs, queue

    async def receive(self, delivery: Delivery) -> None:
        """Handle one message. When this returns, the message is recorded, or a copy of it is back on the queue.

        Raises:
            Transient: storage took neither the row nor the copy; the host delivers the message again.

        """
        with acting_as(BY_QUEUE):
            await self._receive(delivery)

    async def _receive(self, delivery: Delivery) -> None:
        found = incoming(delivery.body, delivery.message_id, self._intake.policy)
        try:
            record = await self._record(found, delivery)
            if record is not None:
                await self._converter.work(record)
        except MustWait as wait:
            await self._queue.send(delivery.body, wait.seconds or SHORTEST)
        except UnreadableRow as error:
            log.warning("a message waits for a newer version of the app: %s", error)
            await self._queue.send(_going_back(found, delivery), LONGEST)
        except Unsent:
            # No copy: the row may name a newer message that was never sent. Only this message sends it, and only when
            # the host delivers it again; a copy would count as a first delivery, and do nothing.
            raise
        except (Transient, LedgerConflict) as error:
            delay = error.retry_after if isinstance(error, Transient) else None
            await self._queue.send(_going_back(found, delivery), delay or SHORTEST)
            log.warning("message %s goes back: %s", delivery.message_id, error)

    async def _record(self, found: Incoming, delivery: Delivery) -> RequestRecord | None:
        match found:
            case Resume():
                record = await self._intake.resume(found, again=delivery.again)
                if record is None:
                    log.info("request %s: a message that is not its newest does nothing", found.request_id)
                return record
            case PartMessage():
                await self._runs.work(found)
                return None
            case Refused():
                log.warning("request %s refused: %s", found.request_id, found.error.code)
                await self._intake.reject(found)
                return None
            case Asked():
                try:
                    return await self._intake.take_in(found, again=delivery.again)
                except RequestRefused as refused:
                    log.warning("request %s refused: %s", found.request_id, refused.code)
                    return None


def _going_back(found: Incoming, delivery: Delivery) -> bytes:
    """Return the body that goes back on the queue. A caller's request keeps the id that the app made for it."""
    return found.request.message(found.request_id) if isinstance(found, Asked) else delivery.body
