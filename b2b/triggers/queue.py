"""The trigger on the work queue."""

import azure.functions as func

from b2b.adapters.queue import REQUESTS
from b2b.bootstrap import services
from b2b.connection import STORAGE
from b2b.workflows.intake.receive import Delivery

functions = func.Blueprint()  # type: ignore[no-untyped-call]  # the library has no annotation here


@functions.queue_trigger(arg_name="message", queue_name=REQUESTS, connection=STORAGE)
async def convert(message: func.QueueMessage) -> None:
    """Handle one message of the work queue."""
    delivery = Delivery(message.get_body(), message.id or "", message.dequeue_count or 1)
    await services().receiver.receive(delivery)
