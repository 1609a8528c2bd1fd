"""Fixtures of the fault sweep: each test gets one rig, an app over a tenant of many accounts whose replicas lag."""

from collections.abc import AsyncIterator

import pytest

from rehearsal.rig import app_settings
from rehearsal.storage import Azurite, provision
from rehearsal.tenant import running
from tests.faults.rig import FaultRig
from tests.faults.tenants import TENANTS, seed

BY_ID, INDEX = 290, 295
"""Seconds that replicas lag: by id, and in the index of queries. Just less than the app's replication window of 300."""
OVERRIDES = '{"exchange-mailbox": "warn", "address-not-on-account": "warn", "address-in-use": "warn"}'
"""Rules that would block what Graph itself may refuse: with a warning instead, the request reaches Graph."""


@pytest.fixture
def tenant(request: pytest.FixtureRequest) -> int:
    """Return the index in `TENANTS` of the tenant that the test uses."""
    return int(getattr(request, "param", 0))


@pytest.fixture
async def rig(azurite: Azurite, tenant: int, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FaultRig]:
    storage = azurite.connection_string(azurite.account())
    provision(storage)
    with running(seed()) as double:
        for name, value in double.identity_env.items():
            monkeypatch.setenv(name, value)
        for name, position in TENANTS[tenant].items():
            double.control.set_switch(name, position)
        double.control.set_lag(BY_ID, INDEX)
        settings = app_settings(
            double,
            storage,
            B2B_SWEEP_SCHEDULE="0 */10 * * * *",
            B2B_BREAKER_SHARE="1",
            B2B_INVITATIONS_PER_MINUTE="0",  # a restarted app would wait for seconds of real time
            B2B_GIVE_UP_SECONDS="7200",
            B2B_RULE_OVERRIDES=OVERRIDES,
        )
        with FaultRig(double, storage, settings) as made:
            yield made
            await made.close()
