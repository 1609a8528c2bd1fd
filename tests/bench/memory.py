"""Measure the app with services in memory: the cost of a conversion without emulator and network, and memory growth.

It runs in its own process and prints a line of JSON. `alone` measures the cost, `long` the growth.
"""

import argparse
import asyncio
import gc
import json
import time
import tracemalloc
from itertools import count
from pathlib import Path
from typing import Any

from tests.simulation.app import TABLES
from tests.simulation.bench_sweep import Ground

NO_LIMIT = {"B2B_INVITATIONS_PER_MINUTE": "0"}
AT_ONCE = 24


class Site:
    """The app with services in memory, and accounts to invite."""

    def __init__(self, accounts: int) -> None:
        self.ground = Ground(settings=NO_LIMIT)
        self.users = [self.ground.account(None, number) for number in range(accounts)]
        self._numbers = count()

    async def convert(self, users: list[str], at_once: int) -> None:
        """Convert these users, `at_once` at a time."""
        left = list(users)

        async def work() -> None:
            while left:
                number = next(self._numbers)
                body = {"requestId": f"r{number}", "invitedUser": {"id": left.pop()}}
                await self.ground.app.receive(json.dumps(body).encode(), f"m{number}", 1, self.ground.now())

        await asyncio.gather(*(work() for _ in range(at_once)))

    def forget(self) -> None:
        """Reset storage and directory, so that only the app's own memory can grow."""
        for name in TABLES:
            self.ground.tables.delete_table(name)
            self.ground.tables.create_table(name)
        for user_id in self.users:
            account = self.ground.directory.truth(user_id) or {}
            self.ground.directory.update(account, externalUserState=None, externalUserStateChangeDateTime=None)
        self.ground.directory.posts.clear()
        self.ground.directory.mails.clear()
        self.ground.directory._tickets.clear()
        for versions in self.ground.directory.accounts._live.values():
            del versions[:-1]


def resident() -> float:
    """Return this process's resident memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return pages * 4096 / 2**20


async def alone(accounts: int) -> dict[str, Any]:
    """Measure CPU and allocations of conversions, one at a time and many at once."""
    site, told = Site(4 * accounts + 1), dict[str, Any]()
    blocked = site.users[3 * accounts : 4 * accounts]
    await site.convert(site.users[-1:], 1)
    for user_id in blocked:
        site.ground.directory.update(
            site.ground.directory.truth(user_id) or {}, onPremisesUserPrincipalName="p@contoso.local"
        )
    for name, at_once, users in (
        ("alone", 1, site.users[:accounts]),
        ("at once", AT_ONCE, site.users[accounts : 2 * accounts]),
        ("blocked, at once", AT_ONCE, blocked),
    ):
        began, cpu, site.ground.gate.calls = time.perf_counter(), time.process_time(), type(site.ground.gate.calls)()
        await site.convert(users, at_once)
        calls = site.ground.gate.calls
        told[name] = {
            "cpu_ms": (time.process_time() - cpu) / accounts * 1000,
            "per_second": accounts / (time.perf_counter() - began),
            "calls": {kind: calls[kind] / accounts for kind in ("graph", "tables", "queue")},
        }
    peaks = []
    for user_id in site.users[2 * accounts : 2 * accounts + 20]:
        tracemalloc.start()
        await site.convert([user_id], 1)
        peaks.append(tracemalloc.get_traced_memory()[1] / 1024)
        tracemalloc.stop()
    told["peak_kib"] = sorted(peaks)[len(peaks) // 2]
    return told


async def long(conversions: int) -> dict[str, Any]:
    """Measure the memory after each twentieth of the conversions."""
    site, sizes = Site(conversions // 20), []
    for _ in range(20):
        await site.convert(site.users, AT_ONCE)
        site.forget()
        gc.collect()
        sizes.append({"resident_mib": resident(), "objects": len(gc.get_objects())})
    return {"conversions": conversions, "sizes": sizes}


def main() -> None:
    """Run one of the two measurements and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("alone", "long"))
    parser.add_argument("--conversions", type=int, default=300)
    options = parser.parse_args()
    print(json.dumps(asyncio.run({"alone": alone, "long": long}[options.what](options.conversions))))


if __name__ == "__main__":
    main()
