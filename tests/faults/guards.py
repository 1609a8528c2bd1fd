"""Take each guard out of a copy of the code, and check that the guard's test then fails.

A guard is a line of code that keeps a promise, for example that no account gets a second invitation.
`python -m tests.faults.guards` (`make guards`) first runs the tests of all guards in an unchanged copy of the tree,
where they must pass. Then it takes each guard out of a copy of its own, where the guard's test must fail. The code that
fixed the simulator's stories is tested in the same way. `--only WORD` tests only the rows whose name contains the word.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.faults.guard import Guard, Row
from tests.faults.guards_of_calls import CALLS
from tests.faults.guards_of_campaigns import CAMPAIGNS
from tests.faults.guards_of_comparison import COMPARISON
from tests.faults.guards_of_decisions import DECISIONS
from tests.faults.guards_of_doubts import DOUBTS
from tests.faults.guards_of_mails import MAILS
from tests.faults.guards_of_requests import REQUESTS
from tests.faults.guards_of_stories import MENDED

ROOT = Path(__file__).parents[2]
COPIED = (
    "b2b",
    "reference",
    "rehearsal",
    "tests",
    "function_app.py",
    "host.json",
    "pyproject.toml",
    "docs",
    "README.md",
)
GUARDS: tuple[Guard, ...] = (*CALLS, *DOUBTS, *REQUESTS, *DECISIONS, *CAMPAIGNS, *COMPARISON, *MAILS)
ROWS: tuple[Row, ...] = (*GUARDS, *MENDED)
WORKERS = 2
"""The number of copies that are tested at the same time."""
LONGEST = 600
"""The time limit in seconds for the tests of one copy."""


class Outcome(NamedTuple):
    """How a run of tests ended: pytest's exit code, the tests that passed and that failed, and pytest's output."""

    code: int
    passed: set[str]
    failed: set[str]
    text: str


def removed(row: Row, tree: Path) -> None:
    """Take a guard out of a tree."""
    for place in row.places:
        file = tree / place.file
        text = file.read_text("utf-8")
        if text.count(place.lines) != 1:
            raise ValueError(f"{place.file} has a line of the guard '{row.name}' {text.count(place.lines)} times")
        file.write_text(text.replace(place.lines, place.without), "utf-8")


@contextmanager
def copied() -> Iterator[Path]:
    """Make a copy of the tree, and remove the copy when the context ends."""
    with tempfile.TemporaryDirectory(prefix="guard-") as directory:
        tree = Path(directory)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
            else:
                shutil.copy(source, tree / name)
        (tree / "rehearsal" / "node_modules").symlink_to(ROOT / "rehearsal" / "node_modules")
        yield tree


def tested(tree: Path, tests: Iterable[str]) -> Outcome:
    """Run tests in a tree."""
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *sorted(set(tests))]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=LONGEST, check=False)  # noqa: S603
    told = [line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith(("PASSED ", "FAILED "))]
    ended = {kind: {line[1] for line in told if line[0] == kind} for kind in ("PASSED", "FAILED")}
    return Outcome(done.returncode, ended["PASSED"], ended["FAILED"], done.stdout)


def noticed(row: Row) -> bool:
    """Run the guard's test in a copy of the tree without the guard; return True if the test itself fails."""
    with copied() as tree:
        removed(row, tree)
        outcome = tested(tree, [row.test])
    failed = outcome.code == pytest.ExitCode.TESTS_FAILED and any(_is_of(row, name) for name in outcome.failed)
    return failed and _told_by(row.oracle, outcome.text)


def _told_by(oracle: str, text: str) -> bool:
    return not oracle or re.search(rf"^E +{oracle}: ", text, re.MULTILINE) is not None


def _is_of(row: Row, name: str) -> bool:
    """Tell whether a line of pytest names the row's test, maybe with parameters or followed by a reason."""
    return name == row.test or name.startswith((f"{row.test}[", f"{row.test} "))


def main(rows: Sequence[Row] = ROWS) -> int:
    """Take out each guard and print whether its test fails. Return 0 if every test fails, else 1."""
    with copied() as tree:
        control = tested(tree, [row.test for row in rows])
    if control.code != pytest.ExitCode.OK:
        print(control.text)  # noqa: T201
        print("these tests fail with every guard in its place: they can show nothing")  # noqa: T201
        return 1
    missed = 0
    with ThreadPoolExecutor(WORKERS) as pool:
        for row, shown in zip(rows, pool.map(noticed, rows), strict=True):
            missed += not shown
            print(f"{'noticed' if shown else 'MISSED '}  {row.name}  ({row.test})", flush=True)  # noqa: T201
    print(f"{len(rows) - missed} of {len(rows)} guards are noticed when they are gone")  # noqa: T201
    return 1 if missed else 0


def chosen(word: str) -> list[Row]:
    """Return the rows whose name has a word in it."""
    return [row for row in ROWS if word in row.name]


if __name__ == "__main__":
    parser = argparse.ArgumentParser("make guards", description=__doc__)
    parser.add_argument("--only", default="", metavar="WORD")
    rows = chosen(parser.parse_args().only)
    sys.exit(main(rows) if rows else parser.error("no guard's name has that word in it"))
