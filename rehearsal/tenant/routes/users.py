"""Routes for users: read, list, count, change, delete, restore."""

from typing import Any

from rehearsal.tenant.directory.addresses import asked_addresses, holders
from rehearsal.tenant.directory.mailboxes import has_mailbox, may_be_unlicensed
from rehearsal.tenant.directory.schema import COLLECTION, USER, words
from rehearsal.tenant.directory.store import JSON
from rehearsal.tenant.gateway.routing import Call, Route, ok
from rehearsal.tenant.odata.query import READ_MANY, READ_ONE, project
from rehearsal.tenant.protocol import errors, permissions
from rehearsal.tenant.protocol.messages import Answer
from rehearsal.tenant.routes.listing import listing
from rehearsal.tenant.routes.relations import expand

NO_CONTENT = 204
WRITABLE = words(
    "accountEnabled ageGroup businessPhones city companyName consentProvidedForMinor country department displayName",
    "employeeHireDate employeeId employeeType faxNumber givenName jobTitle mail mailNickname mobilePhone",
    "officeLocation onPremisesImmutableId otherMails passwordPolicies postalCode preferredDataLocation",
    "preferredLanguage showInAddressList state streetAddress surname usageLocation userPrincipalName userType",
)
MASTERED_ON_PREMISES = WRITABLE - {"usageLocation", "otherMails", "preferredDataLocation", "passwordPolicies"}


def list_users(call: Call) -> Answer:
    """GET /users."""
    asked = asked_addresses(call.options.given.get("$filter", ""))
    users = call.directory.users.values() if asked is None else call.directory.users_holding(asked)
    return listing(call, users, USER, "users", shape=lambda user: _shown(call, user))


def list_deleted_users(call: Call) -> Answer:
    """GET /directory/deletedItems/microsoft.graph.user."""
    asked = asked_addresses(call.options.given.get("$filter", ""))
    users = call.directory.deleted_users.values() if asked is None else call.directory.deleted_users_holding(asked)
    return listing(call, users, USER, "users")


def get_user(call: Call) -> Answer:
    """GET /users/{id or UPN}."""
    return _answer(call, _existing(call))


def _answer(call: Call, user: JSON) -> Answer:
    shown = _shown(call, project(user, USER, call.options.names))
    body = {"@odata.context": call.context(call.selected("users") + "/$entity"), **shown}
    return ok(body | expand(call, user))


def count_users(call: Call) -> Answer:
    """GET /users/$count. Raises `GraphError` without the header `ConsistencyLevel: eventual`."""
    if not call.options.eventual:
        raise errors.bad_request(
            "$count is not currently supported.", code="Request_BadRequest", violation="unsupported-query"
        )
    return Answer(200, len(call.directory.users), {"Content-Type": "text/plain"})


def update_user(call: Call) -> Answer:
    """PATCH /users/{id or UPN}."""
    user = _existing(call)
    changes = _changes(call.request.body)
    _refuse_foreign_authority(call, user, changes)
    if "mail" in changes:
        changes |= mail_change(call, user, changes["mail"])
    call.tenant.directory.update_user(user["id"], changes)
    return Answer(NO_CONTENT)


def delete_user(call: Call) -> Answer:
    """DELETE /users/{id or UPN}: move the user to the recycle bin."""
    user = _existing(call)
    prefix = user["id"].replace("-", "") if call.tenant.switches["deleted-upn"] == "prefixed" else ""
    call.tenant.directory.delete_user(user["id"], prefix + user["userPrincipalName"])
    return Answer(NO_CONTENT)


def get_deleted(call: Call) -> Answer:
    """GET /directory/deletedItems/{id}."""
    user = _deleted(call)
    context = call.context("directoryObjects/$entity")
    return ok(
        {"@odata.context": context, "@odata.type": "#microsoft.graph.user", **project(user, USER, call.options.names)}
    )


def purge_deleted(call: Call) -> Answer:
    """DELETE /directory/deletedItems/{id}: delete the user permanently."""
    call.tenant.directory.purge_user(_deleted(call)["id"])
    return Answer(NO_CONTENT)


def restore_deleted(call: Call) -> Answer:
    """POST /directory/deletedItems/{id}/restore."""
    user = call.tenant.directory.restore_user(_deleted(call)["id"])
    context = call.context("directoryObjects/$entity")
    return ok({"@odata.context": context, "@odata.type": "#microsoft.graph.user", **project(user, USER, None)})


def _shown(call: Call, user: JSON) -> JSON:
    if call.tenant.switches["selected-properties"] == "all":
        return user
    return {name: value for name, value in user.items() if value not in (None, [])}


def get_user_in_parentheses(call: Call) -> Answer:
    """GET /users('{id or UPN}'): accepts a name that begins with a dollar sign, unlike the plain path."""
    return _answer(call, _found(call, call.params["id"].replace("''", "'")))


def _existing(call: Call) -> JSON:
    if call.params["id"].startswith("$"):
        raise errors.bad_request(
            "The request URI is not valid. Since the segment 'users' refers to a collection, this must be the last "
            "segment in the request URI or it must be followed by an function or action that can be bound to it "
            "otherwise all intermediate segments must refer to a single resource."
        )
    return _found(call, call.params["id"])


def _found(call: Call, name: str) -> JSON:
    user = call.directory.user(name)
    if user is None:
        raise errors.resource_not_found(name)
    return user


def _deleted(call: Call) -> JSON:
    user = call.directory.deleted_users.get(call.params["id"].lower())
    if user is None:
        raise errors.resource_not_found(call.params["id"])
    return user


def _changes(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict) or not body:
        raise errors.malformed("A PATCH needs at least one property.")
    for name, value in body.items():
        if name not in USER.properties:
            raise errors.unknown_property(name, "user")
        if name not in WRITABLE:
            message = f"Property '{name}' is read-only and cannot be set."
            raise errors.bad_request(message, code="Request_BadRequest", violation="malformed-request")
        if USER.properties[name].endswith(COLLECTION) != isinstance(value, list):
            raise errors.malformed(f"Property '{name}' has the wrong type.")
    return dict(body)


def _refuse_foreign_authority(call: Call, user: JSON, changes: dict[str, Any]) -> None:
    if user["onPremisesSyncEnabled"] and MASTERED_ON_PREMISES & changes.keys():
        message = (
            "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects "
            "currently undergoing migration."
        )
        raise errors.bad_request(message, code="Request_BadRequest")
    open_to_graph = call.tenant.switches["unlicensed-mailbox"] == "open"
    unlicensed = not open_to_graph and may_be_unlicensed(user, call.tenant.policies.verified_domains)
    if "mail" in changes and (has_mailbox(user) or unlicensed):
        message = (
            "Unable to update the specified properties for objects that have originated within an external service."
        )
        raise errors.bad_request(message, code="Request_BadRequest")


def mail_change(call: Call, user: JSON, mail: str | None) -> JSON:
    """Return the `proxyAddresses` that follow from setting `mail`.

    The new mail address becomes the primary address, unless a contact holds it.

    Raises:
        GraphError: another user (deleted or not) or a group holds the address.
    """
    kept = [address for address in user["proxyAddresses"] if not address.startswith("SMTP:")]
    if not mail:
        return {"proxyAddresses": kept}
    directory = call.tenant.directory
    found = [*directory.users_holding([mail]), *directory.deleted_users_holding([mail])]
    if any(holder["id"] != user["id"] for holder in found) or holders(directory.groups.values(), mail):
        message = "Another object with the same value for property proxyAddresses already exists."
        raise errors.bad_request(message, code="Request_BadRequest")
    if holders(directory.contacts.values(), mail):
        return {}
    return {"proxyAddresses": [f"SMTP:{mail}", *(a for a in kept if a.lower() != f"smtp:{mail.lower()}")]}


_BIN = "/directory/deletedItems"

ROUTES = (
    Route("GET", "/users", list_users, permissions.USERS_READ, READ_MANY, cost=2),
    Route("GET", "/users/$count", count_users, permissions.USERS_READ),
    Route("GET", "/users/{id}", get_user, permissions.USERS_READ, READ_ONE | {"$expand"}),
    Route("GET", "/users('{id}')", get_user_in_parentheses, permissions.USERS_READ, READ_ONE),
    Route("PATCH", "/users/{id}", update_user, permissions.USERS_WRITE),
    Route("DELETE", "/users/{id}", delete_user, permissions.USERS_WRITE),
    Route("GET", f"{_BIN}/microsoft.graph.user", list_deleted_users, permissions.DELETED_USERS_READ, READ_MANY),
    Route("GET", f"{_BIN}/graph.user", list_deleted_users, permissions.DELETED_USERS_READ, READ_MANY),
    Route("GET", f"{_BIN}/{{id}}", get_deleted, permissions.DELETED_USERS_READ, READ_ONE),
    Route("DELETE", f"{_BIN}/{{id}}", purge_deleted, permissions.USERS_RESTORE),
    Route("POST", f"{_BIN}/{{id}}/restore", restore_deleted, permissions.USERS_RESTORE),
)
