"""A rehearsal in one process, without the Functions host: the real workflows and adapters, the double of Graph,
Azurite.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from azure.core.pipeline.transport import AioHttpTransport, HttpRequest
from azure.data.tables import UpdateMode

from b2b import settings
from b2b.bootstrap import Services, build
from b2b.domain.request.message import Resume
from b2b.workflows.intake.intake import stored_request
from b2b.workflows.intake.receive import Delivery
from rehearsal.history import history
from rehearsal.rig import Rig, app_settings
from rehearsal.rig.rig import POISON, Rows
from rehearsal.tenant import RunningTenant, running
from tests.support.client import Client


class MovingClock:
    """A clock that shows the real time plus the time by which a test has advanced it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


class FaultyTransport(httpx.AsyncBaseTransport):
    """The connection to Graph. The hooks `before` and `after` run around each call, and may raise or change state."""

    def __init__(self) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self.before: Callable[[httpx.Request], None] = lambda _request: None
        self.after: Callable[[httpx.Request, httpx.Response], None] = lambda _request, _response: None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.before(request)
        response = await self._inner.handle_async_request(request)
        await response.aread()
        self.after(request, response)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    def on_invitation(self, *, before: Exception | None = None, after: Exception | None = None) -> None:
        """Let the next invitation fail, before or after its effect; later ones succeed."""

        def once(request: httpx.Request, error: Exception | None) -> None:
            if error is not None and request.url.path.endswith("/invitations"):
                self.before, self.after = lambda _request: None, lambda _request, _response: None
                raise error

        self.before = lambda request: once(request, before)
        self.after = lambda request, _response: once(request, after)


StorageHook = Callable[[HttpRequest], Awaitable[None]]


class FaultyStorage:
    """The connections to tables and queues. The hook `before` runs before each call, and may raise, wait or change
    state.
    """

    def __init__(self) -> None:
        self.before: StorageHook = self._nothing

    def once(self, matches: Callable[[HttpRequest], bool], then: StorageHook) -> None:
        """Run `then` once, before the first call that matches."""

        async def watch(request: HttpRequest) -> None:
            if matches(request):
                self.before = self._nothing
                await then(request)

        self.before = watch

    def kill_before(self, matches: Callable[[HttpRequest], bool]) -> None:
        """Let the process die before the first call that matches."""

        async def killed(_request: HttpRequest) -> None:
            raise asyncio.CancelledError

        self.once(matches, killed)

    def transport(self) -> "FaultyConnection":
        """Return a transport for one of the SDK's clients."""
        return FaultyConnection(self)

    async def _nothing(self, _request: HttpRequest) -> None:
        return


class FaultyConnection(AioHttpTransport):  # type: ignore[misc]  # loaded lazily by azure-core, so mypy sees Any
    """One client's connection, which runs the hook `before` each request."""

    def __init__(self, storage: FaultyStorage) -> None:
        super().__init__()
        self._storage = storage

    async def send(self, request: HttpRequest, **kwargs: Any) -> Any:
        await self._storage.before(request)
        return await super().send(request, **kwargs)


def account(number: int, **properties: Any) -> dict[str, Any]:
    """Return a cloud-only account of a partner, ready to be converted."""
    name = f"partner{number}"
    return {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "userPrincipalName": f"{name}@contoso.com",
        "displayName": f"Partner {number}",
        "mail": f"{name}@fabrikam.com",
        **properties,
    }


def tenant_of(*users: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the seed of a plain tenant with these users."""
    return {
        "tenantId": "11111111-0000-4000-8000-000000000000",
        "domains": [
            {"id": "contoso.com", "isVerified": True, "isDefault": True, "authenticationType": "Managed"},
        ],
        "homeTenants": {"fabrikam.com": "22222222-0000-4000-8000-000000000000"},
        "users": list(users),
        **more,
    }


class World(Rig):
    """One tenant, one storage account and the app, all in this process."""

    def __init__(self, tenant: RunningTenant, storage: str, settings: Mapping[str, str]) -> None:
        super().__init__(tenant, storage)
        self.clock, self.graph, self.faulty_storage = MovingClock(), FaultyTransport(), FaultyStorage()
        self._settings = settings
        self._running = AsyncExitStack()
        self.services = self._build({})

    async def restart(self, **changed: str) -> Services:
        """Build a second instance of the app with some settings changed, and return it; the first one stays in use."""
        return self._build(changed)

    async def aclose(self) -> None:
        """Stop every instance that was built."""
        await self._running.aclose()

    def _build(self, changed: Mapping[str, str]) -> Services:
        loaded = settings.load({**self._settings, **changed})
        services = build(loaded, self.clock, self.graph, self.faulty_storage.transport)
        self._running.push_async_callback(services.aclose)
        return services

    @property
    def api(self) -> Client:
        """A caller without special headers."""
        return Client(self.services.api)

    def request(self, request_id: str) -> dict[str, Any]:
        """Return the state row of a request."""
        found = self.request_row(request_id)
        assert found is not None
        return found

    def conversion(self, user_id: str) -> dict[str, Any] | None:
        """Return the state row of an account; None if there is none."""
        return next((row for row in self.rows("conversions", user_id) if row["RowKey"] == "current"), None)

    def overwrite(self, table: str, partition: str, row: str, columns: dict[str, Any]) -> dict[str, Any]:
        """Merge columns into a row, as another version of the app might do; return the row."""
        client = self.table(table)
        client.update_entity({"PartitionKey": partition, "RowKey": row, **columns}, mode=UpdateMode.MERGE)
        return dict(client.get_entity(partition, row))

    def history(self, table: str, partition: str) -> list[str]:
        """Return the kinds of event in a row's history, in order."""
        return [event["kind"] for event in history(self.rows(table, partition))]

    def pass_time(self, seconds: float) -> None:
        """Advance the app's clock and the tenant's clock."""
        self.clock.advance(seconds)
        self.tenant.control.advance(seconds)

    async def receive(self, body: bytes, message: str = "m1", dequeued: int = 1) -> None:
        """Deliver a queue message to the app."""
        await self.services.receiver.receive(Delivery(body, message, dequeued))

    async def deliver(self, request_id: str | None = "r1", user: str = "", message: str = "m1", **body: Any) -> None:
        """Deliver a caller's request for a user's object id to the app."""
        told = {"requestId": request_id} if request_id else {}
        await self.receive(json.dumps({**told, "invitedUser": {"id": user}, **body}).encode(), message)

    async def redeliver(self, request_id: str = "r1") -> None:
        """Deliver the newest message of a request, as if its delay had passed."""
        record = await self.services.ledger.requests.get(request_id)
        assert record is not None
        own = Resume(request_id, record.token, record.due_at or self.clock()).message()
        await self.receive(own if record.token else stored_request(record).message(request_id))

    async def deliver_in_trouble(self, user: str) -> None:
        """Deliver a request while invitations do not reach Graph."""
        self.graph.on_invitation(before=httpx.ConnectError("refused"))
        await self.deliver(user=user)

    async def redeliver_in_trouble(self, request_id: str = "r1") -> None:
        """Deliver the newest message of a request while invitations still do not reach Graph."""
        self.graph.on_invitation(before=httpx.ConnectError("refused"))
        await self.redeliver(request_id)

    async def status(self, request_id: str = "r1") -> dict[str, Any]:
        """Return what a caller reads about a request."""
        reply = await self.api.status(request_id, "https://app.contoso.com")
        assert reply.status in {200, 202}, reply.body
        body: dict[str, Any] = reply.body
        return body

    def send_to_poison(self, body: str) -> None:
        """Put a message on the poison queue."""
        self.send(body, POISON)

    def all_requests(self) -> Rows:
        """Return the state rows of all requests."""
        return self.query("requests", "RowKey eq 'request'")


MakeWorld = Callable[..., Awaitable[World]]
"""Makes a world: `await make(seed, roles=…, switches=…, B2B_MODE="convert", …)`."""


@asynccontextmanager
async def worlds(storage: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MakeWorld]:
    """Yield a function that makes worlds on one storage account, each with its own tenant; close them at the end."""
    async with AsyncExitStack() as closing:

        async def make(
            seed: Mapping[str, Any],
            roles: Sequence[str] | None = None,
            switches: Mapping[str, str] | None = None,
            **changed: str,
        ) -> World:
            tenant = closing.enter_context(running(seed, roles=roles, switches=switches))
            for name, value in tenant.identity_env.items():
                monkeypatch.setenv(name, value)
            usual = {
                "B2B_SWEEP_SCHEDULE": "0 */10 * * * *",
                "B2B_INVITATIONS_PER_MINUTE": "0",  # otherwise a restarted app would wait for seconds of real time
            }
            world = closing.enter_context(World(tenant, storage, app_settings(tenant, storage, **{**usual, **changed})))
            closing.push_async_callback(world.aclose)
            return world

        yield make
