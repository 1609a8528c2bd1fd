"""Describe the API in OpenAPI 3.1, from the table of routes and the structs of bodies and answers."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from b2b.api.answers import JSON as JSON_MEDIA
from b2b.api.answers import Problem
from b2b.api.route import Body, Route
from b2b.api.schemas import GUID, KEY, REQUEST_ID, TEMPLATE, components
from b2b.domain.error_codes import ErrorCode

JSON = dict[str, Any]
TITLE: Final = "Accounts to B2B"
ABOUT: Final = (
    "Turns internal accounts of a Microsoft Entra tenant into B2B users by invitation, says of every account why it "
    "may or may not be converted, and follows each person until the invitation is redeemed."
)
VERSION: Final = "1.0"
UNAUTHORIZED = 401
PARAMETERS: Final[Mapping[str, tuple[str, JSON]]] = {
    "requestId": ("The id of the request.", {"type": "string", **REQUEST_ID}),
    "userId": ("The object id of the account.", {"type": "string", "pattern": GUID}),
    "campaignId": ("The id of the campaign.", {"type": "string", **REQUEST_ID}),
    "member": ("The key of the member, as lists name it.", {"type": "string", "pattern": KEY}),
    "runId": ("The id of the run.", {"type": "string", "pattern": KEY}),
}
"""The parameters in paths, each with its description and schema."""


def document(routes: Iterable[Route], base_url: str) -> JSON:
    """Return the description of the API at this address."""
    rows = list(routes)
    paths: dict[str, JSON] = {}
    for route in rows:
        paths.setdefault(f"/{route.path}", {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION, "description": ABOUT},
        "servers": [{"url": f"{base_url}/api"}],
        "security": [{"functionKey": []}, {"signIn": []}],
        "paths": paths,
        "components": {
            "schemas": components(structs_of(rows)),
            "securitySchemes": {
                "functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "signIn": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


def structs_of(routes: Iterable[Route]) -> list[type[msgspec.Struct]]:
    """Return the structs of all bodies, answers and errors."""
    rows = list(routes)
    taken = [route.body.kind for route in rows if route.body]
    given = [kind for route in rows for kind in route.answers.values() if _is_struct(kind)]
    return [*taken, *given, Problem]


def by_status(codes: Iterable[ErrorCode]) -> dict[int, list[ErrorCode]]:
    """Group error codes by HTTP status."""
    found: dict[int, list[ErrorCode]] = {}
    for code in codes:
        found.setdefault(code.status, []).append(code)
    return dict(sorted(found.items()))


def said_of(codes: Iterable[ErrorCode]) -> str:
    """Return the meaning of a status: what each of its error codes means."""
    return "; ".join(f"{code.value}: {code.when}" for code in codes).replace("`", "") + "."


def roles_of(route: Route) -> str:
    """Return in words which roles may call a route."""
    return "With sign-in it wants one of the roles " + ", ".join(sorted(route.roles)) + "."


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _operation(route: Route) -> JSON:
    parameters = [_in_path(name) for name in route.parameters] + [
        {
            "name": each.name,
            "in": "query",
            "description": each.text,
            "schema": {
                "type": "integer" if each.kind is int else "string",
                **({"enum": each.choices} if each.choices else {}),
                **each.more,
            },
        }
        for each in route.query
    ]
    body = route.body
    return {
        "operationId": route.operation_id,
        "summary": route.summary,
        "description": f"{route.text} {roles_of(route)}",
        **({"x-ms-pageable": {"nextLinkName": "nextLink"}} if route.paged else {}),
        **({"parameters": parameters} if parameters else {}),
        **({"requestBody": _taken(body)} if body else {}),
        "responses": _responses(route),
    }


def _in_path(name: str) -> JSON:
    text, schema = PARAMETERS[name]
    return {"name": name, "in": "path", "required": True, "description": text, "schema": schema}


def _taken(body: Body) -> JSON:
    told = _told(body.kind, body.text)
    told["content"] |= {media: {"schema": {"type": "string"}} for media in body.also}
    return told | {"required": body.required}


def _told(kind: Any, text: str, media: str = JSON_MEDIA) -> JSON:
    schema: JSON = {"type": "string" if kind is str else "object"}
    if _is_struct(kind):
        schema = {"$ref": TEMPLATE.format(name=kind.__name__)}
    return {"description": text, "content": {media: {"schema": schema}}}


def _responses(route: Route) -> JSON:
    errors = by_status(route.errors)
    found: dict[str, JSON] = {}
    for status, kind in route.answers.items():
        found[str(status)] = _told(kind, route.text, route.media)
        found[str(status)]["content"] |= {media: {"schema": {"type": "string"}} for media in route.also}
        if status in {201, 202}:
            found[str(status)]["headers"] = {
                name: {"description": text, "schema": {"type": "string"}} for name, text in route.headers.items()
            }
    for status, codes in errors.items():
        told = _told(Problem, said_of(codes))
        if str(status) in found:
            schema = found[str(status)]["content"]["application/json"]["schema"]
            told["content"]["application/json"]["schema"] = {
                "anyOf": [schema, told["content"]["application/json"]["schema"]]
            }
        if status == UNAUTHORIZED:
            told = {"description": f"No key, or a wrong one: without a body. With sign-in: {said_of(codes)}"}
        found[str(status)] = told
    return dict(sorted(found.items()))
