"""The tables of docs/*.md, which tests hold to code and templates."""

from tests.infra.bicep import ROOT

OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")
SECURITY = (ROOT / "docs" / "security.md").read_text("utf-8")


def section(document: str, title: str) -> str:
    """The text under a heading of the second level."""
    return document.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def table(document: str, title: str, number: int = 0) -> list[list[str]]:
    """The rows of a section's table, without its head."""
    blocks = [block for block in section(document, title).split("\n\n") if block.lstrip().startswith("|")]
    lines = [line.strip() for line in blocks[number].strip().splitlines()]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
