"""Start invocations in the worker, limit their time, count them, and fail them all if the worker breaks."""

import asyncio
import logging
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rehearsal.host.apart import WorkerApart
from rehearsal.host.bindings import Datum
from rehearsal.host.log import host_log
from rehearsal.host.worker import Function, Result, Worker


@dataclass(slots=True)
class Counts:
    """The number of invocations of a function since the host started. `running` counts those that have not ended."""

    started: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0


class Engine:
    """Invokes functions, on the host's event loop. Nothing else in the host does.

    An invocation that exceeds `timeout` breaks the worker. A broken worker fails every running invocation; `broken` is
    then set, and the host exits.
    """

    def __init__(self, worker: Worker | WorkerApart, functions: Iterable[Function], timeout: timedelta | None) -> None:
        self._worker = worker
        self._timeout = timeout
        self._running: set[asyncio.Task[Result]] = set()
        self._by_hand: dict[str, asyncio.Task[Result]] = {}
        self.counts = {function.name: Counts() for function in functions}
        self.broken = asyncio.Event()

    def advance(self, seconds: float) -> None:
        """Move the app's clock ahead."""
        self._worker.advance(seconds)

    async def invoke(
        self, function: Function, value: Datum, metadata: Mapping[str, Datum] | None = None, *, reason: str
    ) -> Result:
        """Run a function to its end and return its result. Any error in it gives a failed `Result`.

        If the caller is cancelled, the caller stops waiting, but the function continues, as in Azure.
        """
        return await asyncio.shield(self._start(function, value, metadata or {}, reason, str(uuid.uuid4())))

    def invoke_by_hand(self, function: Function, value: Datum, metadata: Mapping[str, Datum]) -> str:
        """Start a function for the admin endpoint, and return the id of the invocation without waiting for its end."""
        invocation_id = str(uuid.uuid4())
        reason = "This function was programmatically called via the host APIs."
        self._by_hand[invocation_id] = self._start(function, value, metadata, reason, invocation_id)
        return invocation_id

    def state(self, invocation_id: str) -> str | None:
        """Return `running`, `succeeded` or `failed` for an invocation by the admin endpoint; None for any other id."""
        task = self._by_hand.get(invocation_id)
        if task is None:
            return None
        if not task.done():
            return "running"
        return "succeeded" if task.result().succeeded else "failed"

    async def settled(self) -> None:
        """Wait until no invocation is running."""
        while self._running:
            await asyncio.wait(self._running)

    def _start(
        self, function: Function, value: Datum, metadata: Mapping[str, Datum], reason: str, invocation_id: str
    ) -> asyncio.Task[Result]:
        host_log.info("Executing 'Functions.%s' (Reason='%s', Id=%s)", function.name, reason, invocation_id)
        task = asyncio.create_task(self._run(function, invocation_id, value, metadata))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _run(self, function: Function, invocation_id: str, value: Datum, metadata: Mapping[str, Datum]) -> Result:
        counts = self.counts[function.name]
        counts.started += 1
        counts.running += 1
        began = time.monotonic()
        result = await self._outcome(function, invocation_id, value, metadata)
        counts.running -= 1
        counts.succeeded += result.succeeded
        counts.failed += not result.succeeded
        host_log.log(
            logging.INFO if result.succeeded else logging.ERROR,
            "Executed 'Functions.%s' (%s, Id=%s, Duration=%dms)",
            function.name,
            "Succeeded" if result.succeeded else "Failed",
            invocation_id,
            (time.monotonic() - began) * 1000,
        )
        return result

    async def _outcome(
        self, function: Function, invocation_id: str, value: Datum, metadata: Mapping[str, Datum]
    ) -> Result:
        call = asyncio.wrap_future(self._worker.call(function, invocation_id, value, metadata))
        broken = asyncio.create_task(self.broken.wait())
        seconds = self._timeout.total_seconds() if self._timeout else None
        ends: tuple[asyncio.Future[Any], ...] = (call, broken)
        await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        broken.cancel()
        if call.done():
            return Result(succeeded=False) if call.cancelled() or call.exception() else call.result()
        if not self.broken.is_set():
            host_log.error("Timeout value of %s exceeded by function 'Functions.%s'.", self._timeout, function.name)
            self.broken.set()
        return Result(succeeded=False)
