"""A guard as a row, and the tests that several guards share."""

from typing import NamedTuple

HISTORY = "tests/faults/test_guard_histories.py::test_a_guard_is_there_when_it_is_needed"
STORY = "tests/simulation/test_stories.py::test_a_story_that_once_ended_badly_ends_well"
STEP = "tests/unit/test_next_step.py::test_each_situation_leads_to_its_step"
ALONE = "tests/faults/test_guards_alone.py::"
OUTCOME = "tests/unit/test_outcome.py::"
REVIEW = "tests/unit/test_review.py::"
RECORD = "tests/unit/test_record.py::"
FOLLOWED = "tests/unit/test_followed.py::"
GRAPH = "tests/adapters/test_graph_outcomes.py::"
PACING = "tests/workflows/test_pacing.py::"


class Guard(NamedTuple):
    """A guard, the lines that are it with what is left without them, and the test that notices."""

    name: str
    file: str
    edits: tuple[tuple[str, str], ...]
    test: str
