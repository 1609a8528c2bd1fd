"""The table of guards, in the evidence and in code: each is where it says, and its test exists."""

import re
from pathlib import Path

import pytest

from tests.faults.guard import Guard
from tests.faults.guards import GUARDS, ROOT

EVIDENCE = (ROOT / "docs" / "evidence.md").read_text("utf-8")


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_stands_once_where_the_table_says(guard: Guard) -> None:
    text = (ROOT / guard.file).read_text("utf-8")
    assert [text.count(lines) for lines, _ in guard.edits] == [1] * len(guard.edits)
    file, _, test = guard.test.partition("::")
    assert re.search(rf"^(async )?def {test}\(", (ROOT / Path(file)).read_text("utf-8"), re.MULTILINE)


def test_the_evidence_lists_exactly_these_guards() -> None:
    section = EVIDENCE.partition("## Guards")[2]
    listed = re.findall(r"^\| (.+?) \| `(.+?)` \|$", section, re.MULTILINE)
    assert listed == [(guard.name, guard.test) for guard in GUARDS]
