"""The table of guards in code and in the evidence: each guard exists in its file, and so does its test."""

import re
from pathlib import Path

import pytest

from tests.faults.guard import Row
from tests.faults.guards import GUARDS, ROOT, ROWS
from tests.faults.guards_of_stories import MENDED
from tests.simulation.stories import STORIES

EVIDENCE = (ROOT / "docs" / "evidence.md").read_text("utf-8")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_guards_lines_occur_once_in_its_file_and_its_test_exists(row: Row) -> None:
    for place in row.places:
        assert (ROOT / place.file).read_text("utf-8").count(place.lines) == 1, place
        assert place.lines != place.without
    file, _, test = row.test.partition("[")[0].partition("::")
    assert re.search(rf"^(async )?def {test}\(", (ROOT / Path(file)).read_text("utf-8"), re.MULTILINE)


def test_the_evidence_lists_exactly_these_guards() -> None:
    section = EVIDENCE.partition("## Guards")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| (.+?) \| `(.+?)` \|$", section, re.MULTILINE)
    assert listed == [(guard.name, guard.test) for guard in GUARDS]


def test_every_story_names_the_mechanism_that_fixed_it() -> None:
    """If this fails, a new story lacks its row in `guards_of_stories.py`."""
    assert [row.story for row in MENDED] == [story.name for story in STORIES]


def test_the_evidence_lists_exactly_these_stories() -> None:
    section = EVIDENCE.partition("## Stories")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", section, re.MULTILINE)[1:]
    said = {story.name: story.said for story in STORIES}
    assert listed == [(row.story, said[row.story], row.mechanism) for row in MENDED]
