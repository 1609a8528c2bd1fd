"""The managed identity: its credential, and the tenant and app roles that its Graph token names."""

import base64
import binascii
import json

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.identity.aio import ManagedIdentityCredential

from b2b.domain.errors import Transient
from b2b.domain.readings import Claims

GRAPH_SCOPE = "https://graph.microsoft.com/.default"


class Identity:
    """The managed identity and its Graph token. The SDK caches tokens, so asking often costs nothing."""

    def __init__(self, client_id: str, scope: str = GRAPH_SCOPE) -> None:
        """Use a user-assigned identity, or the system-assigned one if ``client_id`` is empty.

        ``scope`` is the scope of the token that `claims` reads.
        """
        self._scope = scope
        self.credential: AsyncTokenCredential = ManagedIdentityCredential(client_id=client_id or None)

    async def claims(self) -> Claims:
        """Return the tenant and the app roles that the Graph token names.

        A token is opaque by contract, so nothing that matters for safety depends on its content. The tenant id
        completes sign-in addresses, and the health endpoint shows the roles.

        Raises:
            Transient: the identity endpoint returned no token, or one that cannot be read. Try again later.

        """
        try:
            token = (await self.credential.get_token(self._scope)).token
        except AzureError as error:
            raise Transient("identity", f"no token: {type(error).__name__}") from error
        try:
            payload = token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            return Claims(claims["tid"], frozenset(claims.get("roles", ())))
        except (IndexError, KeyError, TypeError, ValueError, binascii.Error) as error:
            raise Transient("identity", "the token names no tenant") from error

    async def aclose(self) -> None:
        """Close the connection to the identity endpoint."""
        await self.credential.close()
