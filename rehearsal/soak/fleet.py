"""Run several hosts with the same app and storage, and kill and replace one after the other."""

import secrets
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from rehearsal.host.process import HostError, HostProcess

START_SECONDS = 30.0


class Fleet:
    """Hosts that run while the context is entered. The logs of ended hosts are kept in the directory `logs`."""

    def __init__(self, app: Path, environment: Mapping[str, str | None], size: int, logs: Path) -> None:
        self._app, self._environment, self._size, self._logs = app, environment, size, logs
        self._up: dict[HostProcess, ExitStack] = {}
        self._gone: list[Path] = []
        self.function_key = secrets.token_hex(20)
        """The function key, the same for all hosts, as for instances of one function app."""
        self.kills = 0
        """How many hosts were killed and replaced."""

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        for old in self._logs.glob("host-*.log"):
            old.unlink()
        try:
            for _ in range(self._size):
                self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The base URLs of the running hosts."""
        return tuple(host.base for host in self._up)

    @property
    def oldest(self) -> HostProcess:
        """The host that has run longest."""
        return next(iter(self._up))

    def replace(self, host: HostProcess) -> None:
        """Kill a host without letting it finish, and start another.

        Raises `HostError` if the new one does not start.
        """
        host.kill()
        self.kills += 1
        self._retire(host)
        self._start()

    def kill_all(self) -> None:
        """Kill all hosts without letting them finish, and replace none."""
        for host in tuple(self._up):
            host.kill()
        self._stop()

    def must_live(self) -> None:
        """Raise `HostError` if a host has exited by itself."""
        if not all(host.running() for host in self._up):
            raise HostError("a host ended by itself")

    def log(self) -> str:
        """Return the logs of all hosts so far, ended ones included."""
        return "".join([*(path.read_text("utf-8") for path in self._gone), *(host.log() for host in self._up)])

    def _start(self) -> None:
        host = HostProcess(
            app_dir=self._app, env=self._environment, function_key=self.function_key, start_seconds=START_SECONDS
        )
        with ExitStack() as closing:
            closing.enter_context(host)
            self._up = {**self._up, host: closing.pop_all()}  # a new dict: another thread may be reading the addresses

    def _retire(self, host: HostProcess) -> None:
        closing = self._up[host]
        self._up = {each: stack for each, stack in self._up.items() if each is not host}
        closing.close()
        self._gone.append(self._logs / f"host-{len(self._gone) + 1:03d}.log")
        self._gone[-1].write_text(host.log(), "utf-8")

    def _stop(self) -> None:
        for host in tuple(self._up):
            self._retire(host)
