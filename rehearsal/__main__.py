"""`python -m rehearsal run [--list FILE] [--profile current|2020] [--beliefs FILE] [--keep] [--package ZIP]`."""

import argparse
import os
import signal
import sys
from pathlib import Path

from rehearsal.run import LOG_FILE, perform
from rehearsal.run.own_list import ListStory
from rehearsal.run.sample_story import SampleStory
from rehearsal.run.story import Story
from rehearsal.sample import load
from rehearsal.sample.loading import PROFILES
from rehearsal.tenant import beliefs

LOOPBACK = "127.0.0.1,localhost"


def main(arguments: list[str]) -> int:
    """Run the command and return its exit code: 0 only if every check passed."""
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl+C, so that everything it started stops
    for name in ("NO_PROXY", "no_proxy"):  # every server is on loopback, which a proxy cannot reach
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), LOOPBACK)))
    story: Story = SampleStory(load(), options.profile, options.log)
    if options.list:
        name, raw = options.list
        story = ListStory(
            name, raw, options.profile, options.charset, options.address_column, judge_only=options.judge_only
        )
    return perform(story, positions=options.beliefs, keep=options.keep, package=options.package)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m rehearsal", description="A tenant on your laptop.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run a campaign: the sample's, or one for a list of your own")
    run.add_argument(
        "--list", type=_file, metavar="FILE", help="a list of your own; the tenant's accounts are made from it"
    )
    run.add_argument(
        "--charset",
        default="",
        help="encoding of that list, if it is neither UTF-8 nor UTF-16, for example windows-1252",
    )
    run.add_argument(
        "--address-column",
        default="",
        metavar="HEADER",
        help="the column of that list with the people's addresses, if the app does not know its header",
    )
    run.add_argument("--judge-only", action="store_true", help="judge that list and release nobody")
    run.add_argument("--profile", choices=PROFILES, default=PROFILES[0], help="edition of the rules (default: current)")
    run.add_argument(
        "--beliefs", type=_beliefs, default={}, metavar="FILE", help="a result of the probe: behave like that tenant"
    )
    run.add_argument("--keep", action="store_true", help="leave everything running afterwards and print the addresses")
    run.add_argument("--log", type=Path, default=LOG_FILE, help="file for the host's log (default: %(default)s)")
    run.add_argument(
        "--package",
        type=Path,
        metavar="ZIP",
        help="run the package that `make package` built instead of the working tree",
    )
    return parser.parse_args(arguments)


def _file(path: str) -> tuple[str, bytes]:
    try:
        return Path(path).name, Path(path).read_bytes()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path}: {error.strerror}") from None


def _beliefs(path: str) -> dict[str, str]:
    try:
        return beliefs.read(Path(path))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
