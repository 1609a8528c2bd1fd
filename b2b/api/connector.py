"""Describe the API in OpenAPI 2.0 with the extensions of Power Platform connectors.

The description is made from the same tables as that in OpenAPI 3.1. The rules for connectors:
https://learn.microsoft.com/connectors/custom-connectors/coding-standards,
https://learn.microsoft.com/connectors/custom-connectors/connector-string-guidance and
https://learn.microsoft.com/connectors/custom-connectors/openapi-extensions
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from b2b.api.answers import Accepted, Problem, RequestStatus
from b2b.api.openapi import ABOUT, PARAMETERS, TITLE, UNAUTHORIZED, VERSION, by_status, roles_of, said_of
from b2b.api.route import Parameter, Route
from b2b.api.schemas import components

JSON = dict[str, Any]
HOST: Final = "b2b.contoso.com"
"""A placeholder, to be replaced by the app's host name when the file is imported."""
IMPORTANT: Final = frozenset(
    {"invitedUser", "userPrincipalName", "requestId", "reason", "approvedBy", "refusedBy", "stage", "waiting", "part"}
)
"""The fields that a maker of flows sees first. The others appear after *Show advanced options*."""
TOP: Final = frozenset({"SubmitRequest", "RequestStatus", "ListRequests", "ApproveRequest"})
"""The operations at the top of the connector's list."""
_FOLLOWED = "The request, once it waits for a person or has ended."
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def document(routes: Iterable[Route]) -> JSON:
    """Return the description of the API for a custom connector."""
    paths: dict[str, JSON] = {}
    for route in routes:
        if route.in_connector:
            paths.setdefault(f"/{route.path}", {})[route.method.lower()] = _operation(route)
    return {
        "swagger": "2.0",
        "info": {
            "title": TITLE,
            "version": VERSION,
            "description": ABOUT,
            "contact": {"name": "The operator of this app", "url": f"https://{HOST}"},
        },
        "host": HOST,
        "basePath": "/api",
        "schemes": ["https"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": paths,
        "securityDefinitions": {"functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"}},
        "security": [{"functionKey": []}],
    }


def parse_json_schema() -> JSON:
    """Return the schema of a request's status for the action *Parse JSON*, which takes no references."""
    return _whole(RequestStatus, _plain)


def title_of(name: str) -> str:
    """Return a camelCase name in title case, as in *Invited User*."""
    return " ".join(word[0].upper() + word[1:] for word in _WORDS.findall(name))


def _operation(route: Route) -> JSON:
    parameters = [_in_path(name) for name in route.parameters] + [_in_query(each) for each in route.query]
    if route.body:
        parameters.append(
            {
                "name": "body",
                "in": "body",
                "required": route.body.required,
                "description": route.body.text,
                "x-ms-summary": "Body",
                "schema": _whole(route.body.kind, _swagger),
            }
        )
    return {
        "operationId": route.operation_id,
        "summary": route.summary,
        "description": f"{route.text} {roles_of(route)}",
        "x-ms-visibility": "important" if route.operation_id in TOP else "advanced",
        **({"x-ms-pageable": {"nextLinkName": "nextLink"}} if route.paged else {}),
        "parameters": parameters,
        "responses": _responses(route),
    }


def _in_path(name: str) -> JSON:
    text, schema = PARAMETERS[name]
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": text,
        **schema,
        "x-ms-summary": title_of(name),
        "x-ms-url-encoding": "single",
        "x-ms-visibility": "important",
    }


def _in_query(parameter: Parameter) -> JSON:
    return {
        "name": parameter.name,
        "in": "query",
        "required": False,
        "description": parameter.text,
        "type": "integer" if parameter.kind is int else "string",
        **({"enum": parameter.choices} if parameter.choices else {}),
        **parameter.more,
        "x-ms-summary": title_of(parameter.name),
        "x-ms-visibility": "important" if parameter.name in IMPORTANT else "advanced",
    }


def _responses(route: Route) -> JSON:
    found: dict[str, JSON] = {
        str(status): {"description": route.text, "schema": _whole(kind, _swagger)}
        for status, kind in route.answers.items()
    }
    if route.answers.get(202) is Accepted:
        # Logic Apps and Power Automate follow Location on their own, so their action returns the request, not the 202.
        found["200"] = {
            "description": _FOLLOWED,
            "schema": _whole(RequestStatus, _swagger),
        }
    for status, codes in by_status(route.errors).items():
        told: JSON = {"description": said_of(codes)}
        if str(status) not in found and status != UNAUTHORIZED:
            told["schema"] = _whole(Problem, _swagger)
        found[str(status)] = told
    found["default"] = {"description": "Any other error."}
    return dict(sorted(found.items()))


def _whole(kind: type[msgspec.Struct], write: Any) -> JSON:
    """Return the schema of a struct, with every reference replaced by the schema that it refers to."""
    known = components([kind])
    schema: JSON = write(_inlined(known[kind.__name__], known))
    return schema


def _inlined(schema: Any, known: Mapping[str, JSON]) -> Any:
    if isinstance(schema, list):
        return [_inlined(each, known) for each in schema]
    if not isinstance(schema, dict):
        return schema
    own = {name: _inlined(value, known) for name, value in schema.items() if name != "$ref"}
    if "$ref" in schema:
        return {**_inlined(known[schema["$ref"].rpartition("/")[2]], known), **own}
    choices = own.pop("anyOf", [])
    if choices:
        (other,) = (each for each in choices if each != {"type": "null"})
        return {**other, **own, "type": [other["type"], "null"]}
    return own


def _plain(schema: Any) -> Any:
    """Return a schema for *Parse JSON*: without formats, and with null among the values of an enum that may be null."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    left = {name: _plain(value) for name, value in schema.items() if name != "format"}
    if isinstance(left.get("type"), list) and "enum" in left:
        left["enum"] = [*left["enum"], None]
    return left


def _swagger(schema: Any, name: str = "") -> Any:
    """Return a schema in OpenAPI 2.0, with the titles that connectors need. ``name``: the field that it describes."""
    left = {key: value for key, value in schema.items() if key not in {"title", "properties", "items"}}
    if isinstance(left.get("type"), list):
        left["type"], left["x-nullable"] = left["type"][0], True
    if name:
        left["x-ms-summary"] = title_of(name)
        left["x-ms-visibility"] = "important" if name in IMPORTANT else "advanced"
    if "properties" in schema:
        left["properties"] = {each: _swagger(value, each) for each, value in schema["properties"].items()}
    if "items" in schema:
        left["items"] = _swagger(schema["items"])
    if not left.get("required", True):
        del left["required"]
    return left
