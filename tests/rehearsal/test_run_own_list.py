"""The rehearsal of the user's own list: people read from the app's CSV, the checks, and the printed table."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rehearsal.run.invented import Person
from rehearsal.run.list_checks import (
    CHECKS,
    Evidence,
    Played,
    nothing_leaked,
    nothing_lost,
    one_invitation_each,
    queues_empty,
    ready_invited,
    redemptions_seen,
    well_behaved,
)
from rehearsal.run.list_report import MOST_NAMED, table
from rehearsal.run.own_list import people_of

COLUMNS = {"userPrincipalName": "UPN", "invitedUserEmailAddress": "External mail"}
CSV = '\ufeff"member","userPrincipalName","address","UPN","External mail"\r\n'


def test_people_are_read_from_the_columns_of_the_list() -> None:
    names = CSV + '"1","anna@contoso.com","found@fabrikam.com","anna@contoso.com","anna@fabrikam.com"\r\n'
    assert list(people_of(names, COLUMNS)) == [
        Person(user_principal_name="anna@contoso.com", address="anna@fabrikam.com")
    ]


def test_of_two_columns_with_equal_headers_the_lists_own_counts() -> None:
    names = '\ufeff"userPrincipalName","userPrincipalName"\r\n"of.the.app@contoso.com","of.the.list@contoso.com"\r\n'
    assert [*people_of(names, {"userPrincipalName": "userPrincipalName"})] == [
        Person(user_principal_name="of.the.list@contoso.com")
    ]


@pytest.mark.parametrize(("cell", "name"), [("'-anna@contoso.com", "-anna@contoso.com"), ("'t@contoso.com",) * 2])
def test_the_apostrophe_before_a_formula_is_removed_from_a_name(cell: str, name: str) -> None:
    names = f'\ufeff"UPN"\r\n"{cell}"\r\n'
    assert [*people_of(names, {"userPrincipalName": "UPN"})] == [Person(user_principal_name=name)]


def member(key: str, stage: str, verdict: str | None = "ready") -> dict[str, Any]:
    return {
        "member": f"key-{key}",
        "userId": key,
        "userPrincipalName": f"{key}@contoso.com",
        "invitedUserEmailAddress": None,
        "reference": None,
        "stage": stage,
        "verdict": verdict,
        "prospect": None if verdict == "ready" else "fixable",
        "changes": ["correct the row of the list"],
        "rules": [] if verdict == "ready" else ["address-characters"],
    }


def user(key: str, state: str | None = None, **changed: Any) -> dict[str, Any]:
    return {"id": key, "userPrincipalName": f"{key}@contoso.com", "mail": f"{key}@fabrikam.com"} | {
        "externalUserState": state,
        **changed,
    }


def good() -> Evidence:
    """Return evidence in which Anna redeemed, Berta is invited, and Carl's address has to be corrected."""
    before = {key: user(key) for key in ("anna", "berta", "carl")}
    return Evidence(
        played=Played(3, before, frozenset({"anna"})),
        members=(member("anna", "completed"), member("berta", "invited"), member("carl", "judged", "blocked")),
        after=before | {"anna": user("anna", "Accepted"), "berta": user("berta", "PendingAcceptance")},
        invitations=2,
        mails=({"userId": "anna"}, {"userId": "berta"}),
        violations=(),
        log="Executed 'Functions.convert' (Succeeded)\n",
        left_in_queues=0,
        shows=True,
    )


def with_member(evidence: Evidence, place: int, **changed: Any) -> Evidence:
    members = [*evidence.members]
    members[place] = {**members[place], **changed}
    return replace(evidence, members=tuple(members))


def with_user(evidence: Evidence, key: str, **changed: Any) -> Evidence:
    return replace(evidence, after={**evidence.after, key: {**evidence.after[key], **changed}})


Check = Callable[[Evidence], Any]
FLAWS: list[tuple[Check, str, Callable[[Evidence], Evidence]]] = [
    (ready_invited, "never judged", lambda e: with_member(e, 2, verdict=None, stage="listed")),
    (ready_invited, "its stage is judged", lambda e: with_member(e, 1, stage="judged")),
    (ready_invited, "its stage is invited", lambda e: with_member(e, 2, stage="invited")),
    (ready_invited, "the list has 2", lambda e: replace(e, members=e.members[:2])),
    (redemptions_seen, "not completed", lambda e: with_member(e, 0, stage="invited")),
    (redemptions_seen, "never redeemed", lambda e: with_member(e, 1, stage="completed")),
    (one_invitation_each, "2 mails", lambda e: replace(e, mails=(*e.mails, e.mails[0]))),
    (one_invitation_each, "not invited", lambda e: replace(e, mails=(*e.mails, {"userId": "carl"}))),
    (one_invitation_each, "3 invitations", lambda e: replace(e, invitations=3)),
    (nothing_lost, "was created", lambda e: replace(e, after={**e.after, "new": user("new")})),
    (nothing_lost, "mail was changed", lambda e: with_user(e, "anna", mail=None)),
    (nothing_lost, "PendingAcceptance", lambda e: with_user(e, "berta", externalUserState=None)),
    (nothing_lost, "carl", lambda e: with_user(e, "carl", displayName="Somebody")),
    (queues_empty, "1", lambda e: replace(e, left_in_queues=1)),
    (nothing_leaked, "line 1", lambda e: replace(e, log="invited anna@fabrikam.com\n")),
    (nothing_leaked, "line 1", lambda e: replace(e, log="https://login.microsoftonline.com/redeem?ticket=1\n")),
    (
        well_behaved,
        "unknown-route",
        lambda e: replace(e, violations=({"method": "GET", "path": "/", "kind": "unknown-route", "detail": "-"},)),
    ),
]


@pytest.mark.parametrize("examine", CHECKS)
def test_every_check_passes_for_a_good_run(examine: Check) -> None:
    assert examine(good()).problems == ()


@pytest.mark.parametrize(("examine", "named", "flaw"), FLAWS)
def test_a_check_reports_the_flaw_it_is_for(examine: Check, named: str, flaw: Callable[[Evidence], Evidence]) -> None:
    problems = examine(flaw(good())).problems
    assert any(named in problem for problem in problems), problems


def test_every_check_is_tested_with_a_flaw() -> None:
    assert {examine for examine, _, _ in FLAWS} == set(CHECKS)


def test_no_pending_state_is_demanded_of_a_tenant_that_does_not_show_it() -> None:
    unseen = replace(with_user(good(), "berta", externalUserState=None), shows=False)
    assert nothing_lost(unseen).problems == ()


def test_the_table_counts_people_and_names_the_first_not_released() -> None:
    words = [line.split() for line in table(good().members) if line]
    assert ["completed", "1"] in [row[:2] for row in words]
    assert ["carl@contoso.com", "address-characters"] in words
    many = [member(f"p{number}", "judged", "blocked") for number in range(MOST_NAMED + 3)]
    assert list(table(many))[-1] == "and 3 more"


def test_the_table_names_nobody_if_everybody_was_released() -> None:
    assert not any("@" in line for line in table(good().members[:2]))
