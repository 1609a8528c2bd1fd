"""The host: it starts the triggers of an app's functions, and shuts down in the order of the real host."""

import asyncio
import socket
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from rehearsal.host.admin import Admin
from rehearsal.host.apart import WorkerApart
from rehearsal.host.config import ConfigError, HostConfig, resolve
from rehearsal.host.connections import Connections
from rehearsal.host.engine import Engine
from rehearsal.host.http import Front
from rehearsal.host.keys import Keys
from rehearsal.host.log import host_log
from rehearsal.host.ncrontab import parse
from rehearsal.host.queues import QueueListener
from rehearsal.host.routes import Route, route
from rehearsal.host.server import server
from rehearsal.host.timers import TimerListener
from rehearsal.host.worker import Function, Worker

READY = "Host is ready at"
_DRAIN_SECONDS = 10.0
_SUPPORTED = frozenset({"queueTrigger", "timerTrigger", "httpTrigger", "http"})
_TRUE = ("true", "1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The inputs of a host."""

    config: HostConfig
    keys: Keys
    state: Path
    """The folder that records when each timer last fired."""
    bound: socket.socket
    environment: Mapping[str, str]


class Host:
    """Serves one app until `stop` is called or the worker breaks."""

    def __init__(self, worker: Worker | WorkerApart, functions: Iterable[Function], setup: Setup) -> None:
        self._functions = {function.name: function for function in functions}
        self._setup = setup
        self._engine = Engine(worker, self._functions.values(), setup.config.function_timeout)
        self._listeners: list[QueueListener | TimerListener] = []
        self._routes: list[Route] = []
        self._stopping = asyncio.Event()
        self.loop = asyncio.new_event_loop()

    def serve(self) -> int:
        """Run on this thread until the end. Return the exit code: 0 after `stop`, 1 if the worker or the host broke."""
        return self.loop.run_until_complete(self._serve())

    def stop(self) -> None:
        """Start an orderly shutdown. Safe to call from a signal handler and from any thread."""
        self.loop.call_soon_threadsafe(self._stopping.set)

    def worker_broke(self) -> None:
        """Report that the worker is gone. All running invocations then fail, and the host exits. Thread-safe."""
        self.loop.call_soon_threadsafe(self._engine.broken.set)

    async def _serve(self) -> int:
        async with AsyncExitStack() as stack:
            connections = Connections(self._setup.environment, stack)
            for function in self._functions.values():
                await self._add(function, connections)
            admin = Admin(self._engine, self._functions, self._setup.keys)
            front = server(Front(self._engine, self._routes, admin, self._setup.keys))
            serving = asyncio.create_task(front.serve(sockets=[self._setup.bound]))
            listening = asyncio.create_task(front.listening.wait())
            await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
            triggers = [asyncio.create_task(listener.run()) for listener in self._listeners]
            self._announce()
            ends = [asyncio.create_task(event.wait()) for event in (self._stopping, self._engine.broken)]
            done, _ = await asyncio.wait({serving, *ends, *triggers}, return_when=asyncio.FIRST_COMPLETED)
            front.should_exit = True
            if self._stopping.is_set():
                host_log.info("Stopping: no new connections.")
                await serving
            else:
                self._tell_why(done)
            await self._drain(triggers)
            await asyncio.wait({serving}, timeout=_DRAIN_SECONDS)
        return 0 if self._stopping.is_set() else 1

    async def _add(self, function: Function, connections: Connections) -> None:
        """Set up one function. If it is invalid it does not run, and the other functions do."""
        if self._setup.environment.get(f"AzureWebJobs.{function.name}.Disabled", "").lower() in _TRUE:
            host_log.info("Function '%s' is disabled.", function.name)
            return
        try:
            await self._connect(function, connections)
        except ConfigError as error:
            host_log.error("The '%s' function is in error: %s", function.name, error)

    async def _connect(self, function: Function, connections: Connections) -> None:
        unknown = {binding["type"] for binding in function.bindings} - _SUPPORTED
        if unknown:
            raise ConfigError(f"this host has no binding of type {', '.join(sorted(unknown))}")
        trigger, environment = function.trigger, self._setup.environment
        match trigger["type"]:
            case "httpTrigger":
                self._routes.append(route(function, self._setup.config.route_prefix))
            case "timerTrigger":
                schedule = parse(resolve(trigger["schedule"], environment))
                self._listeners.append(TimerListener(self._engine, function, schedule, self._setup.state))
            case "queueTrigger":
                queue = resolve(trigger["queueName"], environment).lower()
                service = await connections.queues(resolve(trigger.get("connection") or "", environment))
                options = self._setup.config.queues
                self._listeners.append(QueueListener(self._engine, function, queue, service, options))

    def _announce(self) -> None:
        host, port = self._setup.bound.getsockname()
        base = f"http://{host}:{port}"
        host_log.info("%d functions found.", len(self._functions))
        for function in self._functions.values():
            trigger = function.trigger
            detail = trigger.get("queueName") or trigger.get("schedule")
            if not detail:
                path = "/".join(part for part in (self._setup.config.route_prefix, trigger.get("route")) if part)
                detail = f"[{','.join(trigger.get('methods') or ['*'])}] {base}/{path}"
            host_log.info("  %s: %s %s", function.name, trigger["type"], detail)
        host_log.info("%s %s", READY, base)

    async def _drain(self, triggers: Iterable[asyncio.Task[None]]) -> None:
        """Stop accepting work, and give running invocations ten seconds to end. Those that still run then are cut off,
        and their messages stay leased.
        """
        for listener in self._listeners:
            listener.stop()
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                await asyncio.gather(*triggers, return_exceptions=True)
                await self._engine.settled()
                await asyncio.gather(*(listener.settled() for listener in self._listeners))
        except TimeoutError:
            host_log.warning("Invocations are still running after %.0f s and are cut off.", _DRAIN_SECONDS)

    @staticmethod
    def _tell_why(done: Iterable[asyncio.Task[object]]) -> None:
        for task in done:
            error = task.exception()
            if error is not None:
                host_log.error("The host failed.", exc_info=error)
        host_log.error("The host ends with everything that runs in it.")
