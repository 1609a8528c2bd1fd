"""`make simulate`: search random histories, search the small worlds, or replay one history.

--seconds S   search for S seconds (60)
--seed N      begin at this seed (default: from the clock)
--replay N    play the history of this seed, shrink it if it fails, and print it step by step
--profile P   `all` (each fifth seed is a history of campaigns), `campaigns` or `requests` alone, or
              `years`, in which people redeem late
--story NAME  print one of the kept stories
--worlds      search the small worlds instead: every schedule with two preemptions, or with one and one kill
--workers W   processes (default: one for each core)
"""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor
from os import cpu_count

from tests.simulation import years
from tests.simulation.generate import history as of_requests
from tests.simulation.generate_campaigns import history, of_campaigns
from tests.simulation.history import History
from tests.simulation.search import Tally, play, search, shrink, told
from tests.simulation.stories import BY_NAME
from tests.simulation.worlds import WORLDS, every_schedule, with_fact

BATCH = 100
PROFILES = {"all": history, "campaigns": of_campaigns, "requests": of_requests, "years": years.history}


def main() -> int:
    """Do what the command line asks for; return 1 if a promise was broken."""
    options = _parser().parse_args()
    if options.replay is not None:
        return _replay(PROFILES[options.profile](options.replay))
    if options.story is not None:
        print(told(BY_NAME[options.story].history))
        return 0
    workers = options.workers or cpu_count() or 1
    return _worlds(workers, options.preemptions) if options.worlds else _search(options, workers)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "make simulate", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--count", type=int)
    parser.add_argument("--replay", type=int)
    parser.add_argument("--profile", choices=sorted(PROFILES), default="all")
    parser.add_argument("--story", choices=sorted(BY_NAME))
    parser.add_argument("--worlds", action="store_true")
    parser.add_argument("--preemptions", type=int, default=2)
    parser.add_argument("--workers", type=int)
    return parser


def _replay(history: History) -> int:
    played = play(history)
    if not played.violations:
        print(told(played.history))
        return 0
    oracle = min(played.oracles)
    print(told(shrink(played.history, oracle), oracle))
    return 1


def _batch(profile: str, first: int, number: int, deadline: float) -> Tally:
    return search(PROFILES[profile], range(first, first + number), lambda: time.time() > deadline)


def _search(options: argparse.Namespace, workers: int) -> int:
    """Search until the time is over or enough histories are played; print the figures and the broken promises."""
    began = time.time()
    deadline = began + (options.seconds if options.count is None else 3600.0)
    last = options.seed + (options.count if options.count is not None else 10**9)
    tally, number = Tally(), options.seed
    running: list[Future[Tally]] = []
    with ProcessPoolExecutor(workers) as pool:
        while running or (number < last and time.time() < deadline):
            while len(running) < workers + 1 and number < last and time.time() < deadline:
                size = min(BATCH, last - number)
                running.append(pool.submit(_batch, options.profile, number, size, deadline))
                number += size
            tally.merge(running.pop(0).result())
    report(tally, time.time() - began)
    return 1 if tally.failing else 0


def report(tally: Tally, seconds: float) -> None:
    """Print the figures of a search, and the histories that failed."""
    calls = sum(tally.calls)
    print(
        f"{tally.histories} histories, {calls} outgoing calls in {seconds:.0f} s "
        f"({calls / max(seconds, 0.001):.0f} calls/s), median {tally.median_calls} calls a history"
    )
    for name, counted in (("faults met", tally.hit), ("steps", tally.actions)):
        shares = ", ".join(f"{kind} {number / tally.histories:.1%}" for kind, number in counted.most_common())
        print(f"{name}, in so many histories: {shares}")
    by_oracle = Counter(oracle for played in tally.failing.values() for oracle in played.oracles)
    for oracle, number in by_oracle.most_common():
        seeds = [seed for seed, played in tally.failing.items() if oracle in played.oracles]
        said = next(str(each) for each in tally.failing[seeds[0]].violations if each.oracle == oracle)
        some = ", ".join(map(str, seeds[:5]))
        print(f"BROKEN {oracle}: {number} histories, such as --replay {some}: {said}", file=sys.stderr)


def _worlds(workers: int, preemptions: int) -> int:
    """Try every schedule of each small world, which is a fixed scenario of a few steps, for broken promises.

    Each world is tried in a tenant that the app knows already, and in one that it does not know.
    """
    jobs = [(number, known, preemptions) for number in range(len(WORLDS)) for known in (True, False)]
    broken = total = 0
    with ProcessPoolExecutor(workers) as pool:
        for name, schedules, failing, seconds, first in pool.map(search_world, *zip(*jobs, strict=True)):
            print(f"{name}: {schedules} schedules in {seconds:.0f} s, {failing} broken", flush=True)
            if first:
                print(f"  {first}", file=sys.stderr)
            total, broken = total + schedules, broken + failing
    print(f"{total} schedules, {broken} broken")
    return 1 if broken else 0


def search_world(number: int, known: bool, preemptions: int) -> tuple[str, int, int, float, str]:  # noqa: FBT001
    """Search one small world; return its name, schedules, broken ones, seconds, and the first broken one."""
    began, world = time.time(), with_fact(WORLDS[number], known=known)
    schedules = failing = 0
    first = ""
    for searched in every_schedule(world, preemptions):
        schedules += 1
        if searched.played.violations:
            failing += 1
            first = first or f"preempt {searched.preempt}, kill {searched.kill}: {searched.played.violations[0]}"
    name = f"{world.name} ({'known' if known else 'unknown'})"
    return name, schedules, failing, time.time() - began, first


if __name__ == "__main__":
    sys.exit(main())
