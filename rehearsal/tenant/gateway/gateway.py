"""The gateway, through which every Graph call passes, alone or as a part of a `$batch`.

A call passes these steps in order: journal, early retry, fault, token, route, options, permission, throttling, replica.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import uuid4

from rehearsal.tenant.faults.injection import RETRY_AFTER, meet
from rehearsal.tenant.faults.retry_after import seconds_of
from rehearsal.tenant.faults.throttling import Charge
from rehearsal.tenant.gateway.routing import Call, Route, Router, cost
from rehearsal.tenant.odata.query import Options
from rehearsal.tenant.protocol import auth, errors
from rehearsal.tenant.protocol.errors import GraphError
from rehearsal.tenant.protocol.journal import Entry
from rehearsal.tenant.protocol.messages import Answer, Request
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

    async def handle(self, request: Request) -> Answer:
        """Record one call, serve it, and return the answer (maybe an error) as Graph would send it.

        Raises:
            ConnectionLost: a fault closes the connection. The journal then shows no status.
        """
        entry = self._tenant.journal.open(
            time=self._tenant.clock.stamp(),
            method=request.method,
            path=request.address,
            query=request.query,
            headers=request.headers,
            body=request.body,
        )
        entry.batch = request.batch
        request_id = str(uuid4())
        try:
            answer = await self._pass(request, entry, request_id)
        except GraphError as error:
            answer = self._failure(error, request, request_id, entry)
        told = self._told(request, answer)
        if request.batch is None:  # a client sees the waits of parts only in the answer to the whole batch
            self._promise(request, told)
        entry.status = answer.status
        if isinstance(answer.body, dict) and "error" in answer.body:
            entry.errorCode = answer.body["error"]["code"]
        headers = {**self._headers(request, request_id, answer), **answer.headers}
        return Answer(answer.status, answer.body, headers, told)

    async def _pass(self, request: Request, entry: Entry, request_id: str) -> Answer:
        self._not_too_early(request)
        fault = self._tenant.trouble.fault(request)
        if fault is None:
            return await self._serve(request, entry, self._tenant)
        entry.fault = fault.as_json()

        async def work(*, for_good: bool) -> Answer:
            tenant = self._tenant if for_good else self._tenant.fork()
            try:
                return await self._serve(request, entry, tenant)
            except GraphError as error:
                return self._failure(error, request, request_id, entry)

        return await meet(fault, work, self._tenant.clock)

    def _not_too_early(self, request: Request) -> None:
        waits = self._tenant.trouble.retry_after
        breach = waits.breach(auth.process_of(request.headers), request.identity) if waits else None
        if breach is not None:
            early = f"the same call, {breach.early:.1f} s before Retry-After"
            wait = {RETRY_AFTER: str(math.ceil(breach.seconds))}
            raise errors.throttled("Please retry again later.", headers=wait, early=early)

    def _told(self, request: Request, answer: Answer) -> Mapping[str, float]:
        """Return the waits that an answer asks for: Retry-After for the refused call, `told` for shared limits."""
        if RETRY_AFTER not in answer.headers:
            return answer.told
        return {**answer.told, request.identity: seconds_of(answer.headers[RETRY_AFTER], self._tenant.clock)}

    def _promise(self, request: Request, told: Mapping[str, float]) -> None:
        for about, seconds in told.items():
            self._tenant.trouble.retry_after.make(auth.process_of(request.headers), about, seconds)

    async def _serve(self, request: Request, entry: Entry, tenant: Tenant) -> Answer:
        caller = auth.caller_of(request.headers, tenant.clock)
        entry.roles = sorted(caller.roles)
        route, params = self._router.find(request)
        options = Options.of(request.query, request.headers, route.options)
        if route.permissions and not caller.roles & route.permissions:
            raise errors.denied()
        if request.body is not None and not request.headers.get("content-type", "").startswith("application/json"):
            raise errors.malformed("A missing or empty content type header was found when trying to read a message.")
        units = cost(route, options)
        headers = {"x-ms-resource-unit": str(units), **self._charged(caller, request, units)}
        tenant.directory.empty_recycle_bin()
        directory = tenant.directory
        entry.replica = tenant.trouble.replicas.choose(request)
        if entry.replica is not None:
            directory = tenant.trouble.replicas.view(entry.replica, request, directory)
        answer = route.handler(
            Call(tenant, directory, request, params, options, caller.roles, entry.number, self.handle)
        )
        if not isinstance(answer, Answer):
            answer = await answer
        return replace(answer, headers={**headers, **answer.headers})

    def _charged(self, caller: auth.Caller, request: Request, units: int) -> dict[str, str]:
        """Charge a call and return the headers for its answer.

        An invitation counts only against the invitation limit.
        """
        charge = Charge(units, int(request.writes))
        if request.path == "/invitations":
            charge = Charge(invitations=1)
        users, tenant_id = len(self._tenant.directory.users), self._tenant.policies.tenant_id
        return self._tenant.trouble.throttling.admit(caller, charge, users=users, tenant_id=tenant_id)

    def _failure(self, error: GraphError, request: Request, request_id: str, entry: Entry) -> Answer:
        if error.violation:
            self._tenant.journal.violate(entry, error.violation, error.detail)
        inner = {
            "date": self._tenant.clock.now().strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request_id,
            "client-request-id": request.headers.get("client-request-id", request_id),
        }
        body = {"error": {"code": error.code, "message": error.message, "innerError": inner}}
        return Answer(error.status, body, error.headers, error.told)

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
