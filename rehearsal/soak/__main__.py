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
    """Run the soak and return its exit code: 0 only if every check passed."""
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl+C, so that everything it started stops
    for name in ("NO_PROXY", "no_proxy"):  # every server is on loopback, which a proxy cannot reach
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
        help="accounts to convert; one in twenty is requested twice, so 60 accounts mean 63 requests (%(default)s)",
    )
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="limit for the whole soak (%(default)g)")
    parser.add_argument(
        "--throttling", type=float, default=usual.throttling, help="share of Graph's limits to grant (%(default)g)"
    )
    parser.add_argument(
        "--hidden",
        action="store_true",
        help="the tenant does not show pending invitations, so an account with a lost answer ends in a review",
    )
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000, help="seed of order, faults and lag")
    parser.add_argument("--logs", type=Path, default=LOGS, help="directory for the hosts' logs (%(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
