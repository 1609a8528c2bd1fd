"""The wait of a queue listener between two polls."""

import random
from datetime import timedelta

_SHORTEST_DELAY = 0.1
_LARGEST_EXPONENT = 20  # 2 ** 20 times 100 ms exceeds any maximum


class Backoff:
    """The delay between two polls: 100 ms after a poll that found messages, then doubling (plus or minus 20 %) up to
    the maximum.

    After RandomizedExponentialBackoffStrategy of Azure/azure-webjobs-sdk.
    """

    def __init__(self, maximum: timedelta) -> None:
        self._maximum = maximum.total_seconds()
        self._misses = 0

    def next(self, *, found: bool) -> float:
        """Return the seconds to wait. `found` tells whether messages have arrived since the last wait."""
        if found:
            self._misses = 0
            return _SHORTEST_DELAY
        growth = random.uniform(0.8, 1.2) * 2.0 ** min(self._misses, _LARGEST_EXPONENT)  # noqa: S311 - spreads polls, protects nothing
        self._misses += 1
        return min(_SHORTEST_DELAY * (1 + growth), self._maximum)
