"""`python -m rehearsal.soak` on a small scale: few requests, a few kills, real throttling; its checks must be able to
fail.
"""

import io
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from rehearsal.run.checks import Check
from rehearsal.soak import Plan, soak
from rehearsal.soak.checks import (
    CHECKS,
    accounts_ended,
    directory_matches_stages,
    everything_sent,
    histories_complete,
    in_time,
    nothing_leaked,
    one_mail_each,
    queues_empty,
    requests_ended,
    reviews_only_for_lost_answers,
    well_behaved,
)
from rehearsal.soak.evidence import Evidence
from rehearsal.soak.figures import checked, figures
from rehearsal.soak.population import Population
from rehearsal.soak.workload import Done

ROOT = Path(__file__).parents[2]
SMALL = Plan(requests=60, seconds=330, rate=6, kill_every=3, lag=(1, 2), throttling=0.11)
"""Requests are sent so slowly that three hosts are killed meanwhile."""
ADDRESS = re.compile(r"Host is ready at (http://127\.0\.0\.1:\d+)")

POPULATION = Population(80, seed=1)
REDEEMED, INVITED = sorted(POPULATION.ready)[:2]
BLOCKED = min(POPULATION.blocked)
TICKET = "5f0c6f0d"


def figure(printed: str, name: str) -> int:
    """Return a number from the table of figures."""
    found = re.search(rf"^ *{re.escape(name)} +(\d+)$", printed, re.MULTILINE)
    assert found, f"{name} is not in:\n{printed}"
    return int(found[1])


@pytest.mark.timeout(SMALL.seconds + 60)
def test_a_small_soak_ends_with_one_mail_each_and_nothing_lost(tmp_path: Path) -> None:
    out = io.StringIO()
    assert soak(SMALL, out=out, logs=tmp_path) == 0, out.getvalue()
    printed = out.getvalue()
    assert figure(printed, "seed") == SMALL.seed
    assert figure(printed, "requests") == SMALL.requests * 21 // 20
    assert figure(printed, "hosts killed") >= 3
    assert figure(printed, "deliveries") > figure(printed, "requests")
    assert figure(printed, "faults injected") > 0
    assert figure(printed, "violations") == 0
    assert figure(printed, "people who got 1") == figure(printed, "invitation mails") > 0
    assert figure(printed, "people who got none") == figure(printed, "people who got 2") == 0
    ends = [figure(printed, stage) for stage in ("invited", "completed", "blocked")]
    assert sum(ends) == figure(printed, "requests at the end") == figure(printed, "requests")
    assert f"all {len(CHECKS)} conditions hold (seed {SMALL.seed})" in printed
    assert len(list(tmp_path.glob("host-*.log"))) == figure(printed, "hosts killed") + 2


def test_a_soak_that_exceeds_its_time_stops_and_names_what_is_missing(tmp_path: Path) -> None:
    out = io.StringIO()
    assert soak(replace(SMALL, requests=400, seconds=8), out=out, logs=tmp_path) == 1
    printed = out.getvalue()
    assert "  NO  in time, problems: " in printed
    assert "no message left: not within 7 s" in printed
    assert "of 420 requests were sent" in printed
    assert re.search(r"FAILED: in time, everything sent.* \(seed 1\)$", printed, re.MULTILINE)
    assert "everything is stopped" in printed


def test_an_interrupted_soak_stops_everything_that_it_started(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rehearsal.soak", "--requests", "200", "--seed", "1", "--logs", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        assert process.stdout is not None
        assert any("sent" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=30)[0]
    assert process.returncode == 130, rest
    assert "everything is stopped" in rest
    addresses = [ADDRESS.findall(log.read_text("utf-8"))[0] for log in tmp_path.glob("host-*.log")]
    assert len(addresses) >= 2
    for address in addresses:
        with pytest.raises(httpx.ConnectError):
            httpx.get(address, trust_env=False)


def good() -> Evidence:
    """Return the evidence of a soak in which everything is right."""
    done = Done(sent=len(POPULATION.requests), seconds=60.0, redeemed=frozenset({REDEEMED}))
    evidence = Evidence(
        population=POPULATION,
        shows=True,
        done=done,
        requests=(),
        conversions=(),
        users={},
        mails=tuple({"userId": user_id, "ticket": TICKET} for user_id in sorted(POPULATION.ready)),
        journal=(),
        violations=(),
        log="Executing 'Functions.convert' (Reason='New queue message detected', Id=1)\n",
        kills=3,
        stored=0,
        poison=0,
    )
    accounts = sorted(POPULATION.ready | POPULATION.blocked)
    stages = {user_id: evidence.stages(user_id)[0] for user_id in accounts}
    requests = [row for each in POPULATION.requests for row in told("request", each.request_id, stages[each.user_id])]
    conversions = [row for user_id in accounts for row in told("current", user_id, stages[user_id])]
    states = {"blocked": None, "invited": "PendingAcceptance", "completed": "Accepted"}
    users = {
        user_id: {"userPrincipalName": "x@contoso.com", "externalUserState": states[stages[user_id]]}
        for user_id in accounts
    }
    return replace(evidence, requests=tuple(requests), conversions=tuple(conversions), users=users)


def in_review(evidence: Evidence, rule: str) -> Evidence:
    """Change the evidence: the tenant shows no invitations, and an account without a mail is in review for `rule`."""
    requests = [each.request_id for each in POPULATION.requests if each.user_id == INVITED]
    found = json.dumps([{"rule": rule}])
    for request_id in requests:
        evidence = replace(evidence, requests=reviewed(evidence.requests, request_id, "request"))
    conversions = changed(reviewed(evidence.conversions, INVITED, "current"), INVITED, "current", findings=found)
    users = {
        user_id: {**user, "externalUserState": None if user_id != REDEEMED else "Accepted"}
        for user_id, user in evidence.users.items()
    }
    mails = tuple(mail for mail in evidence.mails if mail["userId"] != INVITED)
    return replace(evidence, shows=False, conversions=conversions, users=users, mails=mails)


def lied_to(evidence: Evidence) -> Evidence:
    """Change the evidence: Graph confirmed one invitation that it did not send."""
    call = {"status": 201, "fault": {"kind": "no-effect"}, "body": {"invitedUser": {"id": INVITED}}}
    mails = tuple(mail for mail in evidence.mails if mail["userId"] != INVITED)
    return standing(replace(evidence, journal=(call,), mails=mails), INVITED, None)


def reviewed(rows: tuple[Mapping[str, Any], ...], partition: str, row_key: str) -> tuple[Mapping[str, Any], ...]:
    """Set the stage of a row and of its last event to needsReview."""
    rows = changed(rows, partition, row_key, stage="needsReview")
    return changed(rows, partition, SECOND_EVENT, stage="needsReview")


def told(row_key: str, partition: str, stage: str) -> list[dict[str, Any]]:
    """Return a state row with its history."""
    events = [
        {"PartitionKey": partition, "RowKey": f"history-{number:010d}", "kind": kind, "stage": kind}
        for number, kind in enumerate(("requested", stage), start=1)
    ]
    return [{"PartitionKey": partition, "RowKey": row_key, "stage": stage, "sequence": 2}, *events]


def without(rows: tuple[Mapping[str, Any], ...], partition: str, row_key: str) -> tuple[Mapping[str, Any], ...]:
    return tuple(row for row in rows if (row["PartitionKey"], row["RowKey"]) != (partition, row_key))


def changed(
    rows: tuple[Mapping[str, Any], ...], partition: str, row_key: str, **columns: Any
) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        {**row, **columns} if (row["PartitionKey"], row["RowKey"]) == (partition, row_key) else row for row in rows
    )


def standing(evidence: Evidence, user_id: str, state: str | None) -> Evidence:
    user = {**evidence.users[user_id], "externalUserState": state}
    return replace(evidence, users={**evidence.users, user_id: user})


REQUEST = POPULATION.requests[0].request_id
SECOND_EVENT = "history-0000000002"
EARLY = {"method": "GET", "path": "/v1.0/users", "kind": "early-retry", "detail": "1.0 s before Retry-After"}
STRANGER = {"stranger": {"userPrincipalName": "p_fabrikam.com#EXT#@contoso.com", "externalUserState": "Accepted"}}
FLAWS: Mapping[str, tuple[Callable[[Evidence], Check], Callable[[Evidence], Evidence]]] = {
    "it took too long": (in_time, lambda e: replace(e, done=replace(e.done, late=("no message left",)))),
    "not all were sent": (everything_sent, lambda e: replace(e, done=replace(e.done, sent=e.done.sent - 1))),
    "a request has no row": (requests_ended, lambda e: replace(e, requests=without(e.requests, REQUEST, "request"))),
    "a request is under way": (
        requests_ended,
        lambda e: replace(e, requests=changed(e.requests, REQUEST, "request", stage="inviting")),
    ),
    "an account says otherwise": (
        accounts_ended,
        lambda e: replace(e, conversions=changed(e.conversions, INVITED, "current", stage="inviting")),
    ),
    "a lost answer was left to a person in a tenant that shows": (
        accounts_ended,
        lambda e: replace(in_review(e, "outcome-unknown"), shows=True),
    ),
    "a person is asked for another reason": (reviews_only_for_lost_answers, lambda e: in_review(e, "not-visible")),
    "a request says otherwise than its account": (
        requests_ended,
        lambda e: replace(e, requests=changed(e.requests, REQUEST, "request", stage="needsReview")),
    ),
    "somebody got two mails": (one_mail_each, lambda e: replace(e, mails=(*e.mails, e.mails[0]))),
    "somebody got no mail": (one_mail_each, lambda e: replace(e, mails=e.mails[1:])),
    "somebody unfit got a mail": (
        one_mail_each,
        lambda e: replace(e, mails=(*e.mails, {"userId": BLOCKED, "ticket": TICKET})),
    ),
    "a user was made": (directory_matches_stages, lambda e: replace(e, users={**e.users, **STRANGER})),
    "an account shows what Graph did not send": (
        directory_matches_stages,
        lambda e: standing(lied_to(e), INVITED, "PendingAcceptance"),
    ),
    "an account shows nothing of what Graph sent": (directory_matches_stages, lambda e: standing(e, INVITED, None)),
    "a redemption got lost": (directory_matches_stages, lambda e: standing(e, REDEEMED, "PendingAcceptance")),
    "somebody unfit was touched": (directory_matches_stages, lambda e: standing(e, BLOCKED, "PendingAcceptance")),
    "an event is missing": (
        histories_complete,
        lambda e: replace(e, requests=without(e.requests, REQUEST, SECOND_EVENT)),
    ),
    "the last event tells another stage": (
        histories_complete,
        lambda e: replace(e, conversions=changed(e.conversions, INVITED, SECOND_EVENT, stage="failed")),
    ),
    "a message is left": (queues_empty, lambda e: replace(e, stored=1)),
    "a message is left in poison": (queues_empty, lambda e: replace(e, poison=1)),
    "a call came too early": (well_behaved, lambda e: replace(e, violations=(EARLY,))),
    "a redeem link is in a table": (
        nothing_leaked,
        lambda e: replace(e, conversions=changed(e.conversions, INVITED, "current", lastError=f"?ticket={TICKET}")),
    ),
    "an address is in a log": (nothing_leaked, lambda e: replace(e, log=e.log + "partner1@fabrikam.com\n")),
}
"""Flaws of the evidence, each with the check that must find it."""


def test_good_evidence_passes_every_check() -> None:
    for evidence in (good(), in_review(good(), "outcome-unknown"), lied_to(good())):
        assert [problem for examine in CHECKS for problem in examine(evidence).problems] == []


@pytest.mark.parametrize("flaw", FLAWS)
def test_each_flaw_is_found_by_its_check(flaw: str) -> None:
    examine, spoil = FLAWS[flaw]
    assert examine in CHECKS
    assert examine(spoil(good())).problems


def test_the_figures_count_mails_per_person_and_requests_by_stage() -> None:
    twice = replace(good(), mails=(*good().mails[1:], good().mails[1]), violations=(EARLY,))
    printed = "\n".join(figures(twice, Plan()))
    assert [figure(printed, f"people who got {count}") for count in ("none", "1", "2")] == [
        1,
        len(POPULATION.ready) - 2,
        1,
    ]
    assert figure(printed, "completed") >= 1
    assert figure(printed, "blocked") >= len(POPULATION.blocked)
    assert figure(printed, "violations") == 1


def test_a_failed_condition_is_printed_with_its_first_ten_problems() -> None:
    lines = list(checked({"queues empty": Check("both", ()), "one mail each": Check("all", ("twice",) * 12)}))
    assert lines[:4] == ["Conditions", "  ok  queues empty: both", "  NO  one mail each, problems: 12", "        twice"]
    assert len(lines) == 3 + 10 + 1
    assert lines[-1] == "        and 2 more"
