"""A caller of the API in this process: requests take the same way as over HTTP, without the Functions host."""

from collections.abc import Mapping

from b2b.api.answers import Reply
from b2b.api.door import Call
from b2b.api.front import Front

BASE = "https://app.contoso.com"


class Client:
    """Calls routes by name. Every call sends `headers`."""

    def __init__(self, front: Front, headers: Mapping[str, str] | None = None) -> None:
        self._front, self._headers = front, dict(headers or {})

    async def call(
        self,
        route: str,
        request_id: str = "",
        body: bytes = b"",
        base: str = BASE,
        *,
        query: Mapping[str, str] | None = None,
        **path: str,
    ) -> Reply:
        """Call a route; return its reply."""
        named = {"requestId": request_id} if request_id else {}
        call = Call(base, "", {**named, **path}, query or {}, self._headers, body)
        return await self._front.answer(route, call)

    async def submit(self, body: bytes, base: str = BASE) -> Reply:
        return await self.call("submit_request", "", body, base)

    async def status(self, request_id: str, base: str = BASE) -> Reply:
        return await self.call("request_status", request_id, base=base)

    async def operation(self, request_id: str, base: str = BASE) -> Reply:
        return await self.call("operation_status", request_id, base=base)

    async def retry(self, request_id: str, base: str = BASE) -> Reply:
        return await self.call("retry_request", request_id, base=base)

    async def approve(self, request_id: str, body: bytes, base: str = BASE) -> Reply:
        return await self.call("approve_request", request_id, body, base)

    async def refuse(self, request_id: str, body: bytes, base: str = BASE) -> Reply:
        return await self.call("refuse_request", request_id, body, base)

    async def release(self, request_id: str, base: str = BASE) -> Reply:
        return await self.call("release_request", request_id, base=base)

    async def cancel(self, request_id: str, base: str = BASE) -> Reply:
        return await self.call("cancel_request", request_id, base=base)

    async def assess(self, body: bytes) -> Reply:
        return await self.call("assess", "", body)

    async def health(self) -> Reply:
        return await self.call("health")
