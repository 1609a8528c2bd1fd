"""Every call of the probe is permitted by its table's permission, and no smaller set of permissions suffices."""

import re
from typing import Any

import pytest

from probe import calls as table
from probe.calls import Call, opened, smallest
from probe.cli import main
from probe.plan import required
from probe.questions import QUESTIONS
from rehearsal.tenant.gateway.routing import Router
from rehearsal.tenant.protocol.messages import Request
from rehearsal.tenant.serving.app import ROUTES
from tests.probe.support import FULL, OTHERS, RESTRICTED, Lab

CALLS = [value for value in vars(table).values() if isinstance(value, Call)]
MINIMUM = required(QUESTIONS)


def called(entry: dict[str, Any]) -> Call:
    """Return the call of the probe's table for an entry of the journal."""
    for call in sorted(CALLS, key=lambda call: "{" in call.template):
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(f"/{call.version}{call.template}"))
        if call.method == entry["method"] and re.fullmatch(pattern, entry["path"]):
            return call
    raise AssertionError(f"{entry['method']} {entry['path']} is not in the table")


def route_permissions(call: Call) -> frozenset[str]:
    path = re.sub(r"\{\w+\}", "x", call.template)
    request = Request(call.method, call.version, path, {}, {}, None, "")
    return Router(ROUTES).find(request)[0].permissions


@pytest.mark.parametrize("call", [call for call in CALLS if call.permission], ids=lambda call: call.name)
def test_a_route_accepts_the_tables_permission_and_each_wider_one(call: Call) -> None:
    if call is table.CREATE_INVITATION:
        return  # the invitation service decides by itself, which INV-16 to INV-18 ask about
    allowed = route_permissions(call)
    assert {call.permission} | table.WIDER.get(str(call.permission), frozenset()) <= allowed


def test_a_question_makes_only_the_calls_that_it_names(lab: Lab) -> None:
    for question in QUESTIONS:
        lab.start_over(RESTRICTED if question.id == "INV-15" else None)
        assert lab.run(question.id) == 0, lab.person.said
        named = {*question.calls, table.DOMAINS, table.COUNT, table.LIST_USERS, table.LIST_DELETED}
        for entry in lab.journal():
            call = called(entry)
            assert call in named, (question.id, call.name)
            sent_by_another = set(entry["roles"]) in [set(roles) for roles in OTHERS.values()]
            assert sent_by_another or opened(call.permission, entry["roles"])


def test_a_whole_run_makes_every_call_of_the_table(lab: Lab) -> None:
    assert lab.run() == 0
    assert {called(entry) for entry in lab.journal()} == set(CALLS)


def test_with_the_smallest_set_only_questions_that_need_more_are_skipped(lab: Lab) -> None:
    assert MINIMUM == ("Domain.Read.All", "User.Invite.All", "User.ReadWrite.All")
    lab.control.set_roles(MINIMUM, "main")
    assert lab.run() == 0, lab.person.said
    skipped = {found["id"]: found["reason"] for found in lab.result()["beliefs"] if found["ended"] == "skipped"}
    assert skipped == {
        "FACT-10": "the sign-in lacks RoleEligibilitySchedule.Read.Directory",
        "FACT-14": "the sign-in lacks IdentityProvider.Read.All",
        "INV-13": "the sign-in lacks LicenseAssignment.Read.All",
        "INV-15": "the sign-in lacks Policy.Read.All",
        "INV-16": "the sign-in lacks Policy.Read.All",
        "INV-23": "the sign-in lacks Policy.Read.B2BManagementPolicy",
    }
    assert {entry["status"] for entry in lab.journal() if entry["roles"] == sorted(MINIMUM)} & {403} == set()


@pytest.mark.parametrize("missing", MINIMUM)
def test_if_a_permission_of_the_smallest_set_is_missing_the_probe_stops(lab: Lab, missing: str) -> None:
    lab.control.set_roles([name for name in MINIMUM if name != missing], "main")
    assert lab.run() == 2
    assert lab.person.said == [f"The sign-in lacks {missing}; grant that, or ask less with --only."]
    assert lab.journal() == []


@pytest.mark.parametrize("missing", sorted(set(FULL) - set(MINIMUM)))
def test_a_missing_further_permission_skips_exactly_its_questions(lab: Lab, missing: str) -> None:
    lab.control.set_roles([name for name in FULL if name != missing], "main")
    assert lab.run() == 0
    skipped = {found["id"] for found in lab.result()["beliefs"] if missing in found.get("reason", "")}
    need = {q.id for q in QUESTIONS if any(c.permission == missing for c in q.calls)}
    assert skipped == need
    assert need


def test_questions_that_only_read_need_only_read_permissions(lab: Lab) -> None:
    asked = ("READ-05", "FACT-10", "BATCH-04")
    least = required([question for question in QUESTIONS if question.id in asked])
    assert least == ("Domain.Read.All", "User.Read.All")
    lab.control.set_roles([*least, "RoleEligibilitySchedule.Read.Directory"], "main")
    assert lab.run(*asked, addresses=()) == 0
    assert [found["ended"] for found in lab.result()["beliefs"]] == ["seen"] * 3
    assert {entry["method"] for entry in lab.journal() if "$batch" not in entry["path"]} == {"GET"}


def test_the_smallest_set_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--permissions"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"The smallest set of application permissions: {', '.join(MINIMUM)}\n")
    for call in CALLS:
        assert call.permission is None or f"{call.name}: {call.purpose}" in printed
    assert main(["--permissions", "--only", "fact-14"]) == 0
    assert "Domain.Read.All, User.Read.All\n" in capsys.readouterr().out


def test_a_wider_permission_replaces_a_narrower_one() -> None:
    assert smallest([table.READ_USER, table.COUNT]) == ("User.Read.All",)
    assert smallest([table.READ_USER, table.CREATE_USER]) == ("User.ReadWrite.All",)
    assert smallest([table.BATCH]) == ()
