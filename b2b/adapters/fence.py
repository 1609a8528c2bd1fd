"""The fence before an invitation: its first byte leaves before a given moment, or not at all.

A process may be frozen, or wait for a token or a connection, between the claim and the call. By then other instances
may have taken the claim over. So the time is looked at as late as possible: when the HTTP client has a connection and
is about to write the request's headers.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpx

Open = Callable[[], bool]
_OPEN: ContextVar[Open | None] = ContextVar("fence", default=None)
_HEADERS = ".send_request_headers.started"
"""The end of the name of httpcore's trace event just before a request's headers are written (http11 and http2)."""


class FencePassedError(Exception):
    """The moment has passed, and nothing was sent. Retry: with a new claim."""


@contextmanager
def fenced(is_open: Open) -> Iterator[None]:
    """Let requests leave only while ``is_open``."""
    token = _OPEN.set(is_open)
    try:
        yield
    finally:
        _OPEN.reset(token)


def check_of_now() -> Callable[[], None]:
    """Return what a transport calls just before it sends: it raises `FencePassedError` where the fence has passed."""
    is_open = _OPEN.get()

    def check() -> None:
        if is_open is not None and not is_open():
            raise FencePassedError

    return check


class FencedTransport(httpx.AsyncBaseTransport):
    """Checks the fence of the present context before the bytes of a request leave."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, unless its fence has passed by the time its headers are written."""
        check = check_of_now()

        async def trace(name: str, _info: dict[str, Any]) -> None:
            if name.endswith(_HEADERS):
                check()

        check()
        request.extensions = {**request.extensions, "trace": trace}
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the inner transport."""
        await self._inner.aclose()
