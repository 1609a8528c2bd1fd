"""Endpoints of the control plane. They answer with JSON, and with 400 and the reason if the request is invalid."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rehearsal.tenant.directory.store import JSON

Endpoint = Callable[[Request], Awaitable[Response]]


def reader(read: Callable[[], Any]) -> Endpoint:
    """Return an endpoint that answers with what `read` returns."""

    async def get(_: Request) -> Response:
        return JSONResponse(read())

    return get


def writer(write: Callable[[JSON], Response]) -> Endpoint:
    """Return an endpoint that passes the JSON object of its request to `write`."""

    async def post(request: Request) -> Response:
        try:
            return write(await _body(request))
        except (KeyError, TypeError, ValueError, re.error) as error:
            return refused(400, f"{type(error).__name__}: {error}")

    return post


def refused(status: int, message: str) -> Response:
    """Return an error response with its reason."""
    return JSONResponse({"error": message}, status_code=status)


async def _body(request: Request) -> JSON:
    raw = await request.body()
    body = await request.json() if raw else {}
    if not isinstance(body, dict):
        raise TypeError("the body has to be a JSON object")
    return body
