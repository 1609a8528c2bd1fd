"""Replayable random numbers: each depends only on a seed and on what it is drawn for.

Calls of several clients arrive in no fixed order. A decision that depends on the call itself instead of on the order
is the same in every run.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


def fraction(*parts: object) -> float:
    """Return a number from 0 to just under 1. Equal parts give the same number; different parts spread evenly."""
    digest = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def pick(options: Sequence[T], *parts: object) -> T:
    """Return one of the options, always the same one for equal parts."""
    return options[int(fraction(*parts) * len(options))]
