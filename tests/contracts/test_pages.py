"""Every link of README and docs leads somewhere, every page is found from the index, and README stays short."""

from pathlib import Path

import pytest

from tests.contracts.pages import DOCS, INDEX, PAGES, ROOT, anchors, links, local_links, read

WORDS_OF_README = 900


def broken(page: Path, text: str) -> list[str]:
    """The links of a page that lead to no file, to no heading, or out of the repository."""
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


def test_a_link_to_no_file_or_to_no_heading_is_found() -> None:
    text = "# A\n[x](#a) [x](none.md) [x](README.md#none) [x](../..) <img src='' src=\"no.svg\"> `[x](code.md)`\n"
    assert broken(INDEX, text) == ["#a", "none.md", "README.md#none", "../..", "no.svg"]


def test_headings_become_anchors_as_github_makes_them() -> None:
    text = "# A `b` c\n## A [b](x.md), c!\n```\n# not a heading\n```\n## First run in `assess`\n"
    assert anchors(text) == {"a-b-c", "a-b-c-1", "first-run-in-assess"}


def test_every_page_is_found_from_the_index() -> None:
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


def test_readme_warns_before_anything_else_is_promised() -> None:
    before, warning, _ = read("README.md").partition("real tenant")
    assert warning
    assert "\n## " not in before
