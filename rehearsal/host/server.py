"""The web server for the HTTP front: uvicorn, with the limits and error answers of Kestrel."""

import asyncio
import socket

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from rehearsal.host.http import Front

SHUTDOWN_SECONDS = 30
"""How long a running request may continue after SIGTERM."""
_LARGEST_HEAD = 65_536
"""How many bytes of a head the server reads. The front accepts fewer, so that it is the front that refuses a long
head."""


class _Protocol(H11Protocol):
    """Refuses an unreadable request as Kestrel does: with a status and no body."""

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that h11 cannot read, and close the connection. `msg`, uvicorn's text, is not sent."""
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
    """A server with an event that is set once it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then set `listening`."""
        await super().startup(sockets)
        self.listening.set()


def server(front: Front) -> Server:
    """Return a server for the front.

    The caller passes it the socket, so that nothing answers before the host is ready.
    """
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
    """Return a socket bound to a loopback port (0: a free one). It refuses connections until a server listens on it."""
    # asyncio disables Nagle's algorithm only if the protocol is named; with Nagle each answer takes 40 ms longer.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound
