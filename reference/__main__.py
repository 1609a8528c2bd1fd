"""`python -m reference [--check]`."""

import argparse
import sys

from reference.files import stale, write


def main() -> int:
    """Write the stale files, or only name them with `--check`. Return 1 if `--check` finds one, else 0."""
    parser = argparse.ArgumentParser(prog="python -m reference", description="Write lists from the tables of the app.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a file is stale")
    check = parser.parse_args().check
    found = stale() if check else write()
    for name in found:
        print(f"{name} is stale: run `make reference`" if check else f"wrote {name}")
    return 1 if check and found else 0


if __name__ == "__main__":
    sys.exit(main())
