"""Read the storage connection from the environment: a connection string, or endpoints for the managed identity."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from b2b import readers
from b2b.domain.errors import SettingsError

SECRET = re.compile(r"key=|sig=|signature=|://[^/]*@", re.IGNORECASE)
"""Matches a value that may contain a secret. An error about a setting does not repeat such a value."""
STORAGE = "B2BStorage"
"""The name of the storage connection: a connection string, or the prefix of the identity-based settings."""


@dataclass(frozen=True)
class Storage:
    """The storage connection: a connection string, or two endpoints with the client id of a managed identity."""

    connection_string: str = ""
    queue_uri: str = ""
    table_uri: str = ""
    client_id: str = ""


STORAGE_SETTINGS: dict[str, str] = {
    STORAGE: "connection string of the storage account with queues and tables; or the four that follow",
    f"{STORAGE}__queueServiceUri": "identity-based instead: `https://<account>.queue.core.windows.net`",
    f"{STORAGE}__tableServiceUri": "`https://<account>.table.core.windows.net`",
    f"{STORAGE}__credential": "`managedidentity`",
    f"{STORAGE}__clientId": "client id of a user-assigned identity",
}
"""The settings of both forms of the storage connection, which the Functions host reads too, with their meaning."""


def storage_of(environment: Mapping[str, str]) -> Storage:
    """Return the storage connection. No error repeats a value, because a key may be in the wrong setting.

    Raises:
        SettingsError: a setting is missing or wrong. The error names it.

    """
    if connection_string := environment.get(STORAGE, "").strip():
        return Storage(connection_string=read(STORAGE, connection_string, readers.connection_string))
    queue_uri, table_uri = (
        environment.get(f"{STORAGE}__{service}ServiceUri", "").strip() for service in ("queue", "table")
    )
    if not queue_uri and not table_uri:
        raise SettingsError(
            STORAGE, f"missing: a connection string, or {STORAGE}__queueServiceUri and {STORAGE}__tableServiceUri"
        )
    for service, uri in (("queue", queue_uri), ("table", table_uri)):
        if urlsplit(uri).scheme != "https" or not urlsplit(uri).hostname:
            raise SettingsError(f"{STORAGE}__{service}ServiceUri", "expected an https address")
    if environment.get(f"{STORAGE}__credential", "").strip() not in {"", "managedidentity"}:
        raise SettingsError(f"{STORAGE}__credential", "expected managedidentity")
    client_id = environment.get(f"{STORAGE}__clientId", "").strip() or environment.get("AZURE_CLIENT_ID", "").strip()
    return Storage(queue_uri=queue_uri, table_uri=table_uri, client_id=client_id)


def read(name: str, text: str, reader: Callable[[str], Any]) -> Any:
    """Return the value of one setting, read from its text.

    Raises:
        SettingsError: the text is wrong. The error names the setting and what was expected.

    """
    try:
        return reader(text)
    except ValueError as error:
        said = str(error).partition(", got")[0] if SECRET.search(text) else str(error)
        raise SettingsError(name, said) from None
