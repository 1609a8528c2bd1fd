"""`GET /users/delta`: first all users, then by link the changes since then (delta-query-overview article)."""

import base64
import json
from datetime import timedelta

from rehearsal.tenant.directory.schema import USER
from rehearsal.tenant.directory.store import JSON, RELATE, Change
from rehearsal.tenant.gateway.routing import Call, Route, ok
from rehearsal.tenant.odata.query import project
from rehearsal.tenant.protocol import errors, permissions
from rehearsal.tenant.protocol.messages import Answer

LIFETIME = timedelta(days=7)
GONE = 410
REMOVED = {"delete": "changed", "purge": "deleted"}


def users_delta(call: Call) -> Answer:
    """Return all users of a first round, or the changes since the token; the token contains the `$select`."""
    raw = call.options.given.get("$deltatoken")
    if raw is None:
        users = [_shown(user, call.options.names) for user in call.tenant.directory.users.values()]
        return _round(call, users, call.options.names)
    if raw == "latest":
        return _round(call, [], call.options.names)
    token = _read(call, raw)
    changed: dict[str, Change] = {}
    for change in call.tenant.directory.log[token["seen"] :]:
        if change.kind == RELATE:
            continue
        changed[change.id.lower()] = change
    found = [_changed(call, change, token["select"]) for change in changed.values()]
    return _round(call, [entry for entry in found if entry], token["select"])


def _shown(user: JSON, names: list[str] | None) -> JSON:
    return {"id": user["id"], **project(user, USER, names)}


def _changed(call: Call, change: Change, names: list[str] | None) -> JSON | None:
    if change.kind in REMOVED:
        return {"id": change.id, "@removed": {"reason": REMOVED[change.kind]}}
    user = call.tenant.directory.users.get(change.id.lower())
    return None if user is None else _shown(user, names)


def _read(call: Call, raw: str) -> JSON:
    try:
        token: JSON = json.loads(base64.urlsafe_b64decode(raw))
    except ValueError:
        raise errors.malformed("Badly formed token.") from None
    if token["until"] < call.tenant.clock.now().timestamp():
        headers = {"Location": f"{call.request.root}/users/delta?$deltatoken="}
        message = "The delta token has expired; start over."
        raise errors.GraphError(GONE, "syncStateNotFound", message, headers=headers)
    return token


def _round(call: Call, users: list[JSON], names: list[str] | None) -> Answer:
    token = {
        "seen": len(call.tenant.directory.log),
        "select": names,
        "until": (call.tenant.clock.now() + LIFETIME).timestamp(),
    }
    encoded = base64.urlsafe_b64encode(json.dumps(token).encode()).decode()
    link = f"{call.request.root}/users/delta?$deltatoken={encoded}"
    return ok({"@odata.context": call.context("users"), "@odata.deltaLink": link, "value": users})


ROUTES = (
    Route("GET", "/users/delta", users_delta, permissions.USERS_READ, frozenset({"$select", "$deltatoken"}), cost=2),
)
