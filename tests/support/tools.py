"""Programs that pip cannot bring: the tests that need one skip without it, and fail without it in CI."""

import os
from typing import NoReturn

import pytest


def missing(how_to_get_one: str) -> NoReturn:
    """Skip for want of a program, and say how to get it; in CI fail, so that no check is lost unnoticed."""
    if os.environ.get("CI") == "true":
        pytest.fail(how_to_get_one)
    pytest.skip(how_to_get_one)
