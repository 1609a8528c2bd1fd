"""Measure the import of a list of 10,000 rows against Azurite: `make bench-campaigns`. It fails above 60 seconds.

A separate process imports the list, once without interruption and once killed half way and sent again.
"""

import asyncio
import resource
import signal
import subprocess
import sys
import time

from b2b.adapters.ledger import Ledger
from b2b.domain.campaign.member import MemberStage
from b2b.domain.campaign.records import created
from b2b.workflows.campaigns.lists import Lists
from rehearsal.storage import Azurite, provision
from tests.adapters.test_campaigns import SPRING, people
from tests.unit.campaign.people import NOON, POLICY

ROWS = 10_000
ALLOWED = 60.0
"""The most seconds for one call, on two cores that Azurite shares."""


async def take_in(storage: str, allowed: float) -> None:
    ledger = Ledger.from_connection_string(storage)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    found = await Lists(ledger, POLICY, lambda: NOON).take_in(SPRING, people(ROWS))
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"  {found.row.taken} taken, {found.row.unchanged} unchanged in {took:.1f} s, "
        f"CPU {time.process_time():.1f} s, memory {after // 1024} MiB at most ({before // 1024} MiB before)",
        flush=True,
    )
    await ledger.aclose()
    if took > allowed:
        raise SystemExit(f"more than {allowed:.0f} s")


async def count(storage: str) -> tuple[int, int]:
    """Return how many rows of members there are, and how many distinct members."""
    ledger = Ledger.from_connection_string(storage)
    members = [each.reference async for each in ledger.campaigns.scan(SPRING)]
    listed = [each.reference async for each in ledger.campaigns.scan(SPRING, MemberStage.LISTED)]
    await ledger.aclose()
    assert sorted(members) == sorted(listed)
    return len(members), len(set(members))


async def prepare(storage: str) -> None:
    ledger = Ledger.from_connection_string(storage)
    await ledger.campaigns.create(created(SPRING, "Suppliers", NOON, "key"))
    await ledger.aclose()


async def half(storage: str, child: subprocess.Popen[bytes]) -> None:
    """Wait until the child has stored a third of the members, and kill it."""
    ledger = Ledger.from_connection_string(storage)
    while len([each async for each in ledger.campaigns.scan(SPRING)]) < ROWS // 3:
        assert child.poll() is None
    child.send_signal(signal.SIGKILL)
    child.wait()
    await ledger.aclose()


def main() -> None:
    began = time.perf_counter()
    with Azurite(accounts=2) as azurite:
        for killed in (False, True):
            storage = azurite.connection_string(azurite.account())
            provision(storage)
            asyncio.run(prepare(storage))
            allowed = "inf" if killed else str(ALLOWED)
            command = [sys.executable, "-m", "tests.adapters.bench_campaigns", storage, allowed]
            if killed:
                child = subprocess.Popen(command)
                asyncio.run(half(storage, child))
                print(f"killed in the middle: {asyncio.run(count(storage))[0]} members stored", flush=True)
            else:
                print(f"{ROWS} rows in one call:", flush=True)
            subprocess.run(command, check=True)
            found = asyncio.run(count(storage))
            print(f"  members, different ones: {found}", flush=True)
            if found != (ROWS, ROWS):
                raise SystemExit("members are missing, or stand there twice")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"CPU of Azurite and the app: {used.ru_utime + used.ru_stime:.0f} s of {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(take_in(sys.argv[1], float(sys.argv[2])))
    else:
        main()
