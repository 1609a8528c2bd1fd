"""The sample, loaded once for each module that asks it something."""

import pytest

from rehearsal.sample import Sample, load


@pytest.fixture(scope="module")
def sample() -> Sample:
    return load()
