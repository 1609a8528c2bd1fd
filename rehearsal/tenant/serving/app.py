"""The tenant as an ASGI application: Graph, the managed-identity endpoint, and the control plane."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as HttpRoute

from rehearsal.tenant.control.plane import ControlPlane
from rehearsal.tenant.control.trouble import TroublePlane
from rehearsal.tenant.faults.injection import ConnectionLost
from rehearsal.tenant.gateway import batch
from rehearsal.tenant.gateway.gateway import Gateway
from rehearsal.tenant.gateway.routing import Route
from rehearsal.tenant.invitations import invite as invitations
from rehearsal.tenant.protocol import auth
from rehearsal.tenant.protocol.messages import Answer, Request
from rehearsal.tenant.routes import audits, creation, delta, licences, links, relations
from rehearsal.tenant.routes import directory as routes_directory
from rehearsal.tenant.routes import users as routes_users
from rehearsal.tenant.serving.wire import NoAnswer
from rehearsal.tenant.tenant import Tenant

METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
ROUTES: tuple[Route, ...] = (
    *delta.ROUTES,
    *routes_users.ROUTES,
    *creation.ROUTES,
    *licences.ROUTES,
    *relations.ROUTES,
    *links.ROUTES,
    *audits.ROUTES,
    *routes_directory.ROUTES,
    *invitations.ROUTES,
    *batch.ROUTES,
)
WITHOUT_ANSWER = (ConnectionLost, ClientDisconnect)
"""The exceptions with which a call ends unanswered: a fault broke the connection, or the caller disconnected."""


def create_app(
    seed: Mapping[str, Any],
    *,
    switches: Mapping[str, str] | None = None,
    roles: Iterable[str] | None = None,
    identity_header: str | None = None,
) -> Starlette:
    """Return a tenant made from a seed as an application without a port. `app.state.tenant` is the tenant itself.

    `roles` are the application permissions in its tokens (default: all that a converter needs). If `identity_header` is
    given, the identity endpoint issues tokens only to callers that send that value; otherwise any value will do.
    """
    tenant = Tenant(seed, switches=switches, roles=roles, identity_header=identity_header)
    gateway = Gateway(tenant, ROUTES)

    async def graph(http: HttpRequest) -> Response:
        return _response(await gateway.handle(await _request(http)))

    async def token(http: HttpRequest) -> Response:
        return _token(tenant, http)

    app = Starlette(
        routes=[
            HttpRoute("/msi/token", token, methods=["GET"]),
            *ControlPlane(tenant).routes(),
            *TroublePlane(tenant).routes(),
            HttpRoute("/{version}/{path:path}", graph, methods=METHODS),
        ],
        exception_handlers=dict.fromkeys(WITHOUT_ANSWER, _no_answer),
    )
    app.state.tenant = tenant
    return app


async def _no_answer(_http: HttpRequest, _end: Exception) -> Response:
    return NoAnswer()


async def _request(http: HttpRequest) -> Request:
    raw = await http.body()
    return Request(
        method=http.method,
        version=http.path_params["version"],
        path="/" + http.path_params["path"].strip("/"),
        query=dict(parse_qsl(http.url.query, keep_blank_values=True)),
        headers={name.lower(): value for name, value in http.headers.items()},
        body=_json(raw),
        origin=f"{http.url.scheme}://{http.url.netloc}",
    )


def _json(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")


def _response(answer: Answer) -> Response:
    if answer.body is None:
        return Response(status_code=answer.status, headers=dict(answer.headers))
    plain = isinstance(answer.body, int | str)
    text = str(answer.body) if plain else json.dumps(answer.body, ensure_ascii=False)
    return Response(text, status_code=answer.status, headers=dict(answer.headers))


def _token(tenant: Tenant, http: HttpRequest) -> Response:
    given = http.headers.get("x-identity-header")
    if not given or (tenant.identity_header is not None and given != tenant.identity_header):
        return JSONResponse({"statusCode": 401, "message": "The X-IDENTITY-HEADER is missing or wrong."}, 401)
    resource = http.query_params.get("resource")
    if not resource or http.query_params.get("api-version") != "2019-08-01":
        return JSONResponse({"statusCode": 400, "message": "resource and api-version=2019-08-01 are required."}, 400)
    issued = auth.issue(
        resource,
        tenant_id=tenant.policies.tenant_id,
        client_id=http.query_params.get("client_id"),
        roles=tenant.roles_of(http.query_params.get("client_id")),
        clock=tenant.clock,
    )
    return JSONResponse(issued)
