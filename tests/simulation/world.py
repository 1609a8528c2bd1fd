"""The world of one history: storage, directory, clocks, processes of the app, and what was done from outside.

Every call of every process waits here until the runner carries it out.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from tests.simulation.app import EXPECTED, POISON, QUEUES, TABLES, WORK, App, allowance
from tests.simulation.directory import Directory
from tests.simulation.directory_tenant import PERMISSIONS
from tests.simulation.gate import Call
from tests.simulation.history import History
from tests.simulation.loop import SimulatedLoop
from tests.simulation.people import BY_NAME, HAS, PARTNERS, TENANT_ID, alias
from tests.simulation.queues import Queues
from tests.simulation.tables import Tables

T = TypeVar("T")

START = datetime(2026, 3, 1, tzinfo=UTC)
LEASE, RETRY, MAX_DEQUEUE = 600.0, 60.0, 5
"""The host's limits: the seconds until it delivers the message of a dead process, and of a failed try, again; and how
often it delivers a message before the message goes to poison.
"""
AT_ONCE = 4
"""How many messages one process handles at a time: fewer than in host.json, so that histories stay readable."""


@dataclass(eq=False)
class Activity:
    """A process's work on one message, one HTTP call, or one run of the sweep."""

    label: str
    instance: "Instance"
    message: tuple[str, str] | None = None
    """The id and receipt of the queue message that the activity handles."""
    done: bool = False
    began: float = 0.0
    ended: float | None = None
    content: str = ""
    """The content of the delivered message; empty if the activity handles no message."""


CURRENT: ContextVar[Activity] = ContextVar("activity")


@dataclass(eq=False)
class Pending:
    """A call that waits for the runner to carry it out."""

    activity: Activity
    call: Call
    effect: Callable[[], Any]
    failure: Callable[[str], BaseException]
    future: asyncio.Future[Any]
    name: str
    subject: str
    not_before: float = 0.0
    outcome: str | None = None
    """The outcome, set when the runner first considers the call."""
    slow: float = 0.0
    """How long the answer takes, in seconds."""


@dataclass(eq=False)
class Instance:
    """One process of the app."""

    name: str
    world: "World"
    settings: dict[str, str]
    skew: float
    alive: bool = True
    retired: bool = False
    """Whether the process gets no new work and only completes what it has, because a new version is being deployed."""
    frozen_until: float = 0.0
    running: list[Activity] = field(default_factory=list)
    app: App = field(init=False)

    def __post_init__(self) -> None:
        world = self.world
        self.app = App(
            self.settings,
            self.clock,
            self,
            world.tables,
            world.queues,
            world.directory,
            monotonic=world.loop.time,
            allowance=allowance(world.history.budget, lists=world.history.lists),
            new_id=world.new_id,
        )

    def clock(self) -> datetime:
        """Return the time by the clock of this process."""
        return START + timedelta(seconds=self.world.loop.now + self.skew)

    async def call(self, call: Call, effect: Callable[[], T], failure: Callable[[str], BaseException]) -> T:
        """Wait until the runner carries out a call. All clients of the process use this as their gate."""
        world = self.world
        future: asyncio.Future[T] = asyncio.Future(loop=world.loop)
        world.calls += 1
        pending = Pending(
            CURRENT.get(), call, effect, failure, future, f"{call.service} {call.verb}", alias(call.subject)
        )
        world.pending.append(pending)
        try:
            return await future
        except asyncio.CancelledError:
            if pending in world.pending:
                world.pending.remove(pending)
            raise

    @property
    def frozen(self) -> bool:
        """Whether the process stands still now."""
        return self.frozen_until > self.world.loop.now

    @property
    def takes_work(self) -> bool:
        """Whether the host gives the process new work."""
        return self.alive and not self.retired and not self.frozen


@dataclass(frozen=True)
class Sent:
    """An invitation that reached Graph."""

    at: float
    person: str
    status: int
    mailed: str | None
    """The mailbox that got a mail; None if no mail was sent."""
    allowed: bool
    """Whether the settings of the process allowed it to invite."""
    activity: str
    instance: str
    began: float
    """When the activity that sent the invitation began."""
    recorded: bool = False
    """Whether the app got Graph's answer and stored it in the row of the conversion."""
    for_another: bool = False
    """Whether Graph answered that it had invited another account, and the app reported that."""
    source: Activity | None = field(default=None, compare=False)
    """The activity that sent the invitation."""

    @property
    def decided(self) -> bool:
        """Whether a person decided about this very mail while the account was invited."""
        return self.activity.startswith(("resend ", "correct "))


@dataclass(eq=False)
class Act:
    """An action of a person, a caller or the tenant."""

    at: float
    action: str
    subject: str
    value: Any = None
    reply: Any = None
    """The answer of an HTTP call; None if the action was no HTTP call, or if its caller got no answer."""
    work: Activity | None = None
    """The HTTP call; None if the action was none."""


class World:
    """Everything in which a history takes place."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.loop = SimulatedLoop()  # type: ignore[abstract]  # what no workflow calls is left out
        self.loop.postpone = self._postponed
        self.tables = Tables(TABLES, self.now)
        self.queues = Queues(QUEUES, self.now)
        self.people = {name: BY_NAME[name] for name in (*history.people, "jack")}
        self.directory = directory_of(self)
        self.settings: dict[str, str] = dict(history.settings)
        self.pending: list[Pending] = []
        self.instances: list[Instance] = []
        self.acts: list[Act] = []
        self.sent: list[Sent] = []
        self.replies: list[tuple[float, str, str, Any]] = []
        """Time, action, request and answer of each HTTP call that was answered."""
        self.deliveries: list[Activity] = []
        """Every message that the host delivered to a process."""
        self.breakages: list[str] = []
        self.trace: list[str] | None = None
        self.calls = 0
        self._ids = count(1)
        self.outages: dict[str, float] = {}
        """The time until which each service does not answer."""
        self.slow: dict[str, float] = {}
        """How many seconds each service takes for a call."""
        self.foreign: dict[str, dict[str, Any]] = {}
        """The previous content of each row that another version has changed, by request."""
        for number in range(2):
            self.begin_instance(f"i{number + 1}", history.skew * number)

    def new_id(self) -> str:
        """Return a new id. The ids of a history are the same, and sort the same, each time that it is played."""
        return f"{next(self._ids):032x}"

    def now(self) -> datetime:
        """Return the time of the services."""
        return START + timedelta(seconds=self.loop.now)

    def say(self, text: str) -> None:
        """Add a line to the trace, if one is kept."""
        if self.trace is not None:
            self.trace.append(f"{self.loop.now:10.2f}  {text}")

    def begin_instance(self, name: str, skew: float) -> None:
        """Start a process with the current settings."""
        self.instances.append(Instance(name, self, dict(self.settings), skew))

    def roll_out(self, **changed: str) -> None:
        """Deploy: the old processes complete what they have, and new ones start with the changed settings."""
        self.settings.update(changed)
        for old in [each for each in self.instances if each.alive and not each.retired]:
            old.retired = True
            self.begin_instance(old.name + "'", old.skew)

    def kill(self, instance: Instance) -> None:
        """End a process at once. All its activities stop, and the host starts another process."""
        if not instance.alive:
            return
        instance.alive = False
        self.pending = [each for each in self.pending if each.activity.instance is not instance]
        for activity in instance.running:
            activity.done, activity.ended = True, self.loop.now
            if activity.message is not None:
                self.queues.lapse(WORK, *activity.message, after=LEASE)
        instance.running.clear()
        if not instance.retired:
            self.begin_instance(instance.name + "+", instance.skew)

    def freeze(self, instance: Instance, seconds: float) -> None:
        """Let a process stand still for some seconds. The host's lease on its messages may expire meanwhile."""
        instance.frozen_until = self.loop.now + seconds
        if seconds > LEASE:
            for activity in instance.running:
                if activity.message is not None:
                    self.queues.lapse(WORK, *activity.message, after=LEASE)

    def start(
        self, label: str, instance: Instance, work: Coroutine[Any, Any, Any], message: tuple[str, str] | None = None
    ) -> Activity:
        """Start an activity in a process."""
        activity = Activity(label, instance, message, began=self.loop.now)
        instance.running.append(activity)
        context = copy_context()
        context.run(CURRENT.set, activity)
        task = self.loop.create_task(self._guarded(activity, work), context=context)
        self.tasks.append(task)
        return activity

    async def _guarded(self, activity: Activity, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  whatever it is, it is one error too many
            self.breakages.append(f"{activity.label}: {error!r}")
        finally:
            if not activity.done:
                activity.done, activity.ended = True, self.loop.now
                activity.instance.running.remove(activity)

    @property
    def tasks(self) -> list[asyncio.Task[Any]]:
        """The running tasks. They are kept here because the event loop holds only weak references to tasks."""
        return self.__dict__.setdefault("_tasks", [])  # type: ignore[no-any-return]

    def deliver(self, message_id: str, instance: Instance) -> None:
        """Let the host deliver a message to a process."""
        message = self.queues.take(WORK, message_id, lease=10.0**8)
        label = f"delivery of {message_id} ({message.dequeue_count})"
        delivery = self.start(label, instance, self._handled(instance, message), (message.id, message.pop_receipt))
        delivery.content = message.content
        self.deliveries.append(delivery)

    async def _handled(self, instance: Instance, message: Any) -> None:
        key = (message.id, message.pop_receipt)
        try:
            await instance.app.receive(message.content.encode(), message.id, message.dequeue_count, message.inserted_on)
        except EXPECTED:
            await self._host(instance, message.id, lambda: self._failed(message, key))
        except Exception as error:  # noqa: BLE001
            self.breakages.append(f"delivery: {error!r}")
            await self._host(instance, message.id, lambda: self._failed(message, key))
        else:
            await self._host(instance, message.id, lambda: self.queues.done(WORK, *key))

    def _failed(self, message: Any, key: tuple[str, str]) -> None:
        if message.dequeue_count < MAX_DEQUEUE:
            self.queues.release(WORK, *key, delay=RETRY)
        elif self.queues.done(WORK, *key):
            self.queues.put(POISON, message.content)

    async def _host(self, instance: Instance, message_id: str, effect: Callable[[], Any]) -> None:
        await instance.call(Call("host", "settle", message_id, changes=True), effect, ValueError)

    def _postponed(self, context: Context | None) -> float | None:
        activity = context.get(CURRENT) if context is not None else None
        if activity is None:
            return None
        return activity.instance.frozen_until


def directory_of(world: World) -> Directory:
    """Create the tenant of a history."""
    people = list(world.people.values())
    directory = Directory(
        world.now,
        [person.seed() for person in people],
        dict(world.history.switches),
        tenant_id=TENANT_ID,
        permissions=PERMISSIONS | {"AuditLog.Read.All"},
    )
    for person in people:
        directory.set_groups(person.id, (*person.groups, PARTNERS), ever=True)
        directory.set_roles(person.id, person.roles, ever=True)
        for relation, held in HAS.items():
            directory.relate(person.id, relation, held, ever=True)
    return directory
