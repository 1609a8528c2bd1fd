"""Close a connection without an answer, over a socket or over ASGI."""

from typing import Any

import httpx
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

CLOSE = "rehearsal.close"
"""The ASGI extension through which the server lets the application close the connection."""


class LendingProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol, with an extension to close the connection instead of answering."""

    def connection_made(self, transport: Any) -> None:
        """Give the application the extension for this connection."""
        super().connection_made(transport)
        served = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await served({**scope, "extensions": {CLOSE: transport.abort}}, receive, send)

        self.app = app


class NoAnswer(Response):
    """A response that closes the connection. Without a socket it raises what httpx raises when a server does so."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Close the connection and send nothing."""
        del send
        close = scope.get("extensions", {}).get(CLOSE)
        if close is None:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        close()
        while (await receive())["type"] != "http.disconnect":
            """Wait: the server must see the connection end before this call ends."""
