"""Measure lists and searches on ledgers of several sizes, with services in memory, and print a line of JSON."""

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from b2b.domain.conversion.stages import Stage
from b2b.domain.request.line import EVERY, Range, stage_list
from tests.simulation.large_ledger import WAITING, LargeLedger, large_ledger, name_of

TIMES = 5
ASKED: dict[str, Callable[[LargeLedger], Awaitable[Any]]] = {
    "a page of all": lambda at: at.listings.page(Range(EVERY), None),
    "a page by stage": lambda at: at.listings.page(Range(stage_list(Stage.NEEDS_REVIEW)), None),
    "by a whole name": lambda at: at.listings.named(name_of(5 * WAITING)),
    "by a part of a name, nobody has it": lambda at: at.listings.with_part("fabrikam", Range(EVERY), None),
    "by a part of a name, of those in review": lambda at: at.listings.with_part(
        name_of(5 * WAITING), Range(stage_list(Stage.NEEDS_REVIEW)), None
    ),
}


async def measured(sizes: list[int]) -> list[dict[str, Any]]:
    """Make the same queries on each ledger. Each figure is the shortest of several times."""
    found = []
    for size in sizes:
        ledger = await large_ledger(size)
        for name, ask in ASKED.items():
            seconds = []
            for _ in range(TIMES):
                before, began = len(ledger.gate.calls), time.perf_counter()
                await ask(ledger)
                seconds.append(time.perf_counter() - began)
            calls = len(ledger.gate.calls) - before
            found.append({"asked": name, "requests": size, "calls": calls, "ms": min(seconds) * 1000})
    return found


def main() -> None:
    """Measure ledgers of the sizes on the command line, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="+")
    print(json.dumps(asyncio.run(measured(parser.parse_args().sizes))))


if __name__ == "__main__":
    main()
