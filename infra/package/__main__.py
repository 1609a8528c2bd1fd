"""Build the package to deploy: `python -m infra.package [--python VERSION] [--trim | --for-remote-build]`."""

import argparse
import sys

from infra.package.build import build, build_source
from infra.package.errors import PackageError
from infra.package.interpreter import DEFAULT, Machine
from infra.package.place import Place

FAILED = 2


def main(arguments: list[str]) -> int:
    """Build the package, and print its size and its path. On failure, print one line; no package remains then."""
    options = _parse(arguments)
    place = Place()
    try:
        if options.for_remote_build:
            built = build_source(place, options.python)
        else:
            built = build(place, options.python, Machine.this(), trimmed=options.trim)
    except (PackageError, OSError) as error:
        print(f"package: {error}", file=sys.stderr)
        return FAILED
    print(built)
    print(built.archive)
    return 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.package", description="Build what is deployed.")
    parser.add_argument("--python", default=DEFAULT, help="the version that the app runs on (default: %(default)s)")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--trim", action="store_true", help="leave out the parts of msgraph-sdk that are not imported")
    kind.add_argument("--for-remote-build", action="store_true", help="without packages: Azure installs them")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
