"""`python -m rehearsal.soak [--requests 2000] [--seconds 300] [--seed N] [--throttling 0.4] [--hidden]`."""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from rehearsal.__main__ import LOOPBACK
from rehearsal.soak.plan import Plan
from rehearsal.soak.run import LOGS, soak


def main(arguments: list[str]) -> int:
    """Run the soak; the exit code is 0 only if everything that was checked is as it must be."""
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl+C: everything is stopped first
    for name in ("NO_PROXY", "no_proxy"):  # everything is on loopback, where a proxy would not find it
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), LOOPBACK)))
    plan = Plan(
        requests=options.requests,
        seconds=options.seconds,
        seed=options.seed,
        throttling=options.throttling,
        shows=not options.hidden,
    )
    return soak(plan, logs=options.logs)


def _parse(arguments: list[str]) -> argparse.Namespace:
    usual = Plan()
    parser = argparse.ArgumentParser(prog="python -m rehearsal.soak", description=__doc__)
    parser.add_argument(
        "--requests",
        type=int,
        default=usual.requests,
        help="accounts to ask for; one in twenty is asked for twice, so that 60 send 63 requests (%(default)s)",
    )
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="all of it ends within (%(default)g)")
    parser.add_argument(
        "--throttling", type=float, default=usual.throttling, help="share of Graph's limits to grant (%(default)g)"
    )
    parser.add_argument(
        "--hidden",
        action="store_true",
        help="the tenant shows no invitation that waits for its person: a lost answer then ends in a review",
    )
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000, help="replays order, faults and lag")
    parser.add_argument("--logs", type=Path, default=LOGS, help="where the hosts' logs are kept (%(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
