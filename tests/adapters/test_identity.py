"""The managed identity: the claims of its token, and what happens if there is no token."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import unquote

import pytest

from b2b.adapters.identity import Identity
from b2b.domain.errors import Transient
from rehearsal.tenant import running
from tests.adapters.sockets import answering, closed_port, server
from tests.rehearsal.tenant_support import SEED, TENANT_ID

CLIENT_ID = "7d7a5b8c-0000-4000-8000-000000000001"


@asynccontextmanager
async def identity(client_id: str = "") -> AsyncIterator[Identity]:
    opened = Identity(client_id)
    try:
        yield opened
    finally:
        await opened.aclose()


def issued(token: str) -> bytes:
    """Return the answer of App Service's identity endpoint."""
    answer = {
        "access_token": token,
        "expires_on": str(int(time.time()) + 3600),
        "resource": "https://graph.microsoft.com",
    }
    return json.dumps({**answer, "token_type": "Bearer"}).encode()


def jwt(payload: Any) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{middle}.c2ln"


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that sets an identity endpoint for this process, as the Functions platform does."""

    def point(address: str) -> None:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{address}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret")

    return point


async def test_the_claims_contain_the_tenant_and_the_app_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(SEED, roles=["User.Invite.All", "User.Read.All"]) as tenant:
        for name, value in tenant.identity_env.items():
            monkeypatch.setenv(name, value)
        async with identity(CLIENT_ID) as opened:
            claims = await opened.claims()
    assert claims.tenant_id == TENANT_ID
    assert claims.roles == {"User.Invite.All", "User.Read.All"}


@pytest.mark.parametrize(("client_id", "query"), [(CLIENT_ID, f"&client_id={CLIENT_ID}"), ("", "")])
async def test_a_user_assigned_identity_is_requested_by_its_client_id(use: Any, client_id: str, query: str) -> None:
    heads: list[str] = []
    async with server(answering(200, issued(jwt({"tid": TENANT_ID})), heads)) as address:
        use(address)
        async with identity(client_id) as opened:
            await opened.claims()
            await opened.claims()
    (head,) = heads  # the SDK caches the token
    asked, *headers = unquote(head).splitlines()
    assert asked == f"GET /msi/token?api-version=2019-08-01&resource=https://graph.microsoft.com{query} HTTP/1.1"
    assert "X-IDENTITY-HEADER: secret" in headers


async def test_a_token_without_roles_has_none(use: Any) -> None:
    async with server(answering(200, issued(jwt({"tid": TENANT_ID})))) as address:
        use(address)
        async with identity() as opened:
            assert (await opened.claims()).roles == frozenset()


@pytest.mark.parametrize(
    "token",
    ["opaque", "a.b.c", "..", jwt({"roles": []}), jwt([]), jwt("text"), jwt(None), "é.é.é"],
    ids=["opaque", "no JSON", "empty", "no tenant", "list", "text", "null", "not ASCII"],
)
async def test_a_token_without_a_tenant_is_transient(use: Any, token: str) -> None:
    async with server(answering(200, issued(token))) as address:
        use(address)
        async with identity() as opened:
            with pytest.raises(Transient, match="the token names no tenant"):
                await opened.claims()


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, b'{"statusCode": 400, "message": "No identity"}'), (403, b"{}"), (200, b"not JSON"), (200, b"{}")],
)
async def test_an_endpoint_that_gives_no_token_is_transient(use: Any, status: int, body: bytes) -> None:
    async with server(answering(status, body)) as address:
        use(address)
        async with identity() as opened:
            with pytest.raises(Transient, match="identity: no token"):
                await opened.claims()


async def test_an_endpoint_that_is_down_or_fails_is_transient(use: Any) -> None:
    """The test tries both endpoints at once, because the SDK needs about five seconds for its four tries of each."""
    async with server(answering(500, b'{"statusCode": 500}')) as failing, AsyncExitStack() as opened:
        identities = []
        for address in (failing, await closed_port()):
            use(address)
            identities.append(await opened.enter_async_context(identity()))
        outcomes = await asyncio.gather(*(each.claims() for each in identities), return_exceptions=True)
    assert [(type(outcome), str(outcome)[:18]) for outcome in outcomes] == [
        (Transient, "identity: no token"),
        (Transient, "identity: no token"),
    ]
