"""A connection that ends without an answer, as a client sees it: over a socket, and over ASGI."""

from typing import Any

import httpx
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

CLOSE = "rehearsal.close"
"""The ASGI extension by which the server lends its connection to the application."""


class LendingProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol; the application can close the connection instead of answering."""

    def connection_made(self, transport: Any) -> None:
        """Wrap the application for this connection."""
        super().connection_made(transport)
        served = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await served({**scope, "extensions": {CLOSE: transport.abort}}, receive, send)

        self.app = app


class NoAnswer(Response):
    """Closes the connection; without one it raises what httpx raises when a server does so."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing."""
        del send
        close = scope.get("extensions", {}).get(CLOSE)
        if close is None:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        close()
        while (await receive())["type"] != "http.disconnect":
            """The server has to see the end of the connection before the end of the call."""
