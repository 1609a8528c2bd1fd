"""Run the host as a child process, for tests and `make run`."""

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from rehearsal.host.admin import INVOCATION_HEADER
from rehearsal.host.engine import Counts
from rehearsal.host.host import READY

_ROOT = Path(__file__).parents[2]
_READY = re.compile(re.escape(READY) + r" (http://[\d.]+:\d+)")
_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
_TAIL = 3000


class HostError(Exception):
    """The host did not start, exited by itself or did not end in time. The text may end with its log."""


def wait_until(condition: Callable[[], object], seconds: float = 30.0, what: str = "the condition") -> None:
    """Wait until `condition()` is true, checking every 20 ms. Raises `TimeoutError` naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come true within {seconds:g} s.")
        time.sleep(0.02)


class HostProcess(AbstractContextManager["HostProcess"]):
    """A host with one app. It is ready when the context is entered, and ends with the context.

    `env` overrides this process's environment; the value None removes a variable. `state` is the folder with the state
    of timers; None: each process starts without any. With `interpreter` the app runs in its own process with that
    Python, which has only the runtime library.
    """

    def __init__(
        self,
        *,
        app_dir: Path,
        env: Mapping[str, str | None] | None = None,
        port: int = 0,
        state: Path | None = None,
        master_key: str | None = None,
        function_key: str | None = None,
        interpreter: Path | None = None,
        start_seconds: float = _START_SECONDS,
    ) -> None:
        self.master_key = master_key or secrets.token_hex(20)
        self.function_key = function_key or secrets.token_hex(20)
        self.base = ""
        """`http://127.0.0.1:PORT` after the start, empty before it."""
        self._app = app_dir
        self._env = {name: value for name, value in {**os.environ, **(env or {})}.items() if value is not None}
        self._port = port
        self._state = state
        self._interpreter = interpreter
        self._start_seconds = start_seconds
        self._last_log = ""

    def __enter__(self) -> Self:
        self._directory = Path(tempfile.mkdtemp(prefix="host-"))
        self._client = httpx.Client(headers={"x-functions-key": self.master_key}, timeout=30)
        self._process = self._spawn()
        try:
            self._wait_until_ready()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        if error is not None:
            print(f"The host's log ends so:\n{self._last_log[-_TAIL:]}", file=sys.stderr)

    @property
    def port(self) -> int:
        """The port that the host listens on."""
        return int(self.base.rsplit(":", 1)[1])

    @property
    def pid(self) -> int:
        """The id of the host's process."""
        return self._process.pid

    @property
    def log_file(self) -> Path:
        """The file with the host's stdout and stderr. It is deleted with the context."""
        return self._directory / "log"

    def log(self) -> str:
        """Return everything that the host has printed so far. This also works after the context has ended."""
        path = self.log_file
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else self._last_log

    def kill(self) -> None:
        """Kill the host without letting it finish, and wait until it has ended."""
        self._process.kill()
        self._process.wait()

    def terminate(self) -> None:
        """Send SIGTERM and return at once. Use `wait` to wait for the end."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = 60.0) -> int:
        """Wait until the host has ended and return its exit code.

        Raises `HostError` if it still runs after `seconds`.
        """
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self._error(f"The host is still running after {seconds:g} s") from None

    def running(self) -> bool:
        """Tell whether the host's process is running."""
        return self._process.poll() is None

    def invocations(self) -> dict[str, Counts]:
        """Return how often each function was started, succeeded and failed since the host started."""
        content = self._get("/_rehearsal/invocations")
        return {name: Counts(**counts) for name, counts in content.items()}

    def idle(self) -> bool:
        """Tell whether no function is running."""
        return not any(counts.running for counts in self.invocations().values())

    def advance(self, seconds: float) -> None:
        """Move the app's clock ahead."""
        self._client.post(f"{self.base}/_rehearsal/clock", json={"advance": seconds}).raise_for_status()

    def start_function(self, name: str, text: str = "") -> str:
        """Start a timer or queue function through the admin endpoint, and return the id of the invocation at once."""
        answer = self._client.post(f"{self.base}/admin/functions/{name}", json={"input": text})
        answer.raise_for_status()
        return answer.headers[INVOCATION_HEADER]

    def run_function(self, name: str, text: str = "", seconds: float = 60.0) -> bool:
        """Start a function, wait for its end, and tell whether it succeeded."""
        invocation_id = self.start_function(name, text)
        wait_until(lambda: self._state_of(invocation_id) != "running", seconds, f"the end of {name}")
        return self._state_of(invocation_id) == "succeeded"

    def _state_of(self, invocation_id: str) -> str:
        return str(self._get(f"/_rehearsal/invocations/{invocation_id}")["state"])

    def _get(self, path: str) -> Any:
        answer = self._client.get(self.base + path)
        answer.raise_for_status()
        return answer.json()

    def _spawn(self) -> subprocess.Popen[bytes]:
        keys = self._directory / "keys.json"
        keys.write_text(json.dumps({"master": self.master_key, "host": {"default": self.function_key}}))
        state = self._state or self._directory / "state"
        command = [sys.executable, "-m", "rehearsal.host", "--app", str(self._app.resolve()), "--port", str(self._port)]
        command += ["--keys-file", str(keys), "--state", str(state.resolve())]
        if self._interpreter is not None:
            command += ["--interpreter", str(self._interpreter)]
        with self.log_file.open("wb") as log:
            return subprocess.Popen(
                command,
                cwd=_ROOT,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl+C in the terminal reaches the parent only, which then stops the host
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._start_seconds
        while not self._answers():
            if not self.running():
                raise self._error(f"The host ended with code {self._process.returncode}")
            if time.monotonic() > deadline:
                raise self._error(f"The host is not ready after {self._start_seconds:g} s")
            time.sleep(0.02)

    def _answers(self) -> bool:
        found = _READY.search(self.log())
        if found is None:
            return False
        self.base = found[1]
        try:
            return self._client.get(f"{self.base}/admin/host/status").is_success
        except httpx.TransportError:
            return False

    def _error(self, text: str) -> HostError:
        return HostError(f"{text}:\n{self.log()[-_TAIL:]}")

    def _close(self) -> None:
        self._client.close()
        if self.running():
            self.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._last_log = self.log()
        shutil.rmtree(self._directory, ignore_errors=True)
