"""A guard as a row, the mechanism that mends a story as a row, and the tests that several guards share."""

from typing import NamedTuple

from tests.simulation.stories import BY_NAME

HISTORY = "tests/faults/test_guard_histories.py::test_a_guard_is_there_when_it_is_needed"
STORY = "tests/simulation/test_stories.py::test_a_story_that_once_ended_badly_ends_well"
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
    """Lines of a file that are a guard, and what is left without them."""

    file: str
    lines: str
    without: str


class Guard(NamedTuple):
    """A guard, the lines that are it with what is left without them, and the test that notices."""

    name: str
    file: str
    edits: tuple[tuple[str, str], ...]
    test: str
    oracle: str = ""
    """The oracle that must be the one to notice; empty: the test has none."""

    @property
    def places(self) -> tuple[Place, ...]:
        """Everything that is taken out."""
        return tuple(Place(self.file, lines, without) for lines, without in self.edits)


class Mended(NamedTuple):
    """A story, and the mechanism without which it ends badly again: its own oracle notices."""

    story: str
    mechanism: str
    places: tuple[Place, ...]

    @property
    def name(self) -> str:
        """The row in a word."""
        return f"story {self.story}: {self.mechanism}"

    @property
    def test(self) -> str:
        """The test of this story alone."""
        return f"{STORY}[{self.story}]"

    @property
    def oracle(self) -> str:
        """The oracle that noticed the defect first."""
        return BY_NAME[self.story].oracle


Row = Guard | Mended
