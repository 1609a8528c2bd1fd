"""Write the index of docs/decisions from the files in it."""

import re
from pathlib import Path

from reference.pages import MADE
from reference.tables import table

FOLDER = Path(__file__).parents[1] / "docs" / "decisions"
TITLE = re.compile(r"# (\d+)\. (.+)\n\nAccepted on (\d{4}-\d\d-\d\d)\.\n")


def index(folder: Path = FOLDER) -> str:
    """Return the index page: every decision with its date, by number."""
    rows = [_row(path) for path in sorted(folder.glob("[0-9]*.md"))]
    made = MADE.replace("the tables in b2b. Change those", "the decisions. Change those")
    return f"""{made}
# Decisions

Decisions that a reader will question, each with its reasons and its price. A decision that changes is rewritten in
place, because nothing is released yet; the date is that of its first version.

{table(["number", "decision", "accepted"], rows)}"""


def _row(path: Path) -> list[str]:
    found = TITLE.match(path.read_text("utf-8"))
    if found is None or int(found[1]) != int(path.name.partition("-")[0]):
        raise ValueError(f"{path.name} does not begin with its number, its title and 'Accepted on <date>.'")
    number, title, accepted = found.groups()
    return [number, f"[{title}]({path.name})", accepted]
