"""Who deploys: a person, or something else. azd tells the object id to the parameter file, and not the kind."""

import base64
import binascii
import json
from typing import Any

from infra.hooks.errors import HookError

PERSON, OTHER = "User", "ServicePrincipal"


def kind_of(token: str) -> str:
    """Return the kind of principal that an access token of Azure was made for, as role assignments call it.

    `idtyp` says it where the token has it; only a token for a person has `scp`, the permissions that were delegated.

    Raises:
        HookError: the text is no such token. The text itself is never repeated.

    """
    claims = _claims(token)
    if claims.get("idtyp") in {"user", "app"}:
        return PERSON if claims["idtyp"] == "user" else OTHER
    return PERSON if claims.get("scp") else OTHER


def _claims(token: str) -> dict[str, Any]:
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error):
        raise HookError("azd auth token gives something that is not a token: sign in again (azd auth login)") from None
    if not isinstance(claims, dict):
        raise HookError("azd auth token gives something that is not a token: sign in again (azd auth login)")
    return claims
