"""Serving a tenant on a loopback port, and a small client for its control plane."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import httpx
import uvicorn
from starlette.applications import Starlette

from rehearsal.tenant.app import create_app
from rehearsal.tenant.store import JSON

LOOPBACK = "127.0.0.1"
IDENTITY_HEADER = "rehearsal-identity-header"
START_SECONDS = 10.0


class Control:
    """The control plane of a running tenant. Errors are `httpx.HTTPStatusError`, with the reason in the response."""

    def __init__(self, base: str) -> None:
        self._client = httpx.Client(base_url=f"{base}/_sim/", timeout=30.0, trust_env=False)

    def redeem(self, user_id: str, provider: str = "ExternalAzureAD", *, ticket: str | None = None) -> JSON:
        """Let the person redeem; 409 when there is nothing to redeem. Returns the user as it is then."""
        body = {"userId": user_id, "identityProvider": provider} | ({"ticket": ticket} if ticket else {})
        return dict(self._post("redeem", body))

    def journal(self) -> list[JSON]:
        """Every Graph call so far, parts of a `$batch` as well, in order."""
        return list(self._get("journal"))

    def violations(self) -> list[JSON]:
        """Calls that no right client makes."""
        return list(self._get("violations"))

    def mails(self) -> list[JSON]:
        """Invitation mails that went out."""
        return list(self._get("mails"))

    def users(self) -> list[JSON]:
        """All users, deleted ones too."""
        return list(self._get("users"))

    def user(self, user_id: str) -> JSON:
        """One user with groups, roles, app roles and redeem links."""
        return dict(self._get(f"users/{user_id}"))

    def changes(self) -> list[JSON]:
        """Every write to a user, with before and after."""
        return list(self._get("changes"))

    def set_roles(self, roles: Sequence[str]) -> None:
        """Application permissions of the tokens issued from now on."""
        self._post("roles", {"roles": list(roles)})

    def set_switch(self, name: str, value: str) -> None:
        """Put one switch into a position."""
        self._post("switches", {name: value})

    def advance(self, seconds: float) -> None:
        """Move the tenant's clock forward."""
        self._post("clock", {"advance": seconds})

    def reset(self, seed: Mapping[str, Any] | None = None) -> None:
        """Start over: from the first seed, or from another."""
        self._post("reset", {} if seed is None else {"seed": dict(seed)})

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _get(self, path: str) -> Any:
        return self._client.get(path).raise_for_status().json()

    def _post(self, path: str, body: JSON) -> Any:
        return self._client.post(path, json=body).raise_for_status().json()


def _bound(port: int) -> socket.socket:
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it each answer waits 40 ms.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
    except OSError:
        bound.close()
        raise
    return bound


class RunningTenant:
    """A tenant that listens on the loopback interface."""

    def __init__(self, app: Starlette, port: int = 0) -> None:
        self._socket = _bound(port)
        self.port: int = self._socket.getsockname()[1]
        self.base = f"http://{LOOPBACK}:{self.port}"
        self.graph_url = f"{self.base}/v1.0"
        self.identity_env = {
            "IDENTITY_ENDPOINT": f"{self.base}/msi/token",
            "IDENTITY_HEADER": app.state.tenant.identity_header or IDENTITY_HEADER,
        }
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=2
        )
        self._server = uvicorn.Server(config)
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
    """Serve a tenant in a thread for the length of a with-block; port 0 takes a free one."""
    app = create_app(seed, switches=switches, roles=roles, identity_header=IDENTITY_HEADER)
    with RunningTenant(app, port) as tenant:
        yield tenant
