"""Run coroutines concurrently, so that an error in one does not end the others."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def each(work: Iterable[Coroutine[Any, Any, T]]) -> list[T | Exception]:
    """Return each coroutine's result, or its exception. A cancellation is raised."""
    results: list[T | Exception] = []
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, BaseException) and not isinstance(result, Exception):
            raise result
        results.append(result)
    return results
