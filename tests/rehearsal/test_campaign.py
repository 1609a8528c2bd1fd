"""The checks and the printed figures of a large campaign."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rehearsal.campaign.acts import Act, Played
from rehearsal.campaign.judgement import (
    CHECKS,
    Evidence,
    all_judged,
    figures,
    no_message_lost,
    one_mail_each,
    released_invited,
    well_behaved,
)
from rehearsal.campaign.plan import Plan
from rehearsal.host.engine import Counts


def good() -> Evidence:
    calls = {"calls": 80, "roundTrips": 9, "invitations": 2, "throttled": 1}
    return Evidence(
        plan=Plan(members=10, release=2),
        played=Played([Act("judge", 10, 5.0, calls)], 10, ("a", "b"), Counter(ready=9, blocked=1, released=2)),
        invited=frozenset({"a", "b"}),
        mails=({"userId": "1"}, {"userId": "2"}),
        violations=(),
        messages=Counts(succeeded=4),
        queued=0,
        poison=0,
    )


Check = Callable[[Evidence], Any]
FLAWS: list[tuple[Check, str, Callable[[Evidence], Evidence]]] = [
    (all_judged, "9 of 10", lambda e: replace(e, played=replace(e.played, judged=9))),
    (released_invited, "member b: released and not invited", lambda e: replace(e, invited=frozenset({"a"}))),
    (released_invited, "member c: invited and not", lambda e: replace(e, invited=frozenset({"a", "b", "c"}))),
    (released_invited, "1 members were", lambda e: replace(e, played=replace(e.played, released=("a",)))),
    (no_message_lost, "queue: 1", lambda e: replace(e, queued=1)),
    (no_message_lost, "poison: 1", lambda e: replace(e, poison=1)),
    (no_message_lost, "given up: 50", lambda e: replace(e, played=replace(e.played, outcomes=Counter(gaveUp=50)))),
    (one_mail_each, "account 1: 2 mails", lambda e: replace(e, mails=(*e.mails, e.mails[0]))),
    (one_mail_each, "1 got a mail", lambda e: replace(e, mails=e.mails[:1])),
    (
        well_behaved,
        "too-early",
        lambda e: replace(e, violations=({"method": "GET", "path": "/", "kind": "too-early", "detail": "-"},)),
    ),
]


@pytest.mark.parametrize("examine", CHECKS)
def test_every_check_passes_for_a_good_campaign(examine: Check) -> None:
    assert examine(good()).problems == ()


@pytest.mark.parametrize(("examine", "named", "flaw"), FLAWS)
def test_a_check_reports_the_flaw_it_is_for(examine: Check, named: str, flaw: Callable[[Evidence], Evidence]) -> None:
    assert any(named in problem for problem in examine(flaw(good())).problems)


def test_every_check_is_tested_with_a_flaw() -> None:
    assert {examine for examine, _, _ in FLAWS} == set(CHECKS)


def test_the_figures_show_time_and_graph_calls_of_each_act() -> None:
    header, judge, messages = figures(good())
    assert judge.split() == ["judge", "10", "5", "2.0", "80", "9", "1"]
    assert "Graph calls" in header
    assert messages == "messages: 4 processed, 0 failed and were retried, 0 left"
