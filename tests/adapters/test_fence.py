"""The fence over real connections: an invitation's first byte leaves in time, or not at all."""

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
    """A clock that stands still until something lets time pass."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_the_fence(self) -> None:
        self.now = FENCE + timedelta(microseconds=1)


class SlowConnection(httpcore.AsyncNetworkBackend):
    """Connects for real; meanwhile the fence closes."""

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
    """Let the fence close while this transport makes its connection."""
    backend = SlowConnection(transport._pool._network_backend, clock)
    transport._pool._network_backend = backend
    return backend


def recording(received: list[bytes], ended: asyncio.Event) -> Serve:
    """Keep every byte of one connection until the client closes it."""

    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(65_536):
                received.append(piece)
        ended.set()

    return serve


def frames(stream: bytes) -> Iterable[int]:
    """The types of the HTTP/2 frames behind the preface (RFC 9113, 4.1)."""
    assert stream.startswith(PREFACE)
    left = stream[len(PREFACE) :]
    while left:
        yield left[3]
        left = left[9 + int.from_bytes(left[:3]) :]


async def test_a_fence_that_closes_while_the_connection_is_made_lets_nothing_out() -> None:
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


async def test_over_http_2_it_lets_no_request_out_either() -> None:
    """The connection's own preface may leave; the request's headers must not."""
    received, ended, clock = list[bytes](), asyncio.Event(), Clock()
    transport = httpx.AsyncHTTPTransport(http1=False, http2=True)
    slow(transport, clock)
    async with server(recording(received, ended)) as address:
        async with graph_over(transport, base_url=f"{address}/v1.0", clock=clock) as graph:
            with pytest.raises(Transient, match="too much time has passed"):
                await graph.invite(INVITATION, FENCE)
        await asyncio.wait_for(ended.wait(), 10)
    assert HEADERS_FRAME not in frames(b"".join(received))


async def test_a_connection_that_is_there_already_is_checked_too() -> None:
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


async def test_in_time_it_is_sent_over_http_1_1() -> None:
    heads, clock = list[str](), Clock()
    clock.now = FENCE
    accept = answering(201, json.dumps(ACCEPTED).encode(), heads)
    async with server(accept) as address, graph_over(None, base_url=f"{address}/v1.0", clock=clock) as graph:
        assert (await graph.invite(INVITATION, FENCE)).status == "PendingAcceptance"
    (head,) = heads
    assert head.startswith("POST /v1.0/invitations HTTP/1.1\r\n")


async def test_a_token_that_comes_too_late_costs_the_call() -> None:
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


async def test_a_read_has_no_fence() -> None:
    clock = Clock()
    clock.pass_the_fence()
    async with graph_over(Wire(batch(lambda _: {"status": 200, "body": {}})), clock=clock) as graph:
        assert len(await graph.read([Call("/users")])) == 1


async def test_each_invitation_has_its_own_fence_also_beside_others() -> None:
    clock, wire = Clock(), Wire(json_response(ACCEPTED, 201))
    async with graph_over(wire, clock=clock) as graph:
        outcomes = await asyncio.gather(
            *(graph.invite(INVITATION, NOON + timedelta(seconds=seconds)) for seconds in (-1, 1, -1, 1)),
            return_exceptions=True,
        )
    assert [isinstance(outcome, Transient) for outcome in outcomes] == [True, False, True, False]
    assert len(wire.sent) == 2


def test_a_fence_holds_inside_its_block_and_not_behind_it() -> None:
    with fenced(lambda: False):
        check = check_of_now()
        with pytest.raises(FencePassedError):
            check()
    check_of_now()()
    with pytest.raises(FencePassedError):
        check()


async def test_the_transport_beneath_is_closed_with_it() -> None:
    wire = Wire(json_response(ACCEPTED, 201))
    await FencedTransport(wire).aclose()
    assert wire.closed
