"""One app over one tenant and one storage account, whose process can die at any call and is started again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from b2b import settings as app_settings
from b2b.bootstrap import Services, build
from rehearsal.tenant import RunningTenant
from tests.faults.points import GraphWay, Killed, Points, StorageWay
from tests.support.storage import signed
from tests.support.world import MovingClock, account

MAX_DEQUEUE = 5
LEASE = 600.0
"""The host's lease on a message: what a killed process leaves behind comes back after that."""
TOO_LONG = 60
"""Deliveries after which a case goes in circles."""


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
    """Plays the host: hands messages over, takes them back, moves the clock instead of waiting."""

    tenant: RunningTenant
    storage: str
    environment: Mapping[str, str]
    clock: MovingClock = field(init=False)
    points: Points = field(default_factory=Points)
    services: Services | None = None
    raised: list[Exception] = field(default_factory=list)
    """What came out of the app, so that the host delivered again."""
    _accounts: int = 0

    def __post_init__(self) -> None:
        """Tie the tenant's clock to the app's."""
        self.clock = BothClocks(self.tenant)

    def next_account(self) -> str:
        """An account that no case has used."""
        self._accounts += 1
        return str(account(self._accounts)["id"])

    async def start(self) -> Services:
        """Start the process, if it is not running."""
        if self.services is None:
            loaded = app_settings.load(self.environment)
            reached = replace(loaded, storage=app_settings.Storage(connection_string=signed(self.storage)))
            self.services = build(reached, self.clock, GraphWay(self.points), lambda: StorageWay(self.points))
        return self.services

    async def stop(self) -> None:
        """End the process."""
        if self.services is not None:
            services, self.services = self.services, None
            await services.aclose()

    async def post(self, body: bytes) -> None:
        """Be an HTTP caller, who repeats until the request is taken."""
        for _ in range(TOO_LONG):
            try:
                reply = await (await self.start()).api.submit(body, "")
            except Killed:
                await self.stop()
                continue
            if reply.status == 202:
                return
            assert reply.status in {500, 503}, reply
        raise AssertionError("the request was never taken")

    async def sweep(self) -> None:
        """Let the timer fire; a killed run is followed by the next."""
        try:
            await (await self.start()).sweep.run()
        except Killed:
            await self.stop()

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
        """Hand over the next message; False: there is none."""
        with self._queue("conversion-requests") as queue:
            message = queue.receive_message(visibility_timeout=300)
            if message is None:
                return False
            self._let_time_pass()
            try:
                await (await self.start()).converter.receive(message.content.encode(), message.id)
            except Killed:
                await self.stop()
                self.clock.advance(LEASE)
            except Exception as error:  # noqa: BLE001  whatever the app raises, the host delivers again
                self.raised.append(error)
                self.clock.advance(60)
            else:
                queue.delete_message(message)
                return True
            if (message.dequeue_count or 0) >= MAX_DEQUEUE:
                with self._queue("conversion-requests-poison") as poison:
                    poison.send_message(message.content)
                queue.delete_message(message)
            else:
                queue.update_message(message, visibility_timeout=0)
            return True

    def _let_time_pass(self) -> None:
        for delay in self.points.delays:
            self.clock.advance(delay)
        self.points.delays.clear()

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
