"""The connections of the Graph client: time limits on real sockets, the token for Graph's host only, and closing."""

import asyncio
import json
import time

import httpx
import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.identity import CredentialUnavailableError
from msgraph.generated.models.o_data_errors.o_data_error import ODataError

from b2b.adapters.batch import Call
from b2b.adapters.clock import system_clock
from b2b.adapters.graph import Graph, http_transport
from b2b.domain.errors import OutcomeUnknown, Transient
from tests.adapters.graph_support import ACCEPTED, INVITATION, LATER, Credential, Wire, batch, graph_over, json_response
from tests.adapters.sockets import Serve, answering, closed_port, hang_up, never_answer, server

SHORT = 0.3


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send an answer byte by byte. Each byte comes within the time limit, but the whole answer takes much longer."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n")
    for _ in range(20):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(SHORT / 4)


@pytest.mark.parametrize(
    ("serve", "says"), [(never_answer, "ReadTimeout|TimeoutError"), (hang_up, "RemoteProtocolError|ReadError")]
)
async def test_without_an_answer_an_invitation_is_unknown_and_a_read_is_transient(serve: Serve, says: str) -> None:
    async with server(serve) as address, graph_over(None, base_url=f"{address}/v1.0", timeout=SHORT) as graph:
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown, match=says):
            await graph.invite(INVITATION, LATER)
        with pytest.raises(Transient, match=says):
            await graph.read([Call("/users")])
        assert time.monotonic() - began < 10 * SHORT


async def test_the_time_limit_covers_the_whole_answer() -> None:
    """The claim on the account lasts only a little longer than this limit, and must not end during a call."""
    async with server(drip) as address, graph_over(None, base_url=f"{address}/v1.0", timeout=SHORT) as graph:
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            await graph.invite(INVITATION, LATER)
        assert time.monotonic() - began < 4 * SHORT


async def test_on_a_closed_port_nothing_was_sent_so_it_is_transient() -> None:
    async with graph_over(None, base_url=f"{await closed_port()}/v1.0") as graph:
        with pytest.raises(Transient, match="ConnectError") as caught:
            await graph.invite(INVITATION, LATER)
        assert type(caught.value) is Transient
        with pytest.raises(Transient, match="ConnectError"):
            await graph.read([Call("/users")])


@pytest.mark.parametrize(
    "error",
    [
        ClientAuthenticationError("400"),
        CredentialUnavailableError("no managed identity here"),
        ServiceRequestError("connection refused"),
        ServiceResponseError("reset"),
        HttpResponseError("500"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_without_a_token_nothing_is_sent_and_the_error_is_transient(error: Exception) -> None:
    wire = Wire(json_response(ACCEPTED, 201))
    async with graph_over(wire, credential=Credential(error)) as graph:
        with pytest.raises(Transient, match="identity: no token"):
            await graph.invite(INVITATION, LATER)
        with pytest.raises(Transient, match="identity: no token"):
            await graph.read([Call("/users")])
    assert wire.sent == []


async def test_the_token_is_requested_for_graph() -> None:
    credential = Credential()
    wire = Wire(batch(lambda _: {"status": 200, "body": {}}))
    async with graph_over(wire, credential=credential) as graph:
        await graph.read([Call("/users")])
    assert credential.scopes == ["https://graph.microsoft.com/.default"]
    assert wire.sent[0].headers["Authorization"] == "Bearer token-of-the-app"


@pytest.mark.parametrize("host", ["elsewhere.example", "graph.microsoft.com.elsewhere.example", "login.microsoft.com"])
async def test_another_host_never_sees_the_token(host: str) -> None:
    wire = Wire(httpx.Response(200, content=b"{}", headers={"content-type": "application/json"}))
    async with graph_over(wire) as graph:
        stray = graph.client.users.with_url(f"https://{host}/v1.0/users").to_get_request_information()
        await graph.client.request_adapter.send_primitive_async(stray, "bytes", {"XXX": ODataError})
    assert wire.sent[0].url.host == host
    assert "Authorization" not in wire.sent[0].headers


@pytest.mark.parametrize(("root", "http2"), [("https://graph.microsoft.com/v1.0", True), ("http://[::1]/v1.0", False)])
async def test_http_2_is_offered_over_tls_only(root: str, http2: bool) -> None:  # noqa: FBT001 - a column
    async with http_transport(root) as transport:
        assert transport._pool._http2 is http2


async def test_closing_the_client_closes_the_transport() -> None:
    wire = Wire(json_response(ACCEPTED, 201))
    graph = Graph.connect(Credential(), "https://graph.microsoft.com/v1.0", 1, system_clock, wire)
    await graph.invite(INVITATION, LATER)
    assert not wire.closed
    await graph.aclose()
    assert wire.closed


async def test_a_plain_answer_over_a_real_connection_is_read() -> None:
    accept = answering(201, json.dumps(ACCEPTED).encode())
    async with server(accept) as address, graph_over(None, base_url=f"{address}/v1.0") as graph:
        assert (await graph.invite(INVITATION, LATER)).status == "PendingAcceptance"
