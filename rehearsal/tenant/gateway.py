"""The one place that every Graph call passes, alone or in a `$batch`: journal, token, route, options, permission."""

import json
from collections.abc import Iterable
from uuid import uuid4

from rehearsal.tenant import auth, errors
from rehearsal.tenant.errors import GraphError
from rehearsal.tenant.journal import Entry
from rehearsal.tenant.query import Options
from rehearsal.tenant.routing import Answer, Call, Request, Route, Router, cost
from rehearsal.tenant.tenant import Tenant

JSON_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
DIAGNOSTIC = json.dumps(
    {
        "ServerInfo": {
            "DataCenter": "North Europe",
            "Slice": "E",
            "Ring": "4",
            "ScaleUnit": "002",
            "RoleInstance": "DU2PEPF000070C2",
        }
    },
    separators=(",", ":"),
)


class Gateway:
    """Serves Graph calls from one tenant."""

    def __init__(self, tenant: Tenant, routes: Iterable[Route]) -> None:
        self._tenant = tenant
        self._router = Router(routes)

    def handle(self, request: Request) -> Answer:
        """Serve one call and write it down. Every answer, an error as well, comes back as Graph would send it."""
        entry = self._tenant.journal.open(
            time=self._tenant.clock.stamp(),
            method=request.method,
            path=f"/{request.version}{request.path}",
            query=request.query,
            headers=request.headers,
            body=request.body,
        )
        entry.batch = request.batch
        request_id = str(uuid4())
        try:
            answer = self._serve(request, entry)
        except GraphError as error:
            answer = self._failure(error, request, request_id, entry)
        entry.status = answer.status
        return Answer(answer.status, answer.body, {**self._headers(request, request_id, answer), **answer.headers})

    def _serve(self, request: Request, entry: Entry) -> Answer:
        roles = auth.roles_of(request.headers, self._tenant.clock)
        entry.roles = sorted(roles)
        route, params = self._router.find(request)
        options = Options.of(request.query, request.headers, route.options)
        if route.permissions and not roles & route.permissions:
            raise errors.denied()
        if request.body is not None and not request.headers.get("content-type", "").startswith("application/json"):
            raise errors.malformed("A missing or empty content type header was found when trying to read a message.")
        self._tenant.directory.empty_recycle_bin()
        call = Call(self._tenant, request, params, options, roles, entry.number, self.handle)
        answer = route.handler(call)
        units = {"x-ms-resource-unit": str(cost(route, options))}
        return Answer(answer.status, answer.body, {**units, **answer.headers})

    def _failure(self, error: GraphError, request: Request, request_id: str, entry: Entry) -> Answer:
        entry.errorCode = error.code
        if error.violation:
            self._tenant.journal.violate(entry, error.violation, error.message)
        inner = {
            "date": self._tenant.clock.now().strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request_id,
            "client-request-id": request.headers.get("client-request-id", request_id),
        }
        body = {"error": {"code": error.code, "message": error.message, "innerError": inner}}
        return Answer(error.status, body, error.headers)

    def _headers(self, request: Request, request_id: str, answer: Answer) -> dict[str, str]:
        headers = {
            "request-id": request_id,
            "client-request-id": request.headers.get("client-request-id", request_id),
            "x-ms-ags-diagnostic": DIAGNOSTIC,
            "Cache-Control": "no-cache",
            "Strict-Transport-Security": "max-age=31536000",
        }
        if answer.body is not None:
            headers["Content-Type"] = "application/json" if answer.status >= 400 else JSON_TYPE  # noqa: PLR2004
            headers["OData-Version"] = "4.0"
        return headers
