"""One queue message: read it once, find its row, and work on the request. Nothing is dropped without a row."""

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


@dataclass(frozen=True)
class Delivery:
    """A message as the host hands it over."""

    body: bytes
    message_id: str
    dequeue_count: int = 1

    @property
    def again(self) -> bool:
        """Whether the host delivers it not for the first time."""
        return self.dequeue_count > 1


class Receiver:
    """Handles messages of the work queue."""

    def __init__(self, intake: Intake, converter: Converter, runs: Runs, queue: Queue) -> None:
        self._intake, self._converter, self._runs, self._queue = intake, converter, runs, queue

    async def receive(self, delivery: Delivery) -> None:
        """Handle one message. When this returns, the message has done its work: it is recorded, or put back.

        Raises:
            Transient: storage took neither row nor message; the host delivers it again.

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
    """Return what goes back on the queue: a caller's request keeps the id that was made for it."""
    return found.request.message(found.request_id) if isinstance(found, Asked) else delivery.body
