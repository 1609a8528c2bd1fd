"""How long a queue listener waits between two polls that find nothing."""

import random
from datetime import timedelta

_SHORTEST_DELAY = 0.1
_LARGEST_EXPONENT = 20  # 2 ** 20 times 100 ms is beyond any maximum


class Backoff:
    """The delay between two polls: 100 ms after a hit, then doubling with 20 % of chance up to the maximum.

    After RandomizedExponentialBackoffStrategy of Azure/azure-webjobs-sdk.
    """

    def __init__(self, maximum: timedelta) -> None:
        self._maximum = maximum.total_seconds()
        self._misses = 0

    def next(self, *, found: bool) -> float:
        """Seconds to wait; `found` says whether messages came since the last wait."""
        if found:
            self._misses = 0
            return _SHORTEST_DELAY
        growth = random.uniform(0.8, 1.2) * 2.0 ** min(self._misses, _LARGEST_EXPONENT)  # noqa: S311 - spreads polls, hides nothing
        self._misses += 1
        return min(_SHORTEST_DELAY * (1 + growth), self._maximum)
