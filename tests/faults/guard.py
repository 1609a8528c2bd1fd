"""The rows of the guard tables, and the paths of the tests that several guards share."""

from typing import NamedTuple

from tests.simulation.stories import BY_NAME

HISTORY = "tests/faults/test_guard_histories.py::test_a_history_that_needs_one_guard_ends_well"
STORY = "tests/simulation/test_stories.py::test_a_story_ends_well"
STEP = "tests/unit/test_next_step.py::test_each_situation_leads_to_its_step"
ALONE = "tests/faults/test_guards_alone.py::"
OUTCOME = "tests/unit/test_outcome.py::"
REVIEW = "tests/unit/test_review.py::"
RECORD = "tests/unit/test_record.py::"
FOLLOWED = "tests/unit/test_followed.py::"
GRAPH = "tests/adapters/test_graph_outcomes.py::"
RATE = "tests/simulation/test_rate.py::"
PACING = "tests/workflows/test_pacing.py::"


class Place(NamedTuple):
    """Lines of a file that form a guard, and what replaces them when the guard is taken out."""

    file: str
    lines: str
    without: str


class Guard(NamedTuple):
    """A guard: its lines, what replaces them when it is taken out, and the test that must fail then."""

    name: str
    file: str
    edits: tuple[tuple[str, str], ...]
    test: str
    oracle: str = ""
    """The oracle that must report the failure; empty if the test uses no oracle."""

    @property
    def places(self) -> tuple[Place, ...]:
        """Return every place that has to be edited to take this guard out."""
        return tuple(Place(self.file, lines, without) for lines, without in self.edits)


class Mended(NamedTuple):
    """A story, and the mechanism that fixed it. Without the mechanism, the story's own oracle must fail again."""

    story: str
    mechanism: str
    places: tuple[Place, ...]

    @property
    def name(self) -> str:
        """Return the label of this row."""
        return f"story {self.story}: {self.mechanism}"

    @property
    def test(self) -> str:
        """Return the pytest id that runs this story alone."""
        return f"{STORY}[{self.story}]"

    @property
    def oracle(self) -> str:
        """Return the oracle that first reported the defect."""
        return BY_NAME[self.story].oracle


Row = Guard | Mended
