"""What a test does if it needs something that pip cannot install and that is missing: a program, or another Python."""

import os
from typing import NoReturn

import pytest


def missing(how_to_get_one: str) -> NoReturn:
    """Skip the test and say how to get what is missing; in CI fail instead.

    A plain clone can run the tests without Bicep, PowerShell or a supported Python. CI has all of them, so a skip in
    CI would lose a check without anyone noticing.
    """
    if os.environ.get("CI") == "true":
        pytest.fail(how_to_get_one)
    pytest.skip(how_to_get_one)
