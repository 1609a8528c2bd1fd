"""The app without any key: host, queue, tables and Graph all use the managed identity."""

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from rehearsal.host.process import wait_until
from rehearsal.storage import QUEUES, TABLES, Azurite
from rehearsal.tenant import running
from tests.host.rig import mails, request, seed, started

CLIENT_ID = "7d7a5b8c-0000-4000-8000-000000000001"


@pytest.fixture
def keyless() -> Azurite:
    """Return an Azurite that uses https and accepts tokens."""
    return Azurite(oauth=True)


def test_without_connection_strings_a_request_is_invited(keyless: Azurite) -> None:
    with keyless as azurite, running(seed(1)) as tenant:
        trusted = {"connection_verify": str(azurite.certificate)}
        with QueueServiceClient.from_connection_string(azurite.connection_string(), **trusted) as queues:
            for name in QUEUES:
                queues.create_queue(name).close()
        with TableServiceClient.from_connection_string(azurite.connection_string(), **trusted) as tables:
            for name in TABLES:
                tables.create_table(name).close()
        settings = {
            "B2BStorage": None,
            "B2BStorage__queueServiceUri": azurite.endpoint("queue"),
            "B2BStorage__tableServiceUri": azurite.endpoint("table"),
            "B2BStorage__credential": "managedidentity",
            "B2BStorage__clientId": CLIENT_ID,
            "AZURE_CLIENT_ID": CLIENT_ID,
            "SSL_CERT_FILE": str(azurite.certificate),
        }
        with started(tenant, "", settings) as app:
            wait_until(lambda: app.call("GET", "/api/health").status_code == 200, 10, "a healthy app")
            assert app.submit(request(0, requestId="keyless")).status_code == 202
            assert app.settled("keyless") == ["invited"]
            assert len(mails(app, 0)) == 1
