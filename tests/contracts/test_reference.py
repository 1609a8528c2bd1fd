"""Every list that is made from the tables in the code is up to date, and is made of all of them."""

import re

import pytest

from b2b.connection import STORAGE_SETTINGS
from b2b.domain.conversion.stages import Stage
from b2b.domain.conversion.waits import WaitReason
from b2b.domain.eligibility.facts import FACTS
from b2b.domain.eligibility.rules import RULES
from b2b.domain.error_codes import ErrorCode
from b2b.settings import SETTINGS
from reference import bicep, files, pages, protocol, samples
from tests.contracts.readme import ROOT


@pytest.mark.parametrize("name", [*files.WHOLE, *files.PARTS])
def test_a_made_file_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text("utf-8") == files._made()[name]


def first_cells(text: str) -> list[str]:
    """The first cells of the rows of all tables, in order."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_the_pages_list_every_row() -> None:
    rules = [rule.id for rule in RULES]
    assert first_cells(pages.rules()) == [*rules, "fact-not-readable", *rules]
    assert first_cells(pages.settings()) == [*STORAGE_SETTINGS, *(setting.name for setting in SETTINGS)]
    assert first_cells(pages.errors()) == list(ErrorCode)
    assert first_cells(protocol.stages()) == list(Stage)
    assert first_cells(protocol.waits()) == list(WaitReason)
    for fact in FACTS:
        assert f"| {fact.name} |" in pages.permissions()


def test_every_setting_reaches_the_template_the_parameter_file_and_the_workflow() -> None:
    chosen = [setting.name for setting in SETTINGS if setting.name not in bicep.MADE_BY_TEMPLATE]
    assert re.findall(r"^(\w+):", samples.workflow_variables(), re.MULTILINE) == chosen
    assert re.findall(r"readEnvironmentVariable\('(\w+)'", bicep.parameter_file()) == chosen
    assert re.findall(r"^(\w+):", bicep.app_settings(), re.MULTILINE) == [setting.name for setting in SETTINGS]
    assert len(re.findall(r"^param ", bicep.parameters(), re.MULTILINE)) == len(chosen)


def test_a_part_is_found_by_its_comments_and_nothing_around_it_changes() -> None:
    text = "a\n  # generated: x (by hand)\n  old\n  # end of generated\nb\n"
    made = files._with_parts(text, {files.Part("#", "x"): lambda: "new\n\nlines"})
    assert made == "a\n  # generated: x (by hand)\n  new\n\n  lines\n  # end of generated\nb\n"
    with pytest.raises(ValueError, match="no part 'y'"):
        files._with_parts(text, {files.Part("#", "y"): str})
