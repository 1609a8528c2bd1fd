"""Storage with the managed identity: Azurite accepts tokens of the identity endpoint over https."""

from typing import Any

import pytest
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue.aio import QueueServiceClient

from b2b.adapters.identity import Identity
from b2b.adapters.ledger import Ledger
from b2b.adapters.queue import Queue
from b2b.domain.errors import Transient
from rehearsal.storage import QUEUES, TABLES, Azurite
from rehearsal.tenant import running
from tests.adapters.ledger_support import change, record
from tests.rehearsal.tenant_support import SEED


async def test_ledger_and_queue_work_with_the_managed_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    with running(SEED) as tenant, Azurite(oauth=True) as azurite:
        for name, value in tenant.identity_env.items():
            monkeypatch.setenv(name, value)
        identity = Identity("")
        trusted: dict[str, Any] = {"credential": identity.credential, "connection_verify": str(azurite.certificate)}
        tables = TableServiceClient(azurite.endpoint("table"), **trusted)
        queues = QueueServiceClient(azurite.endpoint("queue"), **trusted)
        ledger, queue = Ledger(tables), Queue(queues)
        with pytest.raises(Transient, match="does not exist"):
            await ledger.check()
        for table in TABLES:
            await tables.create_table(table)
        for name in QUEUES:
            await (await queues.create_queue(name)).close()
        await ledger.check()
        await queue.check()
        await queue.send(b"{}", 60)
        written = await ledger.requests.write(change(record(), "requested"))
        assert await ledger.requests.get("r-1") == written
        for opened in (ledger, queue, identity):
            await opened.aclose()
