"""Storage accounts for tests."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from azure.storage.queue import AccountSasPermissions, ResourceTypes, generate_account_sas


def signed(connection_string: str) -> str:
    """Return the connection string with a shared access signature instead of the key.

    A key signs each URL, so a test could not remove the app's delays from the URLs.
    """
    parts = dict(part.split("=", 1) for part in connection_string.split(";") if part)
    signature = generate_account_sas(
        parts["AccountName"],
        parts["AccountKey"],
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(read=True, write=True, delete=True, list=True, add=True, update=True, process=True),
        datetime.now(UTC) + timedelta(days=1),
        services="qt",
    )
    endpoints = "".join(f"{name}={parts[name]};" for name in ("QueueEndpoint", "TableEndpoint"))
    return f"{endpoints}SharedAccessSignature={signature}"


@dataclass
class Message:
    """A queue message that the host holds."""

    id: str
    body: str
    due: datetime
    tries: int = 0
