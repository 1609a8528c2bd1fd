"""Run the app in its own process and interpreter, as in Azure, so that it cannot use the host's packages.

The interpreter has only the Functions runtime library. All other packages must come with the app.
"""

import asyncio
import itertools
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import time_machine

from rehearsal.host.apart_main import CLOCK
from rehearsal.host.bindings import Datum
from rehearsal.host.log import host_log
from rehearsal.host.worker import Function, Result

STARTING = "Starting the app's process"
PROGRAM = Path(__file__).parent / "apart_main.py"


class WorkerGoneError(Exception):
    """The process of the app has ended, so every call that was running in it has failed."""


class WorkerApart:
    """Has the interface of `Worker`, and runs the app in another process over a pipe."""

    def __init__(self, app: Path, interpreter: Path) -> None:
        self.loop = asyncio.new_event_loop()
        """An event loop on which nothing runs. It raises SystemExit when the app's process has ended, as the loop of
        `Worker` does when the app calls exit."""
        self._app, self._interpreter = app, interpreter
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[Result]] = {}
        self._lock = threading.Lock()
        self._gone = False

    def load(self) -> list[Function]:
        """Start the process, which imports and indexes the app, and return the functions in order of their names."""
        self._pipe, theirs = Pipe()
        # `-I` ignores PYTHON* variables and the current folder, so that nothing else becomes importable.
        host_log.info("%s with %s", STARTING, self._interpreter)
        command = [str(self._interpreter), "-I", str(PROGRAM), str(self._app), str(theirs.fileno())]
        subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        try:
            functions: list[Function] = self._pipe.recv()
        except EOFError:
            raise WorkerGoneError("the app's process ended before its functions were found") from None
        threading.Thread(target=self._listen, args=(self._pipe,), name="worker", daemon=True).start()
        return functions

    def call(
        self, function: Function, invocation_id: str, value: Datum, metadata: Mapping[str, Datum]
    ) -> Future[Result]:
        """Start one call. Thread-safe."""
        future: Future[Result] = Future()
        future.set_running_or_notify_cancel()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = future
            gone = self._gone or not self._sent((number, function, invocation_id, value, dict(metadata)))
            if gone:
                del self._waiting[number]
        if gone:
            future.set_exception(WorkerGoneError("the app's process has ended"))
        return future

    def advance(self, seconds: float) -> None:
        """Move the app's clock ahead. The app loads the library for that from this process's packages."""
        self._sent((CLOCK, seconds, str(Path(time_machine.__file__).parents[1])))

    def _sent(self, message: Any) -> bool:
        try:
            self._pipe.send(message)
        except OSError:
            return False
        return True

    def _listen(self, pipe: Connection) -> None:
        try:
            while True:
                number, result = pipe.recv()
                with self._lock:
                    future = self._waiting.pop(number)
                future.set_result(result)
        except (EOFError, OSError):
            self._end()

    def _end(self) -> None:
        with self._lock:
            self._gone = True
            left, self._waiting = list(self._waiting.values()), {}
        for future in left:
            future.set_exception(WorkerGoneError("the app's process has ended"))
        # The main thread handles this as if the app had called exit.
        self.loop.call_soon_threadsafe(sys.exit)
