"""Storage for every test that needs it: one Azurite per run, one account per test."""

from collections.abc import Iterator

import pytest

from rehearsal.storage import Azurite, provision

ACCOUNTS = 1000


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One Azurite process for the whole run, started when the first test asks for it."""
    with Azurite(accounts=ACCOUNTS) as running:
        yield running


@pytest.fixture
def storage(azurite: Azurite) -> str:
    """The connection string of an account that no other test sees, with the app's queues and tables in it."""
    connection_string = azurite.connection_string(azurite.account())
    provision(connection_string)
    return connection_string
