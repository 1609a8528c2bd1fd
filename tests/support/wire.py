"""HTTP byte by byte, for requests that no client library sends."""

import http.client
import socket
from contextlib import suppress
from typing import NamedTuple

_SECONDS = 30
_OF_THE_CONNECTION = frozenset({"connection", "content-length", "date", "server", "transfer-encoding"})


class Answer(NamedTuple):
    """A server's answer. The names in `headers` are in lower case; headers of the connection are left out."""

    status: int
    headers: dict[str, str]
    body: bytes


def answered(port: int, request: bytes) -> Answer:
    """Send one request over a new connection and return the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as connection:
        with suppress(ConnectionError):  # a server that refuses a request closes without reading the rest
            connection.sendall(request)
        answer = http.client.HTTPResponse(connection, method=request.split(b" ", 1)[0].decode().upper())
        answer.begin()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        shown = {name: value for name, value in headers.items() if name not in _OF_THE_CONNECTION}
        return Answer(answer.status, shown, answer.read())
