"""The header with which App Service authentication describes a caller."""

import base64
import json
from typing import Any

ANNA = "0a000000-0000-4000-8000-0000000000a1"
BORIS = "0a000000-0000-4000-8000-0000000000b2"
FLOW = "0a000000-0000-4000-8000-0000000000f3"
"""The object id of a Logic App's managed identity."""
LONG = "http://schemas.microsoft.com/identity/claims/"
SUBJECT = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"


def claim(kind: str, value: Any) -> dict[str, Any]:
    return {"typ": kind, "val": value}


def encoded(document: Any) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


def principal(*roles: str, object_id: str = ANNA, subject: str = "pairwise", **more: Any) -> dict[str, Any]:
    claims = [
        claim(f"{LONG}objectidentifier", object_id),
        claim(SUBJECT, subject),
        *(claim("roles", role) for role in roles),
    ]
    return {"auth_typ": "aad", "claims": claims, "name_typ": "name", "role_typ": "roles", **more}


def person(*roles: str, object_id: str = ANNA) -> dict[str, str]:
    """Return the header of a signed-in person."""
    return {"x-ms-client-principal": encoded(principal(*roles, object_id=object_id))}


def application(*roles: str, object_id: str = FLOW) -> dict[str, str]:
    """Return the header of an application, whose token has its own object id as subject."""
    return {"x-ms-client-principal": encoded(principal(*roles, object_id=object_id, subject=object_id))}
