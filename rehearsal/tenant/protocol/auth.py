"""Issue tokens as the managed-identity endpoint does, and check them as Graph does.

The tokens are unsigned. Azurite with `--oauth basic` accepts them too, because it does not check signatures.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import uuid4

from rehearsal.tenant.clock import Clock
from rehearsal.tenant.protocol import errors

GRAPH = "https://graph.microsoft.com"
LIFETIME_SECONDS = 24 * 60 * 60
"""A managed identity's token is valid for about a day, and is cached for that long."""
DEFAULT_CLIENT_ID = "5e0c1a52-6f1f-4f0f-9c35-0d2e7a3b9c11"


def issue(
    resource: str, *, tenant_id: str, client_id: str | None, roles: Iterable[str], clock: Clock
) -> dict[str, str]:
    """Return the answer of the App Service identity endpoint (api-version 2019-08-01) with a token for one resource."""
    now = int(clock.now().timestamp())
    claims: dict[str, Any] = {
        "aud": resource,
        "iss": f"https://sts.windows.net/{tenant_id}/",
        "iat": now,
        "nbf": now - 300,
        "exp": now + LIFETIME_SECONDS,
        "appid": client_id or DEFAULT_CLIENT_ID,
        "idtyp": "app",
        "tid": tenant_id,
        "uti": uuid4().hex,
    }
    if resource.rstrip("/") == GRAPH:
        claims["roles"] = sorted(roles)
    token = ".".join([_encode({"typ": "JWT", "alg": "none"}), _encode(claims), _encode({"unsigned": True})])
    return {
        "access_token": token,
        "expires_on": str(claims["exp"]),
        "resource": resource,
        "token_type": "Bearer",
        "client_id": claims["appid"],
    }


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller according to its token: the application, its permissions, and the process of the application."""

    app_id: str
    roles: frozenset[str]
    process: str


def process_of(headers: Mapping[str, str]) -> str:
    """Return an id of the calling process, or an empty string without a token.

    The id is taken from the token, valid or not, because each process fetches its own.
    """
    token = headers.get("authorization", "").partition(" ")[2]
    try:
        return str(_claims(token).get("uti", ""))
    except errors.GraphError:
        return ""


def caller_of(headers: Mapping[str, str], clock: Clock) -> Caller:
    """Return the caller according to its bearer token.

    Raises `GraphError` (401) if it is missing, foreign or expired.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise errors.unauthorized("Access token is empty.")
    claims = _claims(token)
    if str(claims.get("aud", "")).rstrip("/") not in (GRAPH, "00000003-0000-0000-c000-000000000000"):
        raise errors.unauthorized("Access token validation failure. Invalid audience.")
    if claims.get("exp", 0) <= clock.seconds():
        raise errors.unauthorized("Lifetime validation failed, the token is expired.")
    return Caller(str(claims.get("appid", "")), frozenset(claims.get("roles", ())), str(claims.get("uti", "")))


def _encode(part: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


@lru_cache(maxsize=64)
def _claims(token: str) -> dict[str, Any]:
    try:
        payload = token.split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        raise errors.unauthorized("IDX14100: JWT is not well formed, there are no dots (.).") from None
    return claims
