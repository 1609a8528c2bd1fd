"""The web server under the HTTP front: uvicorn, with the limits and the refusals of Kestrel."""

import asyncio
import socket

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from rehearsal.host.http import Front

SHUTDOWN_SECONDS = 30
"""How long a request in flight may go on after SIGTERM."""
_LARGEST_HEAD = 65_536
"""Bytes to wait for the end of a head: more than the front accepts, so that the front is what refuses it."""


class _Protocol(H11Protocol):
    """Refuses what cannot be read as Kestrel does: with a status and nothing else."""

    def send_400_response(self, msg: str) -> None:
        """Refuse the request that h11 could not read, and close; `msg` is uvicorn's own text."""
        del msg
        received, _ = self.conn.trailing_data
        status = 400
        if len(received) > _LARGEST_HEAD:
            status = 431 if b"\r\n" in received else 414
        headers = [(b"content-length", b"0"), (b"connection", b"close")]
        for event in (h11.Response(status_code=status, headers=headers), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


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
        http=_Protocol,
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
