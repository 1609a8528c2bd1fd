"""Serve a tenant on a loopback port."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette

from rehearsal.tenant.control.client import Control
from rehearsal.tenant.serving.app import create_app
from rehearsal.tenant.serving.wire import LendingProtocol

LOOPBACK = "127.0.0.1"
IDENTITY_HEADER = "rehearsal-identity-header"
START_SECONDS = 10.0


def _bound(port: int) -> socket.socket:
    # asyncio disables Nagle's algorithm only if the protocol is named; with Nagle each answer takes 40 ms longer.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
    except OSError:
        bound.close()
        raise
    return bound


def configuration(app: Starlette, port: int = 0) -> uvicorn.Config:
    """Return the server configuration: on loopback, with little logging, and able to close a client's connection."""
    return uvicorn.Config(
        app,
        host=LOOPBACK,
        port=port,
        http=LendingProtocol,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=2,
    )


class RunningTenant:
    """A tenant that listens on loopback while its context is entered."""

    def __init__(self, app: Starlette, port: int = 0) -> None:
        self._socket = _bound(port)
        self.port: int = self._socket.getsockname()[1]
        self.base = f"http://{LOOPBACK}:{self.port}"
        self.graph_url = f"{self.base}/v1.0"
        self.identity_env = {
            "IDENTITY_ENDPOINT": f"{self.base}/msi/token",
            "IDENTITY_HEADER": app.state.tenant.identity_header or IDENTITY_HEADER,
        }
        self._server = uvicorn.Server(configuration(app))
        self._thread = threading.Thread(target=self._run, name="rehearsal-tenant", daemon=True)
        self.control = Control(self.base)

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self._stop()
                raise RuntimeError(f"the tenant did not start on {self.base}")
            self._thread.join(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        self.control.close()
        self._server.should_exit = True
        self._thread.join(START_SECONDS)
        self._socket.close()


@contextmanager
def running(
    seed: Mapping[str, Any],
    *,
    switches: Mapping[str, str] | None = None,
    roles: Iterable[str] | None = None,
    port: int = 0,
) -> Iterator[RunningTenant]:
    """Serve a tenant in a thread for the length of a with-block. For port 0 the system chooses one."""
    app = create_app(seed, switches=switches, roles=roles, identity_header=IDENTITY_HEADER)
    with RunningTenant(app, port) as tenant:
        yield tenant
