"""One rig for a test: an app over a tenant of many accounts, whose replicas lag."""

from collections.abc import AsyncIterator

import pytest

from rehearsal.storage import Azurite, provision
from rehearsal.tenant import running
from tests.faults.rig import Rig
from tests.support.world import account, tenant_of

MOST_ACCOUNTS = 4_000
BY_ID, INDEX = 290, 295
"""Seconds that replicas lag behind, just within the app's replication window of 300."""


@pytest.fixture
async def rig(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    storage = azurite.connection_string(azurite.account())
    provision(storage)
    with running(tenant_of(*(account(number) for number in range(MOST_ACCOUNTS)))) as tenant:
        for name, value in tenant.identity_env.items():
            monkeypatch.setenv(name, value)
        tenant.control.set_lag(BY_ID, INDEX)
        made = Rig(
            tenant,
            storage,
            {
                "B2BStorage": storage,
                "GRAPH_BASE_URL": tenant.graph_url,
                "B2B_MODE": "convert",
                "B2B_SWEEP_SCHEDULE": "0 */10 * * * *",
                "B2B_BREAKER_SHARE": "1",
            },
        )
        yield made
        await made.close()
