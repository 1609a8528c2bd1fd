"""One host in convert mode for all tests that leave it as it is; each test has accounts of its own."""

from collections.abc import Iterator

import pytest

from rehearsal.rig import HostedRig
from rehearsal.storage import Azurite, provision
from tests.host.rig import rig


@pytest.fixture(scope="session")
def converting(azurite: Azurite) -> Iterator[HostedRig]:
    """The app in convert mode."""
    storage = azurite.connection_string(azurite.account())
    provision(storage)
    with rig(storage) as running:
        yield running
