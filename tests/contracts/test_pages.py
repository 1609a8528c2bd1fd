"""Every link of README and docs has a target, every page can be reached from the index, and README is short."""

import re
from pathlib import Path

import pytest

from b2b.domain.sweep import BUDGETS, Part
from tests.contracts.pages import DOCS, INDEX, PAGES, ROOT, anchors, links, local_links, read, rows, section
from tests.faults.guards import GUARDS
from tests.simulation.oracles import ORACLES

WORDS_OF_README = 900
PLACE = re.compile(r"`((?:b2b|docs|infra|probe|reference|rehearsal|samples|tests)/[\w./-]+)(?:::(\w+))?")
MADE_BY_THE_READER = {"docs/seen", "docs/seen/", "infra/production.bicepparam"}
"""Paths that a page tells its reader to create."""


def broken(page: Path, text: str) -> list[str]:
    """Return the links of a page that lead to no file, to no heading, or out of the repository."""
    found = []
    for link in local_links(text):
        name, _, part = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        inside = target.is_relative_to(ROOT) and target.exists()
        if not inside or (part and part not in anchors(target.read_text("utf-8"))):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_its_heading(page: Path) -> None:
    assert broken(page, page.read_text("utf-8")) == []


def test_links_without_a_target_or_out_of_the_repository_are_found() -> None:
    text = "# A\n[x](#a) [x](none.md) [x](README.md#none) [x](../..) <img src='' src=\"no.svg\"> `[x](code.md)`\n"
    assert broken(INDEX, text) == ["#a", "none.md", "README.md#none", "../..", "no.svg"]


def test_headings_become_anchors_as_github_makes_them() -> None:
    text = "# A `b` c\n## A [b](x.md), c!\n```\n# not a heading\n```\n## First run in `assess`\n"
    assert anchors(text) == {"a-b-c", "a-b-c-1", "first-run-in-assess"}


def test_every_page_can_be_reached_from_the_index() -> None:
    seen, left = {INDEX}, [INDEX]
    while left:
        page = left.pop()
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in local_links(page.read_text("utf-8"))}
        new = {target for target in targets if target.suffix == ".md" and target.exists()} - seen
        seen |= new
        left += new
    assert {str(page.relative_to(ROOT)) for page in set(DOCS.rglob("*.md")) - seen} == set()


def test_readme_is_short_and_leads_to_the_index() -> None:
    readme = read("README.md")
    assert len(readme.split()) <= WORDS_OF_README
    assert str(INDEX.relative_to(ROOT)) in links(readme)


def test_readme_warns_about_real_tenants_before_its_first_section() -> None:
    before, warning, _ = read("README.md").partition("real tenant")
    assert warning
    assert "\n## " not in before


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_and_test_that_a_page_names_exists(page: Path) -> None:
    missing = []
    for name, test in PLACE.findall(page.read_text("utf-8")):
        place = ROOT / name
        if name not in MADE_BY_THE_READER and not place.exists():
            missing.append(name)
        elif test and not re.search(rf"def {test}\(", place.read_text("utf-8")):
            missing.append(f"{name}::{test}")
    assert missing == []


def test_the_oracles_that_the_architecture_names_exist() -> None:
    named = re.findall(r"oracles? ((?:`\w+`(?:, )?)+)", read("docs/architecture.md"))
    assert {name for names in named for name in re.findall(r"`(\w+)`", names)} <= {each.__name__ for each in ORACLES}
    assert len(named) > 8


def test_the_kinds_of_guard_that_the_architecture_names_exist() -> None:
    named = re.findall(r"guards? ((?:\*\w+\*(?:, )?)+)", read("docs/architecture.md"))
    kinds = {guard.name.partition(":")[0] for guard in GUARDS}
    assert {name for names in named for name in re.findall(r"\*(\w+)\*", names)} <= kinds
    assert len(named) > 6


def test_the_budgets_of_the_sweep_match_the_operations_page() -> None:
    listed = {cells[0].strip("`"): cells[2:] for cells in rows(section(read("docs/operations.md"), "The sweep"))}
    budgets = {part: [f"{budget.items:,}", f"{budget.seconds:.0f}"] for part, budget in BUDGETS.items()}
    assert {part: listed.get(part) for part in Part} == budgets
