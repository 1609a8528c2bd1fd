import pytest

from tests.simulation.search import play, told
from tests.simulation.stories import STORIES
from tests.simulation.story import Story


@pytest.mark.parametrize("story", STORIES, ids=[story.name for story in STORIES])
def test_a_story_ends_well(story: Story) -> None:
    played = play(story.history)
    assert not played.violations, told(story.history)
