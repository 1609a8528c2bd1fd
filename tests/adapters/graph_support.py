"""Graph clients for tests: over a transport with given answers, or over a rehearsal tenant without a port."""

import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Self

import httpx
from azure.core.credentials import AccessToken
from starlette.applications import Starlette

from b2b.adapters.batch import Answer, Call
from b2b.adapters.clock import Clock, system_clock
from b2b.adapters.graph import Graph
from b2b.domain.invitation import Invitation
from rehearsal.tenant import create_app

GRAPH = "https://graph.microsoft.com"
ROOT = f"{GRAPH}/v1.0"
USER = "0a000000-0000-4000-8000-000000000001"
OTHER = "0a000000-0000-4000-8000-000000000002"
REDEEM_URL = (
    "https://login.microsoftonline.com/redeem?rd=https%3a%2f%2finvitations.microsoft.com%2fredeem%2fs3cr3t-ticket"
)
ACCEPTED = {
    "id": "7d7a5b8c-0000-4000-8000-00000000001f",
    "inviteRedeemUrl": REDEEM_URL,
    "invitedUserEmailAddress": "anna@fabrikam.com",
    "status": "PendingAcceptance",
    "invitedUser": {"id": USER},
}
INVITATION = Invitation(
    user_id=USER,
    address="anna@fabrikam.com",
    redirect_url="https://myapps.microsoft.com?tenantId=8a1f6a7e-2d5b-4a53-9a6e-0f3c2b1d4e5f",
    send_message=True,
)
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LATER = datetime(9999, 1, 1, tzinfo=UTC)
"""A deadline that no test reaches."""

Respond = Callable[[httpx.Request], httpx.Response]
Outcome = httpx.Response | Exception | Respond


def noon() -> datetime:
    return NOON


class Credential:
    """A credential with one token. If it has an error, it raises that instead."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error
        self.scopes: list[str] = []

    async def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        if self._error is not None:
            raise self._error
        self.scopes += scopes
        return AccessToken("token-of-the-app", int(time.time()) + 3600)

    async def close(self) -> None:
        """Do nothing; the credential holds nothing open."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Do nothing; the credential holds nothing open."""


class TenantCredential(Credential):
    """A credential that asks the tenant's identity endpoint each time, so that changed roles take effect at once."""

    def __init__(self, app: Starlette) -> None:
        super().__init__()
        self._app = app

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url=GRAPH) as http:
            query = {"api-version": "2019-08-01", "resource": GRAPH}
            issued = (await http.get("/msi/token", params=query, headers={"X-IDENTITY-HEADER": "any"})).json()
        return AccessToken(issued["access_token"], int(issued["expires_on"]))


class Wire(httpx.AsyncBaseTransport):
    """Gives one outcome per request, repeats the last one for all further requests, and records the requests."""

    def __init__(self, *outcomes: Outcome) -> None:
        self._outcomes = outcomes
        self.sent: list[httpx.Request] = []
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        outcome = self._outcomes[min(len(self.sent), len(self._outcomes) - 1)]
        self.sent.append(request)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome if isinstance(outcome, httpx.Response) else outcome(request)

    async def aclose(self) -> None:
        self.closed = True

    def bodies(self) -> list[Any]:
        """Return the JSON body of every request that had one."""
        return [json.loads(request.content) for request in self.sent if request.content]


@asynccontextmanager
async def graph_over(
    transport: httpx.AsyncBaseTransport | None,
    *,
    base_url: str = ROOT,
    credential: Credential | None = None,
    clock: Clock = system_clock,
    timeout: float = 30.0,  # noqa: ASYNC109 - the setting under test, not a limit on this function
) -> AsyncIterator[Graph]:
    """Yield a client and close it after the test. Without a transport it uses the real network."""
    graph = Graph.connect(credential or Credential(), base_url, timeout, clock, transport)
    try:
        yield graph
    finally:
        await graph.aclose()


@asynccontextmanager
async def graph_of(
    seed: Mapping[str, Any], *, switches: Mapping[str, str] | None = None, roles: Iterable[str] | None = None
) -> AsyncIterator[tuple[Graph, Any]]:
    """Yield a client of a rehearsal tenant, and the tenant."""
    app = create_app(seed, switches=switches, roles=roles)
    async with graph_over(httpx.ASGITransport(app), credential=TenantCredential(app)) as graph:
        yield graph, app.state.tenant


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, json=body, headers=dict(headers or {}))


def refusal(status: int, code: str = "BadRequest", message: str = "No.") -> httpx.Response:
    """Return an error response in Graph's format."""
    return json_response({"error": {"code": code, "message": message, "innerError": {"request-id": "1"}}}, status)


def parts(request: httpx.Request) -> list[dict[str, Any]]:
    """Return the requests inside a `$batch`."""
    return list(json.loads(request.content)["requests"])


def batch(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Respond:
    """Return an outcome that answers a `$batch` part by part, in reverse order, because Graph may use any order."""

    def respond(request: httpx.Request) -> httpx.Response:
        responses = [{"id": part["id"], "headers": {}, **answer(part)} for part in parts(request)]
        return json_response({"responses": responses[::-1]})

    return respond


def only(answer: dict[str, Any]) -> httpx.Response:
    """Return a `$batch` response that holds only this answer."""
    return json_response({"responses": [{"id": "0", "headers": {}, **answer}]})


async def read_one(*outcomes: httpx.Response, call: Call | None = None) -> tuple[Answer, Wire]:
    """Make one call over a transport with these outcomes; return its answer and the transport."""
    wire = Wire(*outcomes)
    async with graph_over(wire) as graph:
        (answer,) = await graph.read([call or Call("/users")])
    return answer, wire
