"""The checks of a run: good evidence passes all of them, and each flaw fails its check."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rehearsal.run.checks import (
    CHECKS,
    Examiner,
    accounts_ended,
    conflicts_noted,
    decisions_taken,
    queues_empty,
    refused_by_http,
    refused_from_queue,
    requests_ended,
)
from rehearsal.run.evidence import Evidence
from rehearsal.run.membership import MEMBERSHIP, members_decided, members_ended, rows_refused
from rehearsal.run.report import MOST_PROBLEMS, checked, differences, fates, outcome
from rehearsal.run.safety import (
    SAFETY,
    nothing_leaked,
    nothing_lost,
    one_invitation_each,
    one_mail_each,
    others_untouched,
    well_behaved,
)
from rehearsal.run.sending import Receipt
from rehearsal.sample import Act, Change
from tests.rehearsal.run_evidence import (
    APPROVED,
    BLOCKED,
    BY_HTTP,
    BY_QUEUE,
    CALLED_OFF,
    HELD,
    LISTED,
    PLAIN,
    REPEAT,
    TICKET,
    good,
    object_id,
    with_campaign,
    with_line,
    with_played,
    with_receipt,
    with_row,
    with_status,
    with_taken,
    with_user,
)

Flaw = Callable[[Evidence], Evidence]
REFUSAL = {"error": {"code": "MissingField", "target": "invitedUser"}}
NOT_CANCELLED = Receipt(None, 409, {}, "NotCancellable")
FLAWS: list[tuple[Examiner, str, Flaw]] = [
    (rows_refused, "MissingField", lambda e: with_taken(e, faults=())),
    (rows_refused, "expected 3, got 2", lambda e: with_taken(e, members=("a", "b"))),
    (rows_refused, "got 0", lambda e: with_campaign(e, taken=None)),
    (members_ended, LISTED, lambda e: with_status(e, LISTED, stage="judged")),
    (members_ended, LISTED, lambda e: with_line(e, LISTED, stage="invited")),
    (members_ended, HELD, lambda e: with_status(e, HELD, findings=[])),
    (members_ended, HELD, lambda e: with_status(e, HELD, verdict="blocked")),
    (members_ended, HELD, lambda e: replace(e, members=(e.members[0], *e.members[2:]))),
    (members_ended, "its request's row says invited", lambda e: with_row(e, LISTED, stage="invited")),
    (members_decided, "FindingsChanged", lambda e: with_campaign(e, decided={APPROVED: "FindingsChanged"})),
    (members_decided, "not shown", lambda e: with_campaign(e, decided={})),
    (requests_ended, PLAIN, lambda e: with_row(e, PLAIN, stage="invited")),
    (requests_ended, PLAIN, lambda e: with_row(e, PLAIN, verdict="blocked")),
    (requests_ended, BLOCKED, lambda e: with_row(e, BLOCKED, findings="[]")),
    (requests_ended, PLAIN, lambda e: replace(e, requests=e.requests[1:])),
    (requests_ended, PLAIN, lambda e: with_receipt(e, PLAIN, Receipt(None, 503, {}, "ServiceUnavailable"))),
    (requests_ended, "by HTTP", lambda e: replace(e, answers={**e.answers, PLAIN: (202, e.answers[PLAIN][1])})),
    (requests_ended, "by HTTP", lambda e: replace(e, answers={**e.answers, PLAIN: e.answers[BLOCKED]})),
    (accounts_ended, "no row", lambda e: replace(e, conversions=e.conversions[1:])),
    (accounts_ended, "inviting", lambda e: replace(e, conversions=({**e.conversions[0], "stage": "inviting"},))),
    (decisions_taken, "409 NotCancellable", lambda e: with_played(e, decided={CALLED_OFF: NOT_CANCELLED})),
    (decisions_taken, "waited for throttled", lambda e: with_played(e, waited={CALLED_OFF: "throttled"})),
    (decisions_taken, "waited for None", lambda e: with_played(e, waited={})),
    (nothing_leaked, "HTTP answers", lambda e: with_played(e, decided={CALLED_OFF: Receipt("x", 202, {"x": TICKET})})),
    (refused_by_http, BY_HTTP, lambda e: with_receipt(e, BY_HTTP, Receipt("x", 202))),
    (refused_by_http, BY_HTTP, lambda e: with_receipt(e, BY_HTTP, Receipt(None, 400, REFUSAL, None))),
    (refused_from_queue, BY_QUEUE, lambda e: with_row(e, BY_QUEUE, errorCode="NotJson")),
    (refused_from_queue, BY_QUEUE, lambda e: with_row(e, BY_QUEUE, stage="requested")),
    (conflicts_noted, REPEAT, lambda e: replace(e, requests=e.requests[:-1])),
    (queues_empty, "sweep", lambda e: with_played(e, swept=False)),
    (queues_empty, "left in the queues: 1", lambda e: replace(e, left_in_queues=1)),
    (one_invitation_each, "2 invitations", lambda e: replace(e, journal=(*e.journal, e.journal[0]))),
    (one_invitation_each, "not invited", lambda e: replace(e, journal=e.journal[1:])),
    (one_invitation_each, "must not be", lambda e: replace(e, journal=(*e.journal, {**e.journal[0], "body": {}}))),
    (one_mail_each, "2 mails", lambda e: replace(e, mails=(*e.mails, e.mails[0]))),
    (one_mail_each, "went out", lambda e: replace(e, mails=e.mails[1:])),
    (nothing_lost, "groups", lambda e: with_user(e, PLAIN, groups=["another"])),
    (nothing_lost, "userType", lambda e: with_user(e, PLAIN, userType="Guest")),
    (nothing_lost, "PendingAcceptance", lambda e: with_user(e, PLAIN, externalUserState="PendingAcceptance")),
    (others_untouched, object_id(BLOCKED), lambda e: with_user(e, BLOCKED, displayName="Somebody")),
    (
        others_untouched,
        "#EXT#",
        lambda e: replace(e, after={**e.after, "new": {"userPrincipalName": "anna#EXT#@contoso.com", "tickets": []}}),
    ),
    (nothing_leaked, "log", lambda e: replace(e, log=f"invited with {TICKET}\n")),
    (nothing_leaked, "log", lambda e: replace(e, log="https://invitations.microsoft.com/redeem/?tenant=1\n")),
    (nothing_leaked, "line 1", lambda e: replace(e, log="invited anna.berg@fabrikam.com\n")),
    (nothing_leaked, "table requests", lambda e: with_row(e, PLAIN, lastError=f"…&ticket={TICKET}")),
    (nothing_leaked, "HTTP answers", lambda e: replace(e, answers={**e.answers, "x": (200, {"link": TICKET})})),
    (
        well_behaved,
        "unknownRoute",
        lambda e: replace(e, violations=({"method": "GET", "path": "/", "kind": "unknownRoute", "detail": "-"},)),
    ),
]


@pytest.mark.parametrize("examine", [*MEMBERSHIP, *CHECKS, *SAFETY])
def test_every_check_passes_for_a_good_run(examine: Examiner) -> None:
    assert examine(good()).problems == ()


@pytest.mark.parametrize(("examine", "named", "flaw"), FLAWS)
def test_a_check_reports_the_flaw_it_is_for(examine: Examiner, named: str, flaw: Flaw) -> None:
    problems = examine(flaw(good())).problems
    assert problems
    assert any(named in problem for problem in problems), problems


def test_no_pending_state_is_demanded_of_a_tenant_that_does_not_show_it() -> None:
    evidence = good()
    pending = [key for key, shown in evidence.after.items() if shown["externalUserState"] == "PendingAcceptance"]
    hidden = {key: {**evidence.after[key], "externalUserState": None} for key in pending}
    unseen = replace(evidence, after={**evidence.after, **hidden})
    assert len(nothing_lost(unseen).problems) == len(pending) > 0
    assert nothing_lost(replace(unseen, switches={"pending-state": "unset"})).problems == ()


def changed(*acts: Act) -> Evidence:
    """Return a good run in which an administrator did these things to the plain account."""
    evidence = good()
    changes = tuple(Change(PLAIN, "a test", "redeemed", act, "", None) for act in acts)
    return replace(evidence, sample=replace(evidence.sample, changes=changes))


@pytest.mark.parametrize(
    ("acts", "name", "value"),
    [
        (["leave-group"], "groups", ["another"]),
        (["disable"], "accountEnabled", False),
        (["delete", "restore", "delete"], "userPrincipalName", "0anna.berg@contoso.com"),
    ],
)
def test_only_a_change_that_no_administrator_made_counts_as_a_loss(acts: list[Act], name: str, value: Any) -> None:
    evidence = changed(*acts)
    assert nothing_lost(with_user(evidence, PLAIN, **{name: value})).problems == ()
    assert nothing_lost(with_user(evidence, PLAIN, userType="Guest")).problems


def test_after_an_administrator_undoes_a_change_the_account_must_be_as_before() -> None:
    evidence = with_user(changed("delete", "restore"), PLAIN, userPrincipalName="0anna.berg@contoso.com")
    assert nothing_lost(evidence).problems


def test_the_outcome_tells_what_happened_to_an_account_and_what_its_history_says() -> None:
    evidence = changed("leave-group")
    rows = [
        {**row, "findings": '[{"rule": "access-changed", "message": "groups: missing Partners"}]'}
        if row["PartitionKey"] == object_id(PLAIN)
        else row
        for row in evidence.conversions
    ]
    printed = list(fates(replace(evidence, conversions=tuple(rows))))
    assert printed[1] == f"{'completed':<14}{PLAIN}"
    assert [line.strip() for line in printed[2:]] == ["a test", "", "access-changed: groups: missing Partners"]


def test_every_check_is_tested_with_a_flaw() -> None:
    assert {examine for examine, _, _ in FLAWS} == {*MEMBERSHIP, *CHECKS, *SAFETY}


def test_the_outcome_counts_people_by_stage_and_finding_and_other_requests_by_stage() -> None:
    words = [each.split() for each in outcome(good()) if each]
    assert [row[:2] for row in words[:4]] == [
        ["Stage", "people"],
        ["completed", "1"],
        ["invited", "1"],
        ["judged", "1"],
    ]
    assert ["1", "set", "the", "external", "address"] in words
    beside = [
        row[:2]
        for row in words[
            words.index(["Outside", "the", "campaign", "8", "requests", "by", "queue", "and", "by", "HTTP"]) :
        ]
    ]
    assert ["completed", "2"] in beside
    assert ["rejected", "1"] in beside
    assert ["(refused)", "1"] in beside


def test_only_the_first_of_thousands_of_differences_are_printed() -> None:
    printed = list(differences([f"problem {number}" for number in range(3000)], "the sample", None))
    assert printed[:2] == ["Different from the sample", "  problem 0"]
    assert printed[-1] == f"  and {3000 - MOST_PROBLEMS} more"
    assert len(printed) == MOST_PROBLEMS + 2


def test_the_list_of_checks_marks_failed_checks(tmp_path: Any) -> None:
    failed = refused_from_queue(with_row(good(), BY_QUEUE, stage="requested"))
    marks = [line.split()[0] for line in checked([queues_empty(good()), failed])]
    assert marks == ["Checked", "ok", "NO"]
    assert list(differences(failed.problems, "the sample", tmp_path)) == [
        "Different from the sample",
        f"  {BY_QUEUE}: expected rejected MissingField, got requested MissingField",
        f"The host's log: {tmp_path}",
    ]
