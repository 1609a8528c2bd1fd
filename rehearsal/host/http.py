"""The HTTP front of the host: routes requests to functions, checks keys, and hands `/admin` on."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import uvicorn

from rehearsal.host.admin import PREFIXES, Admin
from rehearsal.host.bindings import HttpAnswer, http_answer, http_request
from rehearsal.host.engine import Engine
from rehearsal.host.keys import Keys, presented_key
from rehearsal.host.routes import Route, decoded, find

LARGEST_BODY = 104_857_600
"""Bytes; one more ends in 500 and a closed connection (`maxRequestBodySize` of the Functions host)."""
SHUTDOWN_SECONDS = 30
"""How long a request in flight may go on after SIGTERM."""
_LARGEST_HEAD = 32_768

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Request:
    """The head of a request as a function sees it: header names in lower case, repeated values joined with a comma."""

    method: str
    url: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]


class Front:
    """The ASGI application of one app's HTTP functions."""

    def __init__(self, engine: Engine, routes: Iterable[Route], admin: Admin, keys: Keys) -> None:
        self._engine = engine
        self._routes = tuple(routes)
        self._admin = admin
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = _head(scope)
        body = await _body(request, receive)
        if body is None:
            await _send(send, HttpAnswer(500, (("connection", "close"),)))
            return
        await _send(send, await self._answer(request, body))

    async def _answer(self, request: _Request, body: bytes) -> HttpAnswer:
        key = presented_key(request.headers, request.query)
        if request.path.lower().startswith(PREFIXES):
            allowed = self._keys.is_master(key)
            return self._admin.answer(request.method, request.path, body) if allowed else HttpAnswer(401)
        found = find(self._routes, request.method, request.path)
        if found is None:
            return HttpAnswer(404)
        route, params = found
        if not self._keys.opens(route.level, route.function.name, key):
            return HttpAnswer(401)
        value = http_request(
            method=request.method,
            url=request.url,
            headers=request.headers,
            query=request.query,
            params=params,
            body=body,
        )
        reason = f"This function was called by HTTP {request.method}."
        result = await self._engine.invoke(route.function, value, reason=reason)
        return http_answer(result.value) if result.succeeded else HttpAnswer(500)


class Server(uvicorn.Server):
    """The server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then set `listening`."""
        await super().startup(sockets)
        self.listening.set()


def server(front: Front) -> Server:
    """A server for the front; the caller hands it the socket, so that nothing answers before the host is ready."""
    config = uvicorn.Config(
        front,
        http="h11",
        h11_max_incomplete_event_size=_LARGEST_HEAD,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return Server(config)


def bound_socket(port: int) -> socket.socket:
    """A loopback socket that holds a port (0: a free one) and refuses connections until a server listens on it."""
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it each answer waits 40 ms.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound


def _head(scope: Scope) -> _Request:
    headers = _joined((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"])
    raw_path = scope["raw_path"].decode("latin-1")
    query_string = scope["query_string"].decode("latin-1")
    url = f"http://{headers.get('host', '')}{raw_path}" + (f"?{query_string}" if query_string else "")
    query = _joined(parse_qsl(query_string))  # leaves out what has no value, as the real host does
    return _Request(scope["method"], url, decoded(raw_path), headers, query)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: ",".join(found) for name, found in values.items()}


async def _body(request: _Request, receive: Receive) -> bytes | None:
    """The body; None when it is too large. Only one with a Content-Length is forwarded: a chunked body is empty."""
    announced = int(request.headers.get("content-length", "0"))
    if announced > LARGEST_BODY:
        return None
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > LARGEST_BODY:
            return None
        if not message.get("more_body"):
            return b"".join(chunks) if announced else b""


async def _send(send: Send, answer: HttpAnswer) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    if not any(name == b"content-length" for name, _ in headers):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
