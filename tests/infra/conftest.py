"""The compiler for the tests that need it: they skip where there is none, except in CI."""

import os
from collections.abc import Iterator

import pytest

from tests.infra.bicep import HOW_TO_GET_ONE, Compiler, find_compiler
from tests.infra.powershell import HOW_TO_GET_ONE as HOW_TO_GET_POWERSHELL
from tests.infra.powershell import find_powershell


def missing(reason: str) -> None:
    """Skip for want of a tool; in CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    # Pip cannot bring the compiler, and who changes Python alone does without it: the reason says how to get one.
    pytest.skip(reason)


@pytest.fixture(scope="session")
def compiler() -> Iterator[Compiler]:
    path = find_compiler()
    if path is None:
        missing(HOW_TO_GET_ONE)
    else:
        with Compiler(path) as running:
            yield running


@pytest.fixture(scope="session")
def pwsh() -> str:
    path = find_powershell()
    if path is None:
        missing(HOW_TO_GET_POWERSHELL)
    return str(path)
