"""`python -m rehearsal.campaign [--members 10000] [--release 3000] [--throttling 1.0] [--seed N]`."""

import argparse
import os
import signal
import sys

from rehearsal.__main__ import LOOPBACK
from rehearsal.campaign.plan import Plan
from rehearsal.campaign.story import LargeStory
from rehearsal.run import perform


def main(arguments: list[str]) -> int:
    """Run the campaign and return its exit code: 0 only if no member was lost and no person got two mails."""
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl+C, so that everything it started stops
    for name in ("NO_PROXY", "no_proxy"):  # every server is on loopback, which a proxy cannot reach
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), LOOPBACK)))
    return perform(LargeStory(Plan(**vars(options))))


def _parse(arguments: list[str]) -> argparse.Namespace:
    usual = Plan()
    parser = argparse.ArgumentParser(prog="python -m rehearsal.campaign", description=__doc__)
    parser.add_argument("--members", type=int, default=usual.members, help="rows of the list (%(default)s)")
    parser.add_argument("--release", type=int, default=usual.release, help="members to release (%(default)s)")
    parser.add_argument(
        "--throttling", type=float, default=usual.throttling, help="share of Graph's limits to grant (%(default)g)"
    )
    parser.add_argument("--seed", type=int, default=usual.seed, help="seed of the generated accounts (%(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
