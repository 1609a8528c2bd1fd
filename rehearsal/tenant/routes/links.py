"""What a user is linked to: manager, sponsors, owned objects and registered devices; and changes of groups by `$ref`.

A read is answered by the same replica as a read of the user. A write goes to the primary and into the log.
"""

from collections.abc import Iterable
from typing import Any

from rehearsal.tenant.directory.store import JSON
from rehearsal.tenant.gateway.routing import Call, Handler, Route, ok
from rehearsal.tenant.protocol import errors, permissions
from rehearsal.tenant.protocol.messages import Answer
from rehearsal.tenant.routes.relations import check_names, holder_of, shown

NO_CONTENT = 204
PAGED = frozenset({"$select", "$top", "$count", "$skiptoken"})


def manager(call: Call) -> Answer:
    """GET /users/{id}/manager; 404 if the user has none."""
    _refuse_applications(call)
    key = call.directory.managers.get(holder_of(call)["id"].lower(), "")
    found = call.directory.users.get(key)
    if found is None:
        raise errors.resource_not_found("manager")
    check_names(call, "user")
    context = call.context(call.selected("directoryObjects") + "/$entity")
    return ok({"@odata.context": context, **shown(call, "user", found)})


def sponsors(call: Call) -> Answer:
    """GET /users/{id}/sponsors: the users and groups that are responsible for a guest."""
    directory = call.directory
    keys = directory.sponsors.get(holder_of(call)["id"].lower(), [])
    users = (("user", directory.users[key]) for key in keys if key in directory.users)
    groups = (("group", directory.groups[key]) for key in keys if key in directory.groups)
    return _collection(call, [*users, *groups])


def linked(field: str) -> Handler:
    """Return the handler of a relation that the directory keeps with the user, with the type of each object."""

    def serve(call: Call) -> Answer:
        _refuse_applications(call)
        key = holder_of(call)["id"].lower()
        kept: list[JSON] = getattr(call.directory, field).get(key, [])
        return _collection(call, ((thing["type"], thing["object"]) for thing in kept))

    return serve


def add_member(call: Call) -> Answer:
    """POST /groups/{id}/members/$ref."""
    group = _group(call)
    body = call.request.body
    reference = body.get("@odata.id") if isinstance(body, dict) else None
    if not isinstance(reference, str):
        raise errors.malformed("A reference needs @odata.id.")
    member = reference.rpartition("/")[2].lower()
    if member not in call.tenant.directory.users:
        raise errors.resource_not_found(member)
    held = call.tenant.directory.parents.get(member, [])
    if group in held:
        message = "One or more added object references already exist for the following modified properties: 'members'."
        raise errors.bad_request(message, code="Request_BadRequest")
    call.tenant.directory.relate(member, "parents", [*held, group])
    return Answer(NO_CONTENT)


def remove_member(call: Call) -> Answer:
    """DELETE /groups/{id}/members/{member}/$ref."""
    group, member = _group(call), call.params["member"].lower()
    held = call.tenant.directory.parents.get(member, [])
    if group not in held:
        raise errors.resource_not_found(member)
    call.tenant.directory.relate(member, "parents", [each for each in held if each != group])
    return Answer(NO_CONTENT)


def remove_app_role(call: Call) -> Answer:
    """DELETE /users/{id}/appRoleAssignments/{assignment}."""
    key = holder_of(call)["id"].lower()
    held = call.tenant.directory.app_role_assignments.get(key, [])
    kept = [each for each in held if each["id"] != call.params["assignment"]]
    if len(kept) == len(held):
        raise errors.resource_not_found(call.params["assignment"])
    call.tenant.directory.relate(key, "app_role_assignments", kept)
    return Answer(NO_CONTENT)


def _refuse_applications(call: Call) -> None:
    """Refuse if the switch says so: sources disagree whether Graph serves these relations to applications."""
    if call.tenant.switches["relations-for-applications"] == "refused":
        raise errors.denied()


def _group(call: Call) -> str:
    key = call.params["id"].lower()
    if key not in call.tenant.directory.groups:
        raise errors.resource_not_found(call.params["id"])
    return key


def _collection(call: Call, found: Iterable[tuple[str, JSON]]) -> Answer:
    check_names(call, None)
    page = call.paging().page(list(found), call.options, lambda pair: shown(call, *pair))
    return ok({"@odata.context": call.context(call.selected("directoryObjects")), **page})


def _read(name: str, handler: Any, options: frozenset[str] = PAGED) -> Route:
    return Route("GET", f"/users/{{id}}/{name}", handler, permissions.USERS_READ, options, cost=2)


ROUTES = (
    _read("manager", manager, frozenset({"$select"})),
    _read("sponsors", sponsors),
    _read("ownedObjects", linked("owned_objects")),
    _read("registeredDevices", linked("registered_devices")),
    Route("POST", "/groups/{id}/members/$ref", add_member, permissions.GROUP_MEMBERS_WRITE),
    Route("DELETE", "/groups/{id}/members/{member}/$ref", remove_member, permissions.GROUP_MEMBERS_WRITE),
    Route("DELETE", "/users/{id}/appRoleAssignments/{assignment}", remove_app_role, permissions.APP_ROLES_WRITE),
)
