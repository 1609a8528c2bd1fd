"""Sign in with the Azure CLI, with a managed identity, or as an application with a certificate."""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import AzureError
from azure.identity import AzureCliCredential, CertificateCredential, ManagedIdentityCredential

from probe.clock import Clock
from probe.errors import ProbeError

FORMS = "az, managed-identity, managed-identity:CLIENT-ID or certificate:TENANT-ID:CLIENT-ID:FILE"
PASSWORD = "PROBE_CERTIFICATE_PASSWORD"  # noqa: S105 - the name of a variable
EARLY_SECONDS = 300
"""A token is renewed this many seconds before it expires."""
Who = Literal["application", "person", "unknown"]


@dataclass(frozen=True, slots=True)
class Cloud:
    """One of Microsoft's clouds, with the addresses of its Graph and of its sign-in."""

    graph: str
    authority: str


CLOUDS: Mapping[str, Cloud] = {
    "public": Cloud("https://graph.microsoft.com", "login.microsoftonline.com"),
    "us-government": Cloud("https://graph.microsoft.us", "login.microsoftonline.us"),
    "us-defense": Cloud("https://dod-graph.microsoft.us", "login.microsoftonline.us"),
    "china": Cloud("https://microsoftgraph.chinacloudapi.cn", "login.chinacloudapi.cn"),
}


def credential(form: str, cloud: Cloud, **options: Any) -> TokenCredential:
    """Return the credential for a form of sign-in. ``options`` are passed to the credential.

    Raises:
        ProbeError: the form is unknown, or the certificate cannot be used.

    """
    kind, _, rest = form.partition(":")
    if form == "az":
        return AzureCliCredential(**options)
    if form == "managed-identity":
        return ManagedIdentityCredential(**options)
    if kind == "managed-identity" and rest:
        return ManagedIdentityCredential(client_id=rest, **options)
    if kind == "certificate" and rest.count(":") >= 2:  # noqa: PLR2004 - a path on Windows has a third
        tenant, client, path = rest.split(":", 2)
        try:
            return CertificateCredential(
                tenant, client, path, password=os.environ.get(PASSWORD), authority=cloud.authority, **options
            )
        except (OSError, ValueError, TypeError) as error:
            raise ProbeError(f"The certificate {path} cannot be used: {_sentence(error)}") from None
    raise ProbeError(f"There is no sign-in {form!r}; the forms are {FORMS}.")


class Session:
    """The token of one identity, and what the token says about the identity."""

    def __init__(self, form: str, source: TokenCredential, cloud: Cloud, clock: Clock) -> None:
        self.form = form
        self._source = source
        self._scope = f"{cloud.graph}/.default"
        self._clock = clock
        self._token: AccessToken | None = None

    def token(self) -> str:
        """Return a token that is valid for at least `EARLY_SECONDS`.

        Raises:
            ProbeError: signing in failed. The text says why.

        """
        if self._token is None or self._token.expires_on - self._clock.now().timestamp() < EARLY_SECONDS:
            try:
                self._token = self._source.get_token(self._scope)
            except AzureError as error:
                raise ProbeError(f"Signing in with {self.form.partition(':')[0]} failed: {_sentence(error)}") from None
        return self._token.token

    def renew(self) -> None:
        """Forget the token."""
        self._token = None

    @property
    def who(self) -> Who:
        """Whether an application or a person has signed in."""
        claims = self._claims()
        if "scp" in claims:
            return "person"
        return "application" if claims.get("idtyp") == "app" or "roles" in claims else "unknown"

    @property
    def permissions(self) -> frozenset[str]:
        """The Graph permissions in the token."""
        claims = self._claims()
        return frozenset([*claims.get("roles", ()), *str(claims.get("scp", "")).split()])

    @property
    def tenant_id(self) -> str | None:
        """The id of the tenant in the token; None if the token cannot be read."""
        found = self._claims().get("tid")
        return str(found) if found else None

    def _claims(self) -> dict[str, Any]:
        """Return the claims of the token. Empty if they cannot be read, because Microsoft may change the format."""
        try:
            part = self.token().split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        except (IndexError, ValueError):
            return {}
        return claims if isinstance(claims, dict) else {}


def _sentence(error: Exception) -> str:
    """Return the first line of an error's text."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".") + "."
