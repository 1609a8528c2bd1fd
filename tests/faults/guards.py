"""Shows that each guard of what keeps one invitation one is noticed when it is gone.

`python -m tests.faults.guards` (`make guards`) runs the tests of all guards in a copy of the tree, where they must
pass; then it takes each guard out of a copy of its own, where its test must fail. `--only WORD` takes those guards
alone whose name has the word in it.
"""

import argparse
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

from tests.faults.guard import Guard
from tests.faults.guards_of_calls import CALLS
from tests.faults.guards_of_doubts import DOUBTS
from tests.faults.guards_of_requests import REQUESTS

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
GUARDS: tuple[Guard, ...] = (*CALLS, *DOUBTS, *REQUESTS)
WORKERS = 2
"""Copies that are tested side by side."""
LONGEST = 600
"""Seconds for the tests of one copy."""


class Outcome(NamedTuple):
    """How a run of tests ended: pytest's exit code, the tests that passed and that failed, and what it said."""

    code: int
    passed: set[str]
    failed: set[str]
    text: str


def removed(guard: Guard, tree: Path) -> None:
    """Take a guard out of a tree."""
    file = tree / guard.file
    text = file.read_text("utf-8")
    for lines, without in guard.edits:
        if text.count(lines) != 1:
            raise ValueError(f"{guard.file} has a line of the guard '{guard.name}' {text.count(lines)} times")
        text = text.replace(lines, without)
    file.write_text(text, "utf-8")


@contextmanager
def copied() -> Iterator[Path]:
    """Make a copy of the tree, and remove it."""
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


def noticed(guard: Guard) -> bool:
    """Run the guard's test in a copy of the tree without the guard; True where the test itself fails."""
    with copied() as tree:
        removed(guard, tree)
        outcome = tested(tree, [guard.test])
    return outcome.code == pytest.ExitCode.TESTS_FAILED and any(_is_of(guard, name) for name in outcome.failed)


def _is_of(guard: Guard, name: str) -> bool:
    """A test with parameters has several names, and a failed one is followed by its reason."""
    return name == guard.test or name.startswith((f"{guard.test}[", f"{guard.test} "))


def main(guards: Sequence[Guard] = GUARDS) -> int:
    """Show each guard by mutation; 0 where every one is noticed."""
    with copied() as tree:
        control = tested(tree, [guard.test for guard in guards])
    if control.code != pytest.ExitCode.OK:
        print(control.text)  # noqa: T201
        print("these tests fail with every guard in its place: they can show nothing")  # noqa: T201
        return 1
    missed = 0
    with ThreadPoolExecutor(WORKERS) as pool:
        for guard, shown in zip(guards, pool.map(noticed, guards), strict=True):
            missed += not shown
            print(f"{'noticed' if shown else 'MISSED '}  {guard.name}  ({guard.test})", flush=True)  # noqa: T201
    print(f"{len(guards) - missed} of {len(guards)} guards are noticed when they are gone")  # noqa: T201
    return 1 if missed else 0


def chosen(word: str) -> list[Guard]:
    """Return the guards whose name has a word in it."""
    return [guard for guard in GUARDS if word in guard.name]


if __name__ == "__main__":
    parser = argparse.ArgumentParser("make guards", description=__doc__)
    parser.add_argument("--only", default="", metavar="WORD")
    sys.exit(main(chosen(parser.parse_args().only)))
