"""README.md as data: its sections and the rows of their tables."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
_RULE_OF_TABLE = re.compile(r"[\s|:-]+")


def section(title: str) -> str:
    """The text under a heading of the second level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"README has no section '{title}'"
    return found[1]


def rows(title: str) -> list[list[str]]:
    """The cells of every row of the section's tables, header rows included, markers of code left in."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if not _RULE_OF_TABLE.fullmatch(line)
    ]


def coded(cell: str) -> str | None:
    """The text of a cell that is nothing but code."""
    found = re.fullmatch(r"`([^`]*)`", cell)
    return found[1] if found else None
