"""The HTTP front of the host: it checks keys and passes each request to a function or to the admin endpoints."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from rehearsal.host.admin import Admin
from rehearsal.host.bindings import HttpAnswer, http_answer, http_request
from rehearsal.host.engine import Engine
from rehearsal.host.keys import Keys, presented_key
from rehearsal.host.log import host_log
from rehearsal.host.request import Refused, Request, Scope, read_head
from rehearsal.host.routes import Route, find

LARGEST_BODY = 104_857_600
"""In bytes. A larger body gets 500 and a closed connection (`maxRequestBodySize` of the Functions host)."""
_CLOSE = (("connection", "close"),)
_STATUSES = range(200, 600)
_WITHOUT_BODY = (204, 304)
_HOME = HttpAnswer(
    200, (("content-type", "text/html"),), b"<!DOCTYPE html><title>Functions</title><p>The function app is running."
)

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Front:
    """The ASGI application of one app's HTTP functions."""

    def __init__(self, engine: Engine, routes: Iterable[Route], admin: Admin, keys: Keys) -> None:
        self._engine = engine
        self._routes = tuple(routes)
        self._admin = admin
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            request = read_head(scope)
            body = await _body(request, receive)
        except Refused as refused:
            answer = HttpAnswer(refused.status, _CLOSE)
        else:
            answer = _sendable(request, await self._answer(request, body))
        await _send(send, answer)

    async def _answer(self, request: Request, body: bytes) -> HttpAnswer:
        key = presented_key(request.headers, request.query)
        if self._admin.serves(request.path):
            return self._admin.answer(request.method, request.path, body, key)
        found = find(self._routes, request.method, request.path)
        if found is None:
            return _HOME if request.path == "/" else HttpAnswer(404)
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


async def _body(request: Request, receive: Receive) -> bytes:
    """Return the body of a request; empty if the request has no Content-Length.

    A chunked body is dropped, as on the real host.

    Raises:
        Refused: the body is too large.
    """
    chunked = "transfer-encoding" in request.headers
    announced = 0 if chunked else int(request.headers.get("content-length", "0"))
    if announced > LARGEST_BODY:
        raise Refused(500)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > LARGEST_BODY:
            raise Refused(500)
        if not message.get("more_body"):
            return b"".join(chunks) if announced else b""


def _sendable(request: Request, answer: HttpAnswer) -> HttpAnswer:
    """Return the answer, or a 500 without a body if the answer's status or headers cannot be sent."""
    if answer.status not in _STATUSES:
        host_log.error("A function answered %d: this host sends no such status.", answer.status)
        return HttpAnswer(500)
    if not all(name.isascii() and value.isascii() for name, value in answer.headers):
        kept = tuple((name, value) for name, value in answer.headers if name.lower() == "content-type")
        return HttpAnswer(500, kept)
    if answer.status in _WITHOUT_BODY:
        return HttpAnswer(answer.status, answer.headers)
    lengths = [value for name, value in answer.headers if name.lower() == "content-length"]
    if request.method != "HEAD" and any(length != str(len(answer.body)) for length in lengths):
        return HttpAnswer(500)
    return answer


async def _send(send: Send, answer: HttpAnswer) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
    if answer.status not in _WITHOUT_BODY and not any(name == b"content-length" for name, _ in headers):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
