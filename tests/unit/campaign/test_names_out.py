"""What a campaign returns: filters, counts of people, and CSV without formulas."""

import csv
import io
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from b2b.domain.campaign import csv_out, names
from b2b.domain.campaign.filters import Filter
from b2b.domain.campaign.member import LISTED_TWICE, Member, MemberStage, twice
from b2b.domain.campaign.outlook import REMEDIES, Change, Prospect, Who, counted, prospect_of
from b2b.domain.campaign.reading import Wanted, read
from b2b.domain.conversion.waits import Waiting, WaitReason
from b2b.domain.eligibility.judge import FACT_NOT_READABLE, RULE_IDS
from b2b.domain.eligibility.rules import RULES
from b2b.domain.findings import Severity, Verdict
from tests.unit.campaign.people import NOON, POLICY, finding, member

BLOCK, REVIEW, FIX, WARN = Severity.BLOCK, Severity.REVIEW, Severity.FIX, Severity.WARN
WAITING = Waiting(WaitReason.THROTTLED, NOON - timedelta(hours=2))
ANNA = member(1, finding("no-external-address", FIX), address="anna@fabrikam.com")
BERTA = member(2, finding("address-unlikely", REVIEW), invited_address="b@Adatum.com")
CARLA = member(3, finding("already-external", BLOCK))
DORA = member(4, stage=MemberStage.REQUESTED, waiting=WAITING)
EMMA = member(5, stage=MemberStage.INVITED, invited_at=NOON - timedelta(days=8), verdict=Verdict.READY)
PEOPLE = (ANNA, BERTA, CARLA, DORA, EMMA)


def as_csv(members: Iterable[Member], *kept: str) -> list[str]:
    return [names.header(kept), *(names.line(each, kept) for each in members)]


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ({}, PEOPLE),
        ({"stage": MemberStage.JUDGED}, (ANNA, BERTA, CARLA)),
        ({"verdict": Verdict.FIXABLE}, (ANNA,)),
        ({"verdict": Verdict.BLOCKED, "stage": MemberStage.JUDGED}, (CARLA,)),
        ({"stage": MemberStage.BLOCKED}, ()),
        ({"rule": "address-unlikely"}, (BERTA,)),
        ({"domain": "ADATUM.com"}, (BERTA,)),
        ({"domain": "fabrikam.com"}, (ANNA,)),
        ({"waiting": WaitReason.THROTTLED}, (DORA,)),
        ({"waits_longer_than": timedelta(hours=1)}, (DORA, EMMA)),
        ({"waits_longer_than": timedelta(days=7)}, (EMMA,)),
        ({"waits_longer_than": timedelta(0)}, (DORA, EMMA)),
    ],
)
def test_a_filter_matches_members_that_meet_all_conditions(
    conditions: dict[str, Any], found: tuple[Member, ...]
) -> None:
    chosen = Filter(**conditions)
    assert tuple(each for each in PEOPLE if chosen.takes(each, NOON)) == found
    assert chosen.by_stage_alone is (set(conditions) <= {"stage"})


def test_people_are_counted_not_rows() -> None:
    doubled = twice(member(6, user_id=ANNA.user_id), ANNA.key)
    counts = counted([*PEOPLE, doubled, member(7, stage=MemberStage.LISTED, verdict=None)])
    assert counts.people == 6
    assert counts.by_stage == {"judged": 3, "requested": 1, "invited": 1, "listed": 1}
    assert counts.by_verdict == {"fixable": 1, "needsReview": 1, "blocked": 1, "ready": 2}
    assert counts.by_rule == {"no-external-address": 1, "address-unlikely": 1, "already-external": 1, LISTED_TWICE: 1}
    assert counts.by_prospect == {"fixable": 1, "needsAPerson": 1, "cannot": 1}
    assert counts.by_change == {Change.ADDRESS: 1}
    assert counts.by_who == {Who.DECIDER: 1}


@pytest.mark.parametrize(
    ("row", "prospect", "change"),
    [
        (member(1), Prospect.READY, None),
        (member(1, finding("group-address", BLOCK)), Prospect.FIXABLE, Change.ADDRESS),
        (member(1, finding("group-address", BLOCK), synced=True), Prospect.FIXABLE, Change.ADDRESS_ON_PREMISES),
        (
            member(1, finding("group-address", BLOCK), finding("possible-mailbox", WARN)),
            Prospect.FIXABLE,
            Change.ADDRESS_IN_EXCHANGE,
        ),
        (
            member(1, finding("exchange-mailbox", BLOCK), finding("directory-role", REVIEW)),
            Prospect.FIXABLE,
            Change.MAILBOX,
        ),
        (member(1, finding("excluded-group", BLOCK), finding("group-address", BLOCK)), Prospect.CANNOT, None),
        (member(1, finding("directory-role", REVIEW)), Prospect.NEEDS_A_PERSON, None),
        (member(1, stage=MemberStage.INVITED), None, None),
        (member(1, stage=MemberStage.LISTED, verdict=None), None, None),
    ],
)
def test_each_judged_member_has_one_prospect(row: Member, prospect: Prospect | None, change: Change | None) -> None:
    assert prospect_of(row) is prospect
    counts = counted([row])
    assert counts.by_change == ({change: 1} if change else {})


def test_every_rule_that_can_block_has_a_remedy() -> None:
    heavy = {rule.id for rule in RULES if {rule.current, rule.legacy} & {BLOCK, FIX}}
    assert heavy | {FACT_NOT_READABLE, LISTED_TWICE} <= REMEDIES.keys() <= {*RULE_IDS, FACT_NOT_READABLE, LISTED_TWICE}


FORMULAS = (
    "=1+1",
    "+49 30",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "'=1",
    "\uff1d1",
    " =1",
    "''+1",
    "=cmd|' /C calc'!A0",
)
WITHIN = (
    "Acme;=cmd|' /C calc'!A0;",
    "Acme\t@SUM(A1)",
    "Acme,+1",
    "Acme\r\n-2",
    'Acme; "=1"',
    "Acme;'=1",
    "Acme;\uff1d1",
    "a;b,c;;\t=1",
    "=1;=2",
)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30) | st.sampled_from(
    (*FORMULAS, *WITHIN)
)
PIECES = st.lists(st.sampled_from(["=", "-", "'", '"', " ", ";", ",", "\t", "\r", "\n", "a"]), max_size=12).map("".join)


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str) -> None:
    assert csv_out.guarded(text).startswith("'")
    assert csv_out.unguarded(csv_out.guarded(text)) == text


@given(TEXT | PIECES)
def test_guarded_text_reads_back_unchanged(text: str) -> None:
    written = csv_out.guarded(text)
    assert written.lstrip(" ")[:1] not in {"=", "+", "-", "@"}
    assert csv_out.unguarded(written) == text


@pytest.mark.parametrize("separator", [";", "\t", ","])
@pytest.mark.parametrize("text", WITHIN)
def test_no_part_of_a_cell_is_a_formula_under_another_separator(text: str, separator: str) -> None:
    rows = csv.reader(io.StringIO(csv_out.line(["Acme", text]), newline=""), delimiter=separator)
    cells = [cell for row in rows for cell in row]
    assert [cell for cell in cells if cell.lstrip(" ")[:1] in {"=", "+", "-", "@", "\uff1d"}] == []


@example('"=', ",")
@given(PIECES, st.sampled_from([";", "\t", ","]))
def test_no_formula_appears_wherever_a_cell_is_split(text: str, separator: str) -> None:
    rows = csv.reader(io.StringIO(csv_out.line(["Acme", text]), newline=""), delimiter=separator)
    assert [cell for row in rows for cell in row if cell.lstrip(' "')[:1] in {"=", "-"}] == []


def test_guarding_a_long_cell_takes_less_than_two_seconds() -> None:
    for piece in (";", "'", ";'", "; ", "\t", '"'):
        text = piece * (200_000 // len(piece))
        began = time.perf_counter()
        assert csv_out.unguarded(csv_out.guarded(text)) == text
        assert time.perf_counter() - began < 2, f"{piece!r} takes too long"


def test_the_csv_of_members_has_names_changes_and_the_callers_columns() -> None:
    kept = (("Lieferant", "=HYPERLINK()"),)
    text = "".join(as_csv([member(1, finding("no-external-address", FIX), reference="0007", kept=kept)], "Lieferant"))
    assert text.startswith(csv_out.MARK)
    (row,) = csv.DictReader(io.StringIO(text.removeprefix(csv_out.MARK), newline=""))
    assert row["userPrincipalName"] == "user1@contoso.com"
    assert row["reference"] == "0007"
    assert (row["change"], row["who"]) == (Change.ADDRESS, Who.USERS)
    assert row["Lieferant"] == "'=HYPERLINK()"


@given(st.lists(st.tuples(TEXT.map(str.strip), TEXT.map(str.strip)), min_size=1, max_size=5))
def test_the_csv_of_members_can_be_sent_as_a_list(rows: list[tuple[str, str]]) -> None:
    people = [
        member(number, reference=reference, kept=(("Own", own),)) for number, (reference, own) in enumerate(rows, 1)
    ]
    text = "".join(as_csv(people, "Own"))
    found = read(text.encode(), POLICY, Wanted(keep=("Own",)))
    assert [(entry.reference, entry.kept) for entry in found.entries] == [
        (reference, (("Own", own),)) for reference, own in rows
    ]
    assert found.faults == ()
