"""All stories: histories that once ended badly, and that must end well now."""

from tests.simulation.campaign_stories import OF_CAMPAIGNS
from tests.simulation.later_stories import LATER
from tests.simulation.numbered_stories import NUMBERED
from tests.simulation.story import Story

STORIES: tuple[Story, ...] = (*NUMBERED, *LATER, *OF_CAMPAIGNS)
BY_NAME = {story.name: story for story in STORIES}
