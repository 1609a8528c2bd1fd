"""Write the tables of docs/reference/api.md: routes, roles, and the fields of a request's status."""

from typing import Any

import msgspec

from b2b.api.answers import RequestStatus
from b2b.api.callers import ANY, MEANING, Role
from b2b.api.route import Route
from b2b.api.routes import ROUTES
from reference.tables import coded, table


def routes() -> str:
    """Return the table of routes: what each does, its body, its answers, and which roles may call it."""
    rows = [
        [coded(_address(route)), route.text, _taken(route), ", ".join(map(str, route.answers)), _roles(route)]
        for route in ROUTES
    ]
    also = [
        [coded(f"OPTIONS /api/{route.path}"), "Lets a sender of CloudEvents deliver here.", "-", "200", _roles(route)]
        for route in ROUTES
        if route.options
    ]
    return table(["route", "what it does", "body", "answers", "roles"], [*rows, *also])


def roles() -> str:
    """Return the table of roles: what the holder of each may do."""
    return table(["role", "its holder may"], [[coded(role), MEANING[role]] for role in Role])


def status() -> str:
    """Return the table of the fields of a request's status."""
    schema: dict[str, Any] = msgspec.json.schema(RequestStatus)["$defs"][RequestStatus.__name__]
    required = set(schema["required"]) | {name for name, field in schema["properties"].items() if "default" in field}
    return table(
        ["field", "meaning", "there"],
        [
            [coded(name), field["description"], "always" if name in required else "where there is something to say"]
            for name, field in schema["properties"].items()
        ],
    )


def _address(route: Route) -> str:
    query = "&".join(f"{parameter.name}=" for parameter in route.query)
    return f"{route.method} /api/{route.path}{'?' if query else ''}{query}"


def _taken(route: Route) -> str:
    return route.body.text if route.body else "-"


def _roles(route: Route) -> str:
    return "any" if route.roles == ANY else ", ".join(coded(role) for role in Role if role in route.roles)
