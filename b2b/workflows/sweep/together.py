"""Do several things at once, so that the trouble of one is not the trouble of all."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def each(work: Iterable[Coroutine[Any, Any, T]]) -> list[T | Exception]:
    """Do all at once; an error is a result, but a cancellation cancels all."""
    results: list[T | Exception] = []
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, BaseException) and not isinstance(result, Exception):
            raise result
        results.append(result)
    return results
