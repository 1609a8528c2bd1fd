"""`docs/evidence.md` against the rehearsal tenant: what is inferred is a switch, and every switch has its belief."""

import re
from pathlib import Path
from typing import NamedTuple

from rehearsal.tenant.switches import TABLE

LEDGER = Path(__file__).parents[2] / "docs" / "evidence.md"
GRADES = {"Documented", "Recorded", "Relied-on", "Inferred"}


class Belief(NamedTuple):
    id: str
    belief: str
    grade: str
    source: str
    switch: str


def beliefs() -> list[Belief]:
    lines = LEDGER.read_text("utf-8").splitlines()
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if re.match(r"\| [A-Z]+-\d\d \|", line)
    ]
    return [Belief(*row) for row in cells]


def switch_names(belief: Belief) -> list[str]:
    return re.findall(r"`([^`]+)`", belief.switch)


def test_the_ledger_says_first_what_a_green_run_does_not_mean() -> None:
    title, _, text = LEDGER.read_text("utf-8").partition("\n\n")
    assert title.startswith("# ")
    assert text.startswith('A green run is never called "works on Entra"')


def test_every_row_has_an_id_of_its_own_a_belief_a_grade_and_a_source() -> None:
    rows = beliefs()
    assert len(rows) > 80
    assert len({row.id for row in rows}) == len(rows)
    assert [row.id for row in rows if not (row.belief and row.source)] == []
    assert [row.id for row in rows if row.grade not in GRADES] == []


def test_every_inferred_belief_is_a_switch_of_the_tenant() -> None:
    assert [row.id for row in beliefs() if row.grade == "Inferred" and not switch_names(row)] == []


def test_every_switch_that_a_row_names_exists() -> None:
    assert [(row.id, name) for row in beliefs() for name in switch_names(row) if name not in TABLE] == []


def test_every_switch_of_the_tenant_stands_beside_exactly_one_belief() -> None:
    named = sorted(name for row in beliefs() for name in switch_names(row))
    assert named == sorted(TABLE)


def test_ids_count_up_within_their_section() -> None:
    seen: dict[str, int] = {}
    for row in beliefs():
        section, _, number = row.id.partition("-")
        seen[section] = seen.get(section, 0) + 1
        assert int(number) == seen[section], row.id
