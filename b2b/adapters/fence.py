"""The fence, which stops an invitation from being sent after its deadline.

Between the claim and the call, the process may be frozen, or wait for a token or a connection. Meanwhile another
instance may take over the claim. So the deadline is checked as late as possible: when the HTTP client has a connection
and is about to write the request's headers.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpx

Open = Callable[[], bool]
_OPEN: ContextVar[Open | None] = ContextVar("fence", default=None)
_HEADERS = ".send_request_headers.started"
"""Suffix of the trace event that httpcore (http11 and http2) emits just before it writes a request's headers."""


class FencePassedError(Exception):
    """The deadline passed before the request was sent, so nothing was sent. Retry: with a new claim."""


@contextmanager
def fenced(is_open: Open) -> Iterator[None]:
    """Send requests in this context only while ``is_open`` returns True."""
    token = _OPEN.set(is_open)
    try:
        yield
    finally:
        _OPEN.reset(token)


def check_of_now() -> Callable[[], None]:
    """Return the check that a transport makes just before it sends.

    The check raises `FencePassedError` if the fence of the current context is closed. Outside `fenced`, it does
    nothing.
    """
    is_open = _OPEN.get()

    def check() -> None:
        if is_open is not None and not is_open():
            raise FencePassedError

    return check


class FencedTransport(httpx.AsyncBaseTransport):
    """Sends a request only if the fence of the current context is open."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            FencePassedError: the fence closed before the headers were written.

        """
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
