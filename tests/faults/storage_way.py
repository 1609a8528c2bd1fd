"""Transports to tables and queues that apply the fault, and that keep the delays of messages in the rig."""

import re
from typing import Any, cast

from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpResponse, HttpRequest

from tests.faults.points import Points

_DELAY = re.compile(r"visibilitytimeout=(\d+)")
_MESSAGE_ID = re.compile(r"<MessageId>([^<]+)</MessageId>")


class Delays(AioHttpTransport):  # type: ignore[misc]  # loaded lazily by azure-core, so mypy sees Any
    """Notes the visibility delay of each message that storage accepted, and asks storage for no delay.

    A poison message is hidden from other sweeps for one second, the shortest time that storage allows.
    """

    def __init__(self, delays: dict[str, float]) -> None:
        super().__init__()
        self._delays = delays

    async def send(self, request: HttpRequest, **kwargs: Any) -> AsyncHttpResponse:
        wanted, found = request.url, _DELAY.search(request.url)
        if found is None:
            return cast("AsyncHttpResponse", await super().send(request, **kwargs))
        request.url = _DELAY.sub(f"visibilitytimeout={0 if request.method == 'POST' else 1}", wanted)
        try:
            response: AsyncHttpResponse = await super().send(request, **kwargs)
        finally:
            request.url = wanted
        if request.method == "POST":
            self._delays.update(dict.fromkeys(_MESSAGE_ID.findall(response.text()), float(found[1])))
        return response


class StorageWay(Delays):
    """Applies the fault outside of `Delays`, so that the delay of a repeated message is noted as well."""

    def __init__(self, points: Points, delays: dict[str, float]) -> None:
        super().__init__(delays)
        self._points = points

    async def send(self, request: HttpRequest, **kwargs: Any) -> AsyncHttpResponse:
        async def perform() -> AsyncHttpResponse:
            return await super(StorageWay, self).send(request, **kwargs)

        async def failed(kind: str) -> AsyncHttpResponse:
            """Return a refusal with an error body, in the form that the SDK expects for its own request."""
            if kind == "reset":
                raise ServiceResponseError("connection lost")
            if kind == "refused":
                raise ServiceRequestError("connection refused")
            nothing = type(request)("GET", request.url.split("?")[0].rsplit("/", 1)[0] + "/nothing-here")
            answer: AsyncHttpResponse = await super(StorageWay, self).send(nothing, **kwargs)
            answer.status_code = int(kind)
            return answer

        label = f"storage {request.method} {request.url.split('?')[0]}"
        return cast("AsyncHttpResponse", await self._points.around(label, request, perform, failed))
