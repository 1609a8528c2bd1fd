import pytest

from tests.simulation.search import play, told
from tests.simulation.stories import OPEN, STORIES, Story


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(
            story,
            id=story.name,
            marks=[pytest.mark.xfail(reason="the defect is still in the app", strict=True)]
            if story.name in OPEN
            else [],
        )
        for story in STORIES
    ],
)
def test_a_story_that_once_ended_badly_ends_well(story: Story) -> None:
    played = play(story.history)
    assert not played.violations, told(story.history)
