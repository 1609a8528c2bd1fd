"""Stand-ins for programs: they record each call with all its arguments, and answer only expected calls."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAM = """#!{python}
import json, os, sys

home = os.path.dirname(os.path.abspath(__file__))
name, arguments = os.path.basename(__file__), sys.argv[1:]
with open(os.path.join(home, "calls"), "a") as calls:
    calls.write(json.dumps([name, *arguments]) + "\\n")
with open(os.path.join(home, "answers")) as file:
    answers = json.load(file)
for answer in answers:
    if answer["call"] == [name, *arguments]:
        sys.stdout.write(answer["says"])
        sys.stderr.write(answer["complains"])
        sys.exit(answer["code"])
sys.exit(f"{{name}}: nobody expected {{arguments}}")
"""


@dataclass
class StandIns:
    """Stand-in programs in a folder, to be put first on PATH."""

    folder: Path
    answers: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._save()

    def program(self, *names: str) -> None:
        """Create stand-ins with these names."""
        for name in names:
            path = self.folder / name
            path.write_text(PROGRAM.format(python=sys.executable), "utf-8")
            path.chmod(0o755)

    def expect(self, *call: str, says: Any = "", complains: str = "", code: int = 0) -> None:
        """Set the answer to one exact call.

        `says` is printed as JSON unless it is a text. A later answer replaces it.
        """
        text = says if isinstance(says, str) else json.dumps(says)
        self.answers = [answer for answer in self.answers if answer["call"] != list(call)]
        self.answers.append({"call": list(call), "says": text, "complains": complains, "code": code})
        self._save()

    @property
    def calls(self) -> list[list[str]]:
        """Every call so far, in order, as program and arguments."""
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    def path(self, *more: str | os.PathLike[str]) -> str:
        """Return a value of PATH in which the stand-ins come first, followed by the folders `more`."""
        return os.pathsep.join(map(str, (self.folder, *more)))

    def _save(self) -> None:
        (self.folder / "answers").write_text(json.dumps(self.answers), "utf-8")


def named(calls: Sequence[Sequence[str]], program: str) -> list[list[str]]:
    """Return the arguments of every call of one program."""
    return [list(call[1:]) for call in calls if call[0] == program]
