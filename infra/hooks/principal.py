"""Find out whether a person or an application deploys. azd passes only the deployer's object id to Bicep."""

import base64
import binascii
import json
from typing import Any

from infra.hooks.errors import HookError

PERSON, OTHER = "User", "ServicePrincipal"


def kind_of(token: str) -> str:
    """Return the kind of principal that an Azure access token was issued to, in the words of role assignments.

    The claim `idtyp` names the kind if the token has that claim. Otherwise the claim `scp` (delegated permissions)
    decides, because only a token for a person has it.

    Raises:
        HookError: the text is not a token. The error does not repeat the text, and says how to sign in again.

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
