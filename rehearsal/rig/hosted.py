"""A rig whose app runs under the local Functions host."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from rehearsal.host.process import HostError, HostProcess, wait_until
from rehearsal.rig.rig import Rig
from rehearsal.rig.settings import APP, app_settings, without_foreign
from rehearsal.tenant import RunningTenant

CALL_SECONDS = 60.0
WORKING = ("requested", "inviting")
"""Stages in which the app still works on a request."""
JSON = dict[str, Any]


class HostedRig(Rig):
    """A rig with one host and a client for the app's HTTP routes."""

    def __init__(self, tenant: RunningTenant, storage: str, host: HostProcess) -> None:
        super().__init__(tenant, storage)
        self.host = host

    @cached_property
    def api(self) -> httpx.Client:
        """An HTTP client for the app that sends the function key."""
        headers = {"x-functions-key": self.host.function_key}
        return self._connections.enter_context(
            httpx.Client(base_url=self.host.base, headers=headers, timeout=CALL_SECONDS, trust_env=False)
        )

    def call(self, method: str, path: str, *, key: str | None = "", **options: Any) -> httpx.Response:
        """Call a route on a new connection. `key` is the key to send; empty: the function key; None: no key."""
        headers = dict(options.pop("headers", {}))
        headers |= {} if key is None else {"x-functions-key": key or self.host.function_key}
        url = self.host.base + path
        return httpx.request(method, url, headers=headers, timeout=CALL_SECONDS, trust_env=False, **options)

    def submit(self, body: JSON) -> httpx.Response:
        """Send a request by HTTP."""
        return self.call("POST", "/api/requests", json=body)

    def status(self, request_id: str) -> JSON:
        """Return the app's answer about a request; empty if the app does not know the request."""
        answer = self.call("GET", f"/api/requests/{request_id}")
        return dict(answer.json()) if answer.is_success else {}

    def stage(self, request_id: str) -> str | None:
        """Return the stage of a request; None if the app does not know the request."""
        return self.status(request_id).get("stage")

    def settled(self, *request_ids: str, seconds: float = 30.0) -> list[str]:
        """Wait until the app has processed all of these requests, and return their stages."""
        wait_until(
            lambda: all(self.stage(each) not in {None, *WORKING} for each in request_ids),
            seconds,
            f"the end of {', '.join(request_ids)}",
        )
        return [str(self.stage(each)) for each in request_ids]

    def advance(self, seconds: float) -> None:
        """Let time pass for the app and the tenant. The clocks of storage and of the host's queues do not change."""
        self.host.advance(seconds)
        self.tenant.control.advance(seconds)

    def must_live(self) -> None:
        """Raise `HostError` if the host has exited by itself, so that no wait continues in vain."""
        if not self.host.running():
            raise HostError("The host ended by itself.")


@contextmanager
def hosted(
    tenant: RunningTenant,
    storage: str,
    settings: Mapping[str, str | None],
    *,
    app_dir: Path = APP,
    interpreter: Path | None = None,
    port: int = 0,
) -> Iterator[HostedRig]:
    """Run the app under a host. `settings` override the usual settings; the value None removes one.

    The app is that of this checkout, unless `app_dir` and `interpreter` name another one.

    Raises `HostError` or OSError if the host does not start.
    """
    env = {**without_foreign(), **app_settings(tenant, storage), **settings}
    with (
        HostProcess(app_dir=app_dir, env=env, port=port, interpreter=interpreter) as host,
        HostedRig(tenant, storage, host) as rig,
    ):
        yield rig
