"""A Functions host that a test drives step by step: it hands messages over, takes them back, and moves the clock."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient

from b2b import settings as app_settings
from b2b.bootstrap import Services, build
from b2b.domain.answers import Reply
from b2b.domain.errors import Transient
from b2b.settings import Settings
from rehearsal.storage import TABLES, provision
from rehearsal.tenant import RunningTenant
from tests.faults.points import GraphWay, Killed
from tests.faults.storage_way import StorageWay
from tests.stateful.calls import Calls, Weather
from tests.support.storage import Message, signed
from tests.support.world import MovingClock, Rows

MAX_DEQUEUE = 5
LEASE, RETRY = 600.0, 60.0
"""Seconds until a message comes back: one whose process died, and one whose handler raised."""
TOKEN_LIFETIME = timedelta(hours=20)
"""A process is not older than its first token, which is good for a day of the tenant's time."""
HIDDEN = 3.0
"""Longest real wait for a poison message that a sweep left behind; it hides for one second."""

Ledger = dict[str, dict[str, Rows]]
"""All rows, by table and partition, in order."""


class Storage:
    """The test's own clients of one storage account, which is emptied for each example."""

    def __init__(self, connection_string: str) -> None:
        self.connection_string = connection_string
        self._tables = TableServiceClient.from_connection_string(connection_string)
        self._queues = QueueServiceClient.from_connection_string(connection_string)
        self.requests: QueueClient = self._queues.get_queue_client("conversion-requests")
        self.poison: QueueClient = self._queues.get_queue_client("conversion-requests-poison")
        self.signed = signed(connection_string)

    def close(self) -> None:
        for client in (self.requests, self.poison, self._queues, self._tables):
            client.close()

    def empty(self) -> None:
        for table in TABLES:
            self._tables.delete_table(table)
        provision(self.connection_string)
        self.requests.clear_messages()
        self.poison.clear_messages()

    def ledger(self) -> Ledger:
        found: Ledger = {}
        for table in TABLES:
            partitions = found[table] = defaultdict(list)
            for row in self._tables.get_table_client(table).list_entities():
                partitions[row["PartitionKey"]].append(dict(row))
        return found


class Process:
    """One instance of the app."""

    def __init__(self, settings: Settings, clock: MovingClock, weather: Weather, delays: dict[str, float]) -> None:
        self.born = clock()
        self.calls = Calls(weather=weather)
        self.services = build(settings, clock, GraphWay(self.calls), lambda: StorageWay(self.calls, delays))


@dataclass
class Host:
    """Everything between Azurite and the tenant; `breakages` are errors that no workflow may raise."""

    tenant: RunningTenant
    storage: Storage
    environment: dict[str, str]
    clock: MovingClock = field(default_factory=MovingClock)
    weather: Weather = field(default_factory=Weather)
    messages: list[Message] = field(default_factory=list)
    breakages: list[str] = field(default_factory=list)
    process: Process | None = None
    slow: tuple[Process, asyncio.Task[None]] | None = None
    """An instance with a call that hangs; the others go on without it, and no time passes before it does."""
    _delays: dict[str, float] = field(default_factory=dict)

    def running(self) -> Process:
        """The instance that gets the next work."""
        if self.process is None:
            signed = app_settings.Storage(connection_string=self.storage.signed)
            settings = replace(app_settings.load(self.environment), storage=signed)
            self.process = Process(settings, self.clock, self.weather, self._delays)
        return self.process

    async def close(self) -> None:
        await self.resume(dead=True)
        await self._stop(self.process)

    async def restart(self, **changed: str) -> None:
        """Deploy other settings."""
        self.environment |= changed
        await self._stop(self.process)

    async def pass_time(self, seconds: float) -> None:
        """Move both clocks. What hangs gets its answer first."""
        await self.resume()
        self.clock.advance(seconds)
        self.tenant.control.advance(seconds)
        if self.process is not None and self.clock() - self.process.born > TOKEN_LIFETIME:
            await self._stop(self.process)

    def send(self, body: str) -> None:
        """Be an upstream system."""
        self.storage.requests.send_message(body)
        self.collect()

    async def ask(self, work: Callable[[Services], Awaitable[Reply]], heard: Callable[[Reply], None]) -> None:
        """Be an HTTP caller; nothing is `heard` from a process that dies."""

        async def call(process: Process) -> None:
            reply = await self._attempt(process, work)
            if isinstance(reply, Reply):
                if reply.status == 500:
                    self.breakages.append("HTTP 500")
                heard(reply)

        await self._step(call)

    async def deliver(self, message: Message) -> None:
        """Hand a message over when its time has come."""
        await self.pass_time(max((message.due - self.clock()).total_seconds(), 0.0))
        self.messages.remove(message)

        async def handle(process: Process) -> None:
            message.tries += 1
            done = await self._attempt(process, lambda app: app.converter.receive(message.body.encode(), message.id))
            if done is Failed:
                message.due = self.clock() + timedelta(seconds=LEASE if process.calls.dead else RETRY)
                self.messages.append(message)
                if message.tries >= MAX_DEQUEUE:
                    self.give_up(message)

        await self._step(handle)

    def duplicate(self, message: Message) -> None:
        """Let a message be delivered once more."""
        self.messages.append(replace(message))

    def give_up(self, message: Message) -> None:
        """Put a message into poison, as the host does when a process died over it too often."""
        self.messages.remove(message)
        self.storage.poison.send_message(message.body)

    async def sweep(self) -> None:
        """Let the timer fire."""

        async def run(process: Process) -> None:
            await self._attempt(process, lambda app: app.sweep.run())

        await self._step(run)

    async def poison_is_visible(self) -> None:
        """Wait until the next sweep can see what the last one did not finish."""
        async with asyncio.timeout(HIDDEN):
            while self.storage.poison.get_queue_properties().approximate_message_count:
                if self.storage.poison.peek_messages():
                    return
                await asyncio.sleep(0.05)

    async def resume(self, *, dead: bool = False) -> None:
        """Let the hanging call have its answer, and its instance end its work; or let the instance die."""
        if self.slow is None:
            return
        (process, task), self.slow = self.slow, None
        process.calls.dead = dead
        process.calls.go_on.set()
        await task
        await self._stop(process)
        self.collect()

    def collect(self) -> None:
        """Take over what lies in the queue, with the delays that the app asked for."""
        arrived = list(self.storage.requests.receive_messages(messages_per_page=32, visibility_timeout=3600))
        if arrived:
            self.storage.requests.clear_messages()
        now = self.clock()
        self.messages += [
            Message(new.id, new.content, now + timedelta(seconds=self._delays.pop(new.id, 0.0))) for new in arrived
        ]

    async def _step(self, work: Callable[[Process], Coroutine[Any, Any, None]]) -> None:
        """Do something in the running process; should a call hang, put that process aside."""
        process = self.running()
        task = asyncio.create_task(work(process))
        hanging = asyncio.create_task(process.calls.hanging.wait())
        await asyncio.wait({task, hanging}, return_when=asyncio.FIRST_COMPLETED)
        hanging.cancel()
        if task.done():
            await task
            if process.calls.dead:
                await self._stop(process)
        else:
            self.slow, self.process = (process, task), None
        self.collect()

    async def _attempt(self, process: Process, work: Callable[[Services], Awaitable[Any]]) -> Any:
        try:
            result = await work(process.services)
        except Killed:
            return Failed
        except Transient:
            return Failed
        except Exception as error:  # noqa: BLE001  whatever it is, it is one error too many
            if not process.calls.dead:
                self.breakages.append(repr(error))
            return Failed
        return Failed if process.calls.dead else result

    async def _stop(self, process: Process | None) -> None:
        if process is not None:
            if process is self.process:
                self.process = None
            process.calls.dead = True
            await process.services.aclose()


class Failed:
    """In place of a result: the process died, or said that it could not."""
