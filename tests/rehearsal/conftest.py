"""A fixture with the sample, loaded once per module."""

import pytest

from rehearsal.sample import Sample, load


@pytest.fixture(scope="module")
def sample() -> Sample:
    return load()
