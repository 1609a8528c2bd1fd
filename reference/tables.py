"""Write tables in Markdown."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table. A bar inside a cell is escaped, because it would end the cell."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines) + "\n"


def coded(text: str) -> str:
    """Return a text as code, or a hyphen if it is empty."""
    return f"`{text}`" if text else "-"
