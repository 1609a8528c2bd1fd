"""Helpers shared by several tests of the sample."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from b2b.domain.error_codes import ErrorCode

STATUS_OF = {row.value: row.status for row in ErrorCode if row.by_queue and row.status < 500}
"""The error codes that refuse a request both by HTTP and by queue, with their HTTP status."""


def twice(values: Iterator[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]
