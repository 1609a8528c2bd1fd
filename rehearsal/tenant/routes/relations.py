"""What a user belongs to and may do: memberships, role assignments, app roles."""

from collections.abc import Mapping
from typing import Any

from rehearsal.tenant.directory.schema import (
    APP_ROLE_ASSIGNMENT,
    COLLECTION,
    DIRECTORY_OBJECTS,
    ROLE_ASSIGNMENT,
    ROLE_ELIGIBILITY,
)
from rehearsal.tenant.directory.store import JSON
from rehearsal.tenant.gateway.routing import Call, Handler, Route, ok
from rehearsal.tenant.odata.query import READ_MANY, project
from rehearsal.tenant.protocol import errors, permissions
from rehearsal.tenant.protocol.messages import Answer
from rehearsal.tenant.routes.listing import listing

EXPAND_CAP = 20
MEMBER_OPTIONS = frozenset({"$select", "$top", "$count", "$skiptoken"})


def memberships(*, transitive: bool, only: str | None = None) -> Handler:
    """Return the handler of memberOf or transitiveMemberOf; `only` is the type that the path casts to, or None."""

    def serve(call: Call) -> Answer:
        user = holder_of(call)
        found = [
            (kind, container)
            for kind, container in call.directory.containers(user["id"], transitive=transitive)
            if only in (None, kind)
        ]
        page = call.paging().page(found, call.options, lambda pair: shown(call, *pair, typed=only is None))
        check_names(call, only)
        fragment = "directoryObjects" if only is None else f"{only}s"
        return ok({"@odata.context": call.context(call.selected(fragment)), **page})

    return serve


def expand(call: Call, user: JSON) -> JSON:
    """Return the relations of a user that `$expand` names."""
    expanded: JSON = {}
    for name in call.options.expansions:
        if name not in ("memberOf", "transitiveMemberOf"):
            raise errors.unknown_option(f"$expand={name}")
        found = list(call.directory.containers(user["id"], transitive=name == "transitiveMemberOf"))
        shown = found[:EXPAND_CAP] if call.tenant.switches["expanded-members"] == "first-20" else found
        expanded[name] = [
            {"@odata.type": f"#microsoft.graph.{kind}", **_visible(call, kind, container, None)}
            for kind, container in shown
        ]
    return expanded


def app_role_assignments(call: Call) -> Answer:
    """GET /users/{id}/appRoleAssignments: those of the user, and those of its direct groups."""
    key, directory = holder_of(call)["id"].lower(), call.directory
    groups = [group["id"].lower() for kind, group in directory.containers(key, transitive=False) if kind == "group"]
    found = [each for holder in (key, *groups) for each in directory.app_role_assignments.get(holder, [])]
    return listing(call, found, APP_ROLE_ASSIGNMENT, "appRoleAssignments")


def role_assignments(call: Call) -> Answer:
    """GET /roleManagement/directory/roleAssignments: active assignments, tenant-wide and scoped."""
    found = call.directory.role_assignments
    return listing(call, found, ROLE_ASSIGNMENT, "roleManagement/directory/roleAssignments")


def role_eligibilities(call: Call) -> Answer:
    """GET /roleManagement/directory/roleEligibilitySchedules, which needs a licence that not every tenant has."""
    if call.tenant.switches["eligibility-licence"] == "absent":
        message = "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."
        raise errors.bad_request(message, code="AadPremiumLicenseRequired")
    found = call.directory.role_eligibilities
    return listing(call, found, ROLE_ELIGIBILITY, "roleManagement/directory/roleEligibilitySchedules")


def holder_of(call: Call) -> JSON:
    """Return the user in the path; 404 if it does not exist."""
    user = call.directory.user(call.params["id"])
    if user is None:
        raise errors.resource_not_found(call.params["id"])
    return user


def check_names(call: Call, only: str | None) -> None:
    """Refuse a selected name that no type of the relation has."""
    types = DIRECTORY_OBJECTS.values() if only is None else (DIRECTORY_OBJECTS[only],)
    for name in call.options.names or ():
        if not any(name in resource.properties for resource in types):
            raise errors.unknown_property(name, only or "directoryObject")


def shown(call: Call, kind: str, thing: JSON, *, typed: bool = True) -> JSON:
    """Return an object of a relation with the properties that this call selects and may read."""
    names = call.options.names
    resource = DIRECTORY_OBJECTS[kind]
    chosen = None if names is None else [name for name in names if name in resource.properties]
    tag = {"@odata.type": f"#microsoft.graph.{kind}"} if typed else {}
    return tag | _visible(call, kind, thing, chosen)


def _visible(call: Call, kind: str, container: JSON, names: list[str] | None) -> JSON:
    """Return an object of a relation. Without the permission for its type all properties but the id are null.

    Source: permissions overview, 'limited information returned for inaccessible member objects'.
    """
    resource = DIRECTORY_OBJECTS[kind]
    shown = project(container, resource, names)
    if call.roles & _needed(call)[kind]:
        return shown
    return {
        name: value if name == "id" else None
        for name, value in shown.items()
        if not resource.properties[name].endswith(COLLECTION)
    }


def _needed(call: Call) -> Mapping[str, frozenset[str]]:
    by_role = call.tenant.switches["role-details"] == "role-permission"
    roles = permissions.ROLES_READ if by_role else permissions.USERS_READ
    return {
        "user": permissions.USERS_READ,
        "group": permissions.GROUPS_READ,
        "directoryRole": roles,
        "application": permissions.APPLICATIONS_READ,
        "servicePrincipal": permissions.APPLICATIONS_READ,
        "device": permissions.DEVICES_READ,
    }


def _member_routes() -> tuple[Route, ...]:
    routes: list[Route] = []
    for relation, transitive in (("memberOf", False), ("transitiveMemberOf", True)):
        path = f"/users/{{id}}/{relation}"
        handler = memberships(transitive=transitive)
        routes.append(Route("GET", path, handler, permissions.USERS_READ, MEMBER_OPTIONS, cost=2))
        for cast in ("group", "directoryRole"):
            for prefix in ("microsoft.graph", "graph"):
                narrowed: Any = memberships(transitive=transitive, only=cast)
                routes.append(
                    Route("GET", f"{path}/{prefix}.{cast}", narrowed, permissions.USERS_READ, MEMBER_OPTIONS, cost=2)
                )
    return tuple(routes)


_ROLES = "/roleManagement/directory"

ROUTES = (
    *_member_routes(),
    Route("GET", "/users/{id}/appRoleAssignments", app_role_assignments, permissions.APP_ROLES_READ, READ_MANY),
    Route("GET", f"{_ROLES}/roleAssignments", role_assignments, permissions.ROLES_READ, READ_MANY),
    Route(
        "GET",
        f"{_ROLES}/roleEligibilitySchedules",
        role_eligibilities,
        permissions.ROLE_ELIGIBILITY_READ,
        READ_MANY,
    ),
)
