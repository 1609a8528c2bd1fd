"""The Markdown pages as data: headings, links, and the rows of tables."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
INDEX = DOCS / "README.md"
PAGES = tuple(sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")]))
_FENCED = re.compile(r"^( *)(```|~~~).*?^\1\2\s*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(([^()\s]+)\)|(?:href|src)=\"([^\"]+)\"")
_LINE_OF_TABLE = re.compile(r"[\s|:-]+")


def read(name: str) -> str:
    """Return the text of a page, given its path from the root of the repository."""
    return (ROOT / name).read_text("utf-8")


def links(text: str) -> list[str]:
    """Return the targets of all links and pictures outside code."""
    prose = _CODE.sub("", _FENCED.sub("", text))
    return [inline or quoted for inline, quoted in _LINK.findall(prose)]


def local_links(text: str) -> list[str]:
    """Return the targets of links that stay inside the repository."""
    return [link for link in links(text) if not re.match(r"[a-z]+:", link)]


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them; a repeated heading gets a number."""
    found: dict[str, int] = {}
    made = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", _FENCED.sub("", text), re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w -]", "", shown.lower()).replace(" ", "-")
        number = found.get(slug, 0)
        found[slug] = number + 1
        made.add(f"{slug}-{number}" if number else slug)
    return made


def section(text: str, title: str) -> str:
    """Return the text under a heading of the second level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no section '{title}'"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """Return the cells of every row of all tables, including header rows. Backticks stay."""
    lines = [line.strip() for line in text.splitlines() if line.lstrip().startswith("|")]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if not _LINE_OF_TABLE.fullmatch(line)
    ]
