"""What several tests of the sample count with."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from b2b.domain.error_codes import ErrorCode

STATUS_OF = {row.value: row.status for row in ErrorCode if row.by_queue and row.status < 500}
"""What a request can be refused with, by either way in."""


def twice(values: Iterator[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]
