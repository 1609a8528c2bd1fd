"""One host in convert mode for all tests that leave it as it is; each test has accounts of its own."""

from collections.abc import Iterator

import pytest

from rehearsal.storage import Azurite, provision
from tests.host.rig import Rig, rig


@pytest.fixture(scope="session")
def converting(azurite: Azurite) -> Iterator[Rig]:
    """The app in convert mode."""
    storage = azurite.connection_string(azurite.account())
    provision(storage)
    with rig(storage) as running:
        yield running
