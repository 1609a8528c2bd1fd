"""A tenant and a probe in it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.probe.support import Lab

MEMORY = Path("/dev/shm")  # noqa: S108 - the probe waits for the disk at every note; here that is most of the time


@pytest.fixture
def lab() -> Iterator[Lab]:
    where = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=where) as folder, Lab(Path(folder)) as opened:
        yield opened
