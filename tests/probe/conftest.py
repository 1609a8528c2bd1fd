"""A tenant and a probe in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.probe.support import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Lab(tmp_path) as opened:
        yield opened
