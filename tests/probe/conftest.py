"""A fixture with a tenant and what a probe of it needs."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.probe.support import Lab

MEMORY = Path("/dev/shm")  # noqa: S108 - in memory, because the probe syncs every note to disk, which takes most of a test's time


@pytest.fixture
def lab() -> Iterator[Lab]:
    where = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=where) as folder, Lab(Path(folder)) as opened:
        yield opened
