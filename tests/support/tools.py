"""What a test does if it needs a program that pip cannot install and that is missing."""

import os
from typing import NoReturn

import pytest


def missing(how_to_get_one: str) -> NoReturn:
    """Skip the test and say how to get the program; in CI fail instead, so that no check is lost unnoticed."""
    if os.environ.get("CI") == "true":
        pytest.fail(how_to_get_one)
    pytest.skip(how_to_get_one)
