"""The deadline of an invitation over real connections: its first byte is sent in time, or nothing is sent."""

import asyncio
import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import httpcore
import httpx
import pytest
from azure.core.credentials import AccessToken

from b2b.adapters.batch import Call
from b2b.adapters.fence import FencedTransport, FencePassedError, check_of_now, fenced
from b2b.domain.errors import AccessDenied, Transient
from tests.adapters.graph_support import ACCEPTED, INVITATION, NOON, Credential, Wire, batch, graph_over, json_response
from tests.adapters.sockets import Serve, answering, server

FENCE = NOON + timedelta(seconds=10)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS_FRAME = 1


class Clock:
    """A clock that stands still until the test lets the deadline pass."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_the_fence(self) -> None:
        self.now = FENCE + timedelta(microseconds=1)


class SlowConnection(httpcore.AsyncNetworkBackend):
    """Makes a real connection, and lets the deadline pass meanwhile."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend, clock: Clock) -> None:
        self._inner, self._clock = inner, clock
        self.connected = 0

    async def connect_tcp(self, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        stream = await self._inner.connect_tcp(*args, **options)
        self.connected += 1
        self._clock.pass_the_fence()
        return stream

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


def slow(transport: httpx.AsyncHTTPTransport, clock: Clock) -> SlowConnection:
    """Let the deadline pass while this transport connects."""
    backend = SlowConnection(transport._pool._network_backend, clock)
    transport._pool._network_backend = backend
    return backend


def recording(received: list[bytes], ended: asyncio.Event) -> Serve:
    """Return a handler that records every byte of one connection until the client closes it."""

    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(65_536):
                received.append(piece)
        ended.set()

    return serve


def frames(stream: bytes) -> Iterable[int]:
    """Yield the types of the HTTP/2 frames after the preface (RFC 9113, section 4.1)."""
    assert stream.startswith(PREFACE)
    left = stream[len(PREFACE) :]
    while left:
        yield left[3]
        left = left[9 + int.from_bytes(left[:3]) :]


async def test_nothing_is_sent_if_the_deadline_passes_while_connecting() -> None:
    received, ended, clock = list[bytes](), asyncio.Event(), Clock()
    transport = httpx.AsyncHTTPTransport()
    backend = slow(transport, clock)
    async with server(recording(received, ended)) as address:
        async with graph_over(transport, base_url=f"{address}/v1.0", clock=clock) as graph:
            with pytest.raises(Transient, match="too much time has passed") as caught:
                await graph.invite(INVITATION, FENCE)
        await asyncio.wait_for(ended.wait(), 10)
    assert not isinstance(caught.value, AccessDenied)
    assert backend.connected == 1
    assert received == []


async def test_over_http_2_no_request_is_sent_after_the_deadline() -> None:
    """The preface of the connection may be sent, but not the headers of the request."""
    received, ended, clock = list[bytes](), asyncio.Event(), Clock()
    transport = httpx.AsyncHTTPTransport(http1=False, http2=True)
    slow(transport, clock)
    async with server(recording(received, ended)) as address:
        async with graph_over(transport, base_url=f"{address}/v1.0", clock=clock) as graph:
            with pytest.raises(Transient, match="too much time has passed"):
                await graph.invite(INVITATION, FENCE)
        await asyncio.wait_for(ended.wait(), 10)
    assert HEADERS_FRAME not in frames(b"".join(received))


async def test_the_deadline_is_checked_on_a_connection_that_is_open_already() -> None:
    heads, clock = list[str](), Clock()

    async def keep_alive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = json.dumps(ACCEPTED).encode()
        while True:
            heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(
                f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {len(body)}".encode()
            )
            writer.write(b"\r\n\r\n" + body)
            await writer.drain()

    async with server(keep_alive) as address, graph_over(None, base_url=f"{address}/v1.0", clock=clock) as graph:
        await graph.invite(INVITATION, FENCE)
        clock.pass_the_fence()
        with pytest.raises(Transient, match="too much time has passed"):
            await graph.invite(INVITATION, FENCE)
    assert len(heads) == 1


async def test_an_invitation_in_time_is_sent_over_http_1_1() -> None:
    heads, clock = list[str](), Clock()
    clock.now = FENCE
    accept = answering(201, json.dumps(ACCEPTED).encode(), heads)
    async with server(accept) as address, graph_over(None, base_url=f"{address}/v1.0", clock=clock) as graph:
        assert (await graph.invite(INVITATION, FENCE)).status == "PendingAcceptance"
    (head,) = heads
    assert head.startswith("POST /v1.0/invitations HTTP/1.1\r\n")


async def test_nothing_is_sent_if_the_deadline_passes_while_waiting_for_a_token() -> None:
    clock = Clock()

    class Late(Credential):
        async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
            clock.pass_the_fence()
            return await super().get_token(*scopes, **options)

    wire = Wire(json_response(ACCEPTED, 201))
    async with graph_over(wire, credential=Late(), clock=clock) as graph:
        with pytest.raises(Transient, match="too much time has passed"):
            await graph.invite(INVITATION, FENCE)
    assert wire.sent == []


async def test_a_read_has_no_deadline() -> None:
    clock = Clock()
    clock.pass_the_fence()
    async with graph_over(Wire(batch(lambda _: {"status": 200, "body": {}})), clock=clock) as graph:
        assert len(await graph.read([Call("/users")])) == 1


async def test_each_of_several_simultaneous_invitations_has_its_own_deadline() -> None:
    clock, wire = Clock(), Wire(json_response(ACCEPTED, 201))
    async with graph_over(wire, clock=clock) as graph:
        outcomes = await asyncio.gather(
            *(graph.invite(INVITATION, NOON + timedelta(seconds=seconds)) for seconds in (-1, 1, -1, 1)),
            return_exceptions=True,
        )
    assert [isinstance(outcome, Transient) for outcome in outcomes] == [True, False, True, False]
    assert len(wire.sent) == 2


def test_a_deadline_applies_inside_its_block_only() -> None:
    with fenced(lambda: False):
        check = check_of_now()
        with pytest.raises(FencePassedError):
            check()
    check_of_now()()
    with pytest.raises(FencePassedError):
        check()


async def test_closing_the_fenced_transport_closes_the_inner_one() -> None:
    wire = Wire(json_response(ACCEPTED, 201))
    await FencedTransport(wire).aclose()
    assert wire.closed
