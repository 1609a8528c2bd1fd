"""A fixture with one host in convert mode for all tests that do not change it. Each test uses its own accounts."""

from collections.abc import Iterator

import pytest

from rehearsal.rig import HostedRig
from rehearsal.storage import Azurite, provision
from tests.host.rig import rig


@pytest.fixture(scope="session")
def converting(azurite: Azurite) -> Iterator[HostedRig]:
    """Run the app in convert mode."""
    storage = azurite.connection_string(azurite.account())
    provision(storage)
    with rig(storage) as running:
        yield running
