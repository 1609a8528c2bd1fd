"""Make signed URLs, with which storage can be used without a key or an SDK."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import TableSasPermissions, generate_table_sas
from azure.storage.queue import QueueSasPermissions, generate_queue_sas

from rehearsal.rig import Rig
from rehearsal.storage import QUEUES

VALID_FOR = timedelta(days=7)
REQUESTS, _ = QUEUES


def messages_url(rig: Rig) -> str:
    """Return the URL to which a message for the queue of requests can be posted."""
    queue = rig.queue(REQUESTS)
    signature = generate_queue_sas(
        str(queue.account_name),
        REQUESTS,
        queue.credential.account_key,
        QueueSasPermissions(add=True),
        expiry=datetime.now(UTC) + VALID_FOR,
    )
    return f"{queue.url}/messages?messagettl=-1&{signature}"


def rows_url(rig: Rig, table: str, query: str) -> str:
    """Return the URL from which the rows of a table that match an OData filter can be read."""
    client = rig.table(table)
    credential = client.credential
    if not isinstance(credential, AzureNamedKeyCredential):
        raise TypeError("the connection string has no key to sign with")
    signature = generate_table_sas(
        credential, table, permission=TableSasPermissions(read=True), expiry=datetime.now(UTC) + VALID_FOR
    )
    return f"{client.url}/{table}()?$filter={quote(query)}&{signature}"
