"""Replayable random numbers: each depends only on a seed and on what it is drawn for.

Calls of several clients arrive in no fixed order; a decision that hangs on the call itself instead of on the order is
the same in every run.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


def fraction(*parts: object) -> float:
    """A number from 0 up to but without 1, the same for the same parts and evenly spread over others."""
    digest = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def pick(options: Sequence[T], *parts: object) -> T:
    """One of some options, the same for the same parts."""
    return options[int(fraction(*parts) * len(options))]
