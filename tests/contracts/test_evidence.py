"""`docs/evidence.md` and the rehearsal's tenant agree: every inferred belief is a switch, and every switch has its
belief.
"""

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

from probe.questions import QUESTIONS
from rehearsal.tenant.switches import TABLE
from tests.faults.tenants import MET
from tests.simulation.directory_state import SWITCHES as IN_MEMORY

LEDGER = Path(__file__).parents[2] / "docs" / "evidence.md"
GRADES = {"Documented", "Recorded", "Relied-on", "Inferred"}


class Belief(NamedTuple):
    id: str
    belief: str
    grade: str
    source: str
    switch: str
    seen: str


def beliefs() -> list[Belief]:
    lines = LEDGER.read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line[1:-1].split("|")] for line in lines if re.match(r"\| [A-Z]+-\d\d \|", line)]
    return [Belief(*row) for row in cells]


def seen(folder: Path) -> dict[str, str]:
    """Return the `seen` cell of each belief in the results of the probe: its positions, the most frequent first."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for path in sorted(folder.glob("*.json")):
        for belief in json.loads(path.read_text("utf-8"))["beliefs"]:
            if belief["ended"] == "seen":
                found[belief["id"]][" or ".join(belief["positions"]) or "something else"] += 1
    return {
        identifier: ", ".join(f"{position} ({count})" for position, count in positions.most_common())
        for identifier, positions in found.items()
    }


def switch_names(belief: Belief) -> list[str]:
    return re.findall(r"`([^`]+)`", belief.switch)


def test_the_page_begins_with_what_a_green_run_does_not_prove() -> None:
    title, _, text = LEDGER.read_text("utf-8").partition("\n\n")
    assert title.startswith("# ")
    assert text.startswith('A green run is never called "works on Entra"')


def test_every_row_has_a_unique_id_a_belief_a_grade_and_a_source() -> None:
    rows = beliefs()
    assert len(rows) > 80
    assert len({row.id for row in rows}) == len(rows)
    assert [row.id for row in rows if not (row.belief and row.source)] == []
    assert [row.id for row in rows if row.grade not in GRADES] == []


def test_every_inferred_belief_names_a_switch() -> None:
    assert [row.id for row in beliefs() if row.grade == "Inferred" and not switch_names(row)] == []


def test_every_switch_that_a_row_names_exists() -> None:
    assert [(row.id, name) for row in beliefs() for name in switch_names(row) if name not in TABLE] == []


def test_every_switch_belongs_to_exactly_one_belief() -> None:
    named = sorted(name for row in beliefs() for name in switch_names(row))
    assert named == sorted(TABLE)


def test_ids_are_numbered_without_gaps_within_their_section() -> None:
    seen: dict[str, int] = {}
    for row in beliefs():
        section, _, number = row.id.partition("-")
        seen[section] = seen.get(section, 0) + 1
        assert int(number) == seen[section], row.id


def test_the_column_seen_matches_the_results_in_the_repository() -> None:
    expected = seen(LEDGER.parent / "seen")
    rows = beliefs()
    assert expected.keys() <= {row.id for row in rows}
    assert [(row.id, row.seen, expected.get(row.id, "")) for row in rows if row.seen != expected.get(row.id, "")] == []


def test_results_of_several_tenants_are_counted(tmp_path: Path) -> None:
    answers = [["mail-only"], ["mail-only"], ["mail-or-other-mails"], []]
    for number, positions in enumerate(answers):
        result = [
            {"id": "INV-06", "ended": "seen", "positions": positions},
            {"id": "INV-16", "ended": "seen", "positions": ["unless-restricted", "always"]},
            {"id": "INV-13", "ended": "skipped", "reason": "no licence"},
        ]
        (tmp_path / f"{number}.json").write_text(json.dumps({"beliefs": result}), "utf-8")
    assert seen(tmp_path) == {
        "INV-06": "mail-only (2), mail-or-other-mails (1), something else (1)",
        "INV-16": "unless-restricted or always (4)",
    }


def test_every_question_of_the_probe_is_a_belief_with_the_same_switch() -> None:
    named = {row.id: switch_names(row) for row in beliefs()}
    assert [
        (question.id, question.switch) for question in QUESTIONS if question.switch not in (None, *named[question.id])
    ] == []


def test_every_switch_is_simulated_or_the_page_says_why_not() -> None:
    section = LEDGER.read_text("utf-8").partition("## The positions that an invitation meets")[2].partition("\n## ")[0]
    met, _, others = section.partition("The other switches change nothing")
    listed = re.findall(r"^\| `([a-z-]+)` \| [A-Z]", met, re.MULTILINE)
    rows = re.findall(r"^\| (`.+?`) \|", others, re.MULTILINE)
    apart = [name for row in rows for name in re.findall(r"`([a-z-]+)`", row)]
    assert sorted(listed) == sorted(IN_MEMORY)
    assert sorted([*listed, *apart]) == sorted(TABLE)


def test_the_fault_sweep_covers_every_simulated_switch_except_those_named() -> None:
    section = LEDGER.read_text("utf-8").partition("## The positions that an invitation meets")[2].partition("\n| ")[0]
    excused = re.findall(r"\(`([a-z-]+)`\)", section)
    assert sorted([*MET, *excused]) == sorted(IN_MEMORY)
