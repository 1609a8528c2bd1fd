"""One app over one tenant and one storage account, whose process can die at any call and is started again."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from b2b import settings as app_settings
from b2b.bootstrap import Services, build
from b2b.domain.errors import Transient
from rehearsal.tenant import RunningTenant
from tests.faults.points import Fault, GraphWay, Killed, Points
from tests.faults.storage_way import StorageWay
from tests.support.breakages import Breakages
from tests.support.storage import Message, signed
from tests.support.world import MovingClock, account

MAX_DEQUEUE = 5
LEASE, RETRY = 600.0, 60.0
"""Seconds until a message comes back: one whose process died, and one whose handler raised."""
TOO_LONG = 60
"""Deliveries after which a case goes in circles."""

Result = TypeVar("Result")


class BothClocks(MovingClock):
    """The app's clock, and the tenant's along with it: replicas lag by the time that the app sees pass."""

    def __init__(self, tenant: RunningTenant) -> None:
        super().__init__()
        self._tenant = tenant

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self._tenant.control.advance(seconds)


@dataclass
class Rig:
    """Plays the host: hands messages over when they are due, takes them back, moves the clock instead of waiting."""

    tenant: RunningTenant
    storage: str
    environment: Mapping[str, str]
    clock: MovingClock = field(init=False)
    points: Points = field(init=False)
    services: Services | None = None
    messages: list[Message] = field(default_factory=list)
    breakages: Breakages = field(default_factory=Breakages)
    """What the app raised, so that the host delivered again, or caught and did not expect; but no `Transient`."""
    _delays: dict[str, float] = field(default_factory=dict)
    _accounts: int = 0

    def __post_init__(self) -> None:
        """Tie the tenant's clock to the app's."""
        self.clock = BothClocks(self.tenant)
        self.points = Points(clock=self.clock)
        logging.getLogger("b2b").addHandler(self.breakages)

    async def close(self) -> None:
        """End the process, and listen no more."""
        logging.getLogger("b2b").removeHandler(self.breakages)
        await self.stop()

    async def meet(self, fault: Fault | None) -> None:
        """Start anew, with a fault ahead or without one."""
        await self.stop()
        self.points = Points(fault, self.clock)
        self.breakages.found.clear()
        self.messages.clear()

    def next_account(self) -> str:
        """An account that no case has used."""
        self._accounts += 1
        return str(account(self._accounts)["id"])

    async def stop(self) -> None:
        """End the process."""
        if self.services is not None:
            services, self.services = self.services, None
            await services.aclose()

    async def post(self, body: bytes) -> None:
        """Be an HTTP caller, who repeats until the request is taken."""
        for _ in range(TOO_LONG):
            try:
                reply = await self._let(lambda app: app.api.submit(body, ""))
            except Killed:
                continue
            if reply.status == 202:
                return
            assert reply.status == 503, reply
            self.clock.advance(float(reply.headers["Retry-After"]))
        raise AssertionError("the request was never taken")

    async def sweep(self) -> None:
        """Let the timer fire; a killed run is followed by the next."""
        with suppress(Killed):
            await self._let(lambda app: app.sweep.run())

    def send(self, body: str) -> None:
        """Be an upstream system."""
        with self._queue("conversion-requests") as queue:
            queue.send_message(body)

    async def deliver_all(self) -> None:
        """Hand over every message until the queue is empty."""
        for _ in range(TOO_LONG):
            if not await self.deliver_one():
                return
        raise AssertionError(f"the queue does not get empty: {self.points.calls[-20:]}")

    async def deliver_one(self) -> bool:
        """Hand over the next message, when its time has come; False: there is none."""
        self._collect()
        if not self.messages:
            return False
        message = min(self.messages, key=lambda message: message.due)
        self.clock.advance(max((message.due - self.clock()).total_seconds(), 0.0))
        self.messages.remove(message)
        message.tries += 1
        try:
            await self._let(lambda app: app.converter.receive(message.body.encode(), message.id))
        except Killed:
            self._back(message, LEASE)
        except Exception as error:  # noqa: BLE001  whatever the app raises, the host delivers again
            if not isinstance(error, Transient):
                self.breakages.found.append(error)
            self._back(message, RETRY)
        return True

    async def _let(self, work: Callable[[Services], Awaitable[Result]]) -> Result:
        """Let the process do something; it is started if it is not running.

        Raises:
            Killed: it died over it, whatever it did about that.

        """
        if self.services is None:
            reached = app_settings.Storage(connection_string=signed(self.storage))
            settings = replace(app_settings.load(self.environment), storage=reached)
            way = partial(StorageWay, self.points, self._delays)
            self.services = build(settings, self.clock, GraphWay(self.points), way)
        try:
            return await work(self.services)
        finally:
            if self.points.dead:
                await self.stop()
                self.points.dead = False
                raise Killed

    def _back(self, message: Message, delay: float) -> None:
        if message.tries >= MAX_DEQUEUE:
            with self._queue("conversion-requests-poison") as poison:
                poison.send_message(message.body)
        else:
            message.due = self.clock() + timedelta(seconds=delay)
            self.messages.append(message)

    def _collect(self) -> None:
        """Take over what lies in the queue, with the delays that the app asked for."""
        with self._queue("conversion-requests") as queue:
            arrived = list(queue.receive_messages(messages_per_page=32, visibility_timeout=3600))
            if arrived:
                queue.clear_messages()
        now = self.clock()
        self.messages += [
            Message(new.id, new.content, now + timedelta(seconds=self._delays.pop(new.id, 0.0))) for new in arrived
        ]

    def _queue(self, name: str) -> Any:
        return QueueServiceClient.from_connection_string(self.storage).get_queue_client(name)

    def rows(self, table: str, partition: str) -> list[dict[str, Any]]:
        """All rows of a partition, in order."""
        with TableServiceClient.from_connection_string(self.storage) as service:
            client = service.get_table_client(table)
            return [dict(row) for row in client.query_entities("PartitionKey eq @key", parameters={"key": partition})]

    def verdict(self, user_id: str, request_ids: list[str]) -> list[str]:
        """Say what is wrong with the end of a case; nothing: all is well."""
        wrong = []
        conversions = self.rows("conversions", user_id)
        state = next((row for row in conversions if row["RowKey"] == "current"), {})
        if state.get("stage") != "completed":
            wrong.append(f"the conversion is {state.get('stage')}: {state.get('lastError')}")
        wrong += history_gaps(conversions, "conversion")
        for request_id in request_ids:
            rows = self.rows("requests", request_id)
            record = next((row for row in rows if row["RowKey"] == "request"), {})
            if record.get("stage") != "completed":
                wrong.append(f"{request_id} is {record.get('stage')}: {record.get('lastError')}")
            wrong += history_gaps(rows, request_id)
        mails = [mail for mail in self.tenant.control.mails() if mail["userId"] == user_id]
        if len(mails) != 1:
            wrong.append(f"{len(mails)} invitation mails")
        for name in ("conversion-requests", "conversion-requests-poison"):
            with self._queue(name) as queue:
                left = queue.get_queue_properties().approximate_message_count
            if left:
                wrong.append(f"{left} messages left in {name}")
        return [*wrong, *self._misbehaved()]

    def _misbehaved(self) -> list[str]:
        """Say what the app did on its way to the end that it must not do, and whether the fault was there at all."""
        wrong = [f"the app broke: {error!r}" for error in self.breakages.found]
        wrong += [f"Graph had asked to wait before {label}" for label in self.points.early]
        if self.points.fault is not None and not self.points.reached:
            wrong.append(f"the fault was never met: {len(self.points.calls)} calls were made")
        return wrong


def history_gaps(rows: list[dict[str, Any]], what: str) -> list[str]:
    """A history is complete when its numbers are without a gap and its last stage is the state's."""
    history = [row for row in rows if row["RowKey"].startswith("history-")]
    state = next((row for row in rows if row["RowKey"] in {"current", "request"}), {})
    numbers = [int(row["RowKey"].removeprefix("history-")) for row in history]
    wrong = [] if numbers == list(range(1, len(numbers) + 1)) else [f"history of {what} has gaps: {numbers}"]
    if state.get("sequence", 0) != len(numbers):
        wrong.append(f"{what} counts {state.get('sequence')} events and has {len(numbers)}")
    stages = [row["stage"] for row in history if row.get("stage")]
    if stages and stages[-1] != state.get("stage"):
        wrong.append(f"history of {what} ends with {stages[-1]}")
    return wrong


def request_body(request_id: str, user_id: str) -> str:
    """A request for one account."""
    return json.dumps({"requestId": request_id, "invitedUser": {"id": user_id}})
