"""`POST /users`: create an internal account (reference: user-post-users)."""

from typing import Any
from uuid import uuid4

from rehearsal.tenant.directory.schema import COLLECTION, USER
from rehearsal.tenant.directory.store import JSON
from rehearsal.tenant.gateway.routing import Call, Route
from rehearsal.tenant.odata.query import project
from rehearsal.tenant.protocol import errors, permissions
from rehearsal.tenant.protocol.messages import Answer
from rehearsal.tenant.routes.users import WRITABLE, mail_change

CREATED = 201
REQUIRED = ("accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName")


def create_user(call: Call) -> Answer:
    """Create an account. Raises `GraphError` if its name is taken or in no verified domain, or if another object holds
    its mail address.
    """
    given = _given(call.request.body)
    name = str(given["userPrincipalName"])
    domain = name.rpartition("@")[2].lower()
    if domain not in call.tenant.policies.verified_domains:
        raise errors.bad_request(
            "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain "
            "names in your organization.",
            code="Request_BadRequest",
        )
    if call.tenant.directory.user(name) is not None:
        message = "Another object with the same value for property userPrincipalName already exists."
        raise errors.bad_request(message, code="Request_BadRequest")
    now = call.tenant.clock.stamp()
    user = USER.complete(
        {
            "userType": "Member",
            "createdDateTime": now,
            "lastPasswordChangeDateTime": now,
            "signInSessionsValidFromDateTime": now,
            "identities": [{"signInType": "userPrincipalName", "issuer": domain, "issuerAssignedId": name}],
            **{key: value for key, value in given.items() if key != "passwordProfile"},
            "id": str(uuid4()),
        }
    )
    user |= mail_change(call, user, user["mail"])
    call.tenant.directory.add_user(user)
    return Answer(CREATED, {"@odata.context": call.context("users/$entity"), **project(user, USER, None)})


def _given(body: Any) -> JSON:
    if not isinstance(body, dict):
        raise errors.malformed("Unable to read JSON request payload. Please ensure it is valid JSON.")
    for name, value in body.items():
        if name not in USER.properties and name != "passwordProfile":
            raise errors.unknown_property(name, "user")
        if name not in WRITABLE and name not in REQUIRED:
            raise errors.malformed(f"Property '{name}' is read-only and cannot be set.")
        if name in USER.properties and USER.properties[name].endswith(COLLECTION) != isinstance(value, list):
            raise errors.malformed(f"Property '{name}' has the wrong type.")
    for name in REQUIRED:
        if body.get(name) is None:
            raise errors.malformed(f"A value is required for property '{name}' of resource 'User'.")
    if not (isinstance(body["passwordProfile"], dict) and body["passwordProfile"].get("password")):
        raise errors.malformed("The specified password does not comply with password complexity requirements.")
    return dict(body)


ROUTES = (Route("POST", "/users", create_user, permissions.USERS_WRITE),)
