"""Remove from an answer everything that names a person, an account or the tenant, and keep the answer's shape."""

import re
from collections.abc import Collection
from typing import Any

KEPT = frozenset(
    {
        "capabilityStatus",
        "creationType",
        "externalUserState",
        "invitedUserType",
        "resetRedemption",
        "sendInvitationMessage",
        "signInType",
        "status",
        "userType",
    }
)
"""Properties whose values are fixed words of Graph and name nobody."""
DEPTH = 6
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
_GUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_LINK = re.compile(r"https?://\S+")
_LONG = re.compile(r"[A-Za-z0-9+/_=-]{32,}")


def text(raw: str, names: Collection[str]) -> str:
    """Return a text without links, addresses, ids, long secrets and the given names."""
    for pattern, mark in ((_LINK, "<link>"), (_ADDRESS, "<address>"), (_GUID, "<id>"), (_LONG, "<secret>")):
        raw = pattern.sub(mark, raw)
    for name in sorted(names, key=len, reverse=True):
        raw = re.sub(re.escape(name), "<name>", raw, flags=re.IGNORECASE)
    return raw


def shape(value: Any, depth: int = 0) -> Any:
    """Return the shape of a JSON value: the properties with their types. A list shows only its first element."""
    if isinstance(value, dict):
        if depth == DEPTH:
            return "object"
        return {name: _member(name, inner, depth) for name, inner in sorted(value.items())}
    if isinstance(value, list):
        return [shape(value[0], depth + 1)] if value else []
    return "null" if value is None else type(value).__name__


def _member(name: str, value: Any, depth: int) -> Any:
    return value if name in KEPT and isinstance(value, str | bool | None) else shape(value, depth + 1)
