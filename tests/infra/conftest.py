"""Fixtures with the Bicep compiler and PowerShell. Without these, tests that need them are skipped, except in CI."""

from collections.abc import Iterator

import pytest

from tests.infra.bicep import HOW_TO_GET_ONE, Compiler, find_compiler
from tests.infra.powershell import HOW_TO_GET_ONE as HOW_TO_GET_POWERSHELL
from tests.infra.powershell import find_powershell
from tests.support.tools import missing


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
