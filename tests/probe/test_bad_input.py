"""Errors before or during a run are reported in one sentence, and every leftover account is listed."""

import json
import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from probe.cli import main
from probe.leftovers import alone
from probe.run import DONE, INTERRUPTED, NOT_ALL, REFUSED
from tests.probe.support import ADDRESS, TENANT, Lab
from tests.rehearsal.tenant_support import ANNA, BEN, changed

WRITES = ("POST", "PATCH", "DELETE")


def writes(lab: Lab) -> list[str]:
    return [entry["path"] for entry in lab.journal() if entry["method"] in WRITES and "$batch" not in entry["path"]]


def many(count: int) -> dict[str, Any]:
    users = [
        {"id": f"0f000000-0000-4000-8000-{number:012}", "userPrincipalName": f"u{number}@contoso.com"}
        for number in range(count)
    ]
    return TENANT | {"users": users}


def test_a_tenant_with_many_users_is_refused_unless_it_is_named(lab: Lab) -> None:
    lab.start_over(many(201))
    assert lab.run("INV-01") == REFUSED
    (said,) = lab.person.said
    assert said == (
        "The tenant contoso.com has 201 users, more than 200, and looks like one that people work in; if the probe "
        "shall make its test accounts there, say --tenant contoso.com."
    )
    assert writes(lab) == []
    assert lab.run("INV-01", tenant="Contoso.com") == DONE


def test_a_tenant_other_than_the_named_one_is_refused(lab: Lab) -> None:
    assert lab.run("INV-01", tenant="fabrikam.com") == REFUSED
    assert lab.person.said == ["This is the tenant contoso.com, not fabrikam.com."]
    assert writes(lab) == []


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("olga@contoso.com", "olga@contoso.com is in a domain of this tenant; the probe needs one from outside."),
        ("o@sub.contoso.com", "o@sub.contoso.com is in a domain of this tenant; the probe needs one from outside."),
        (
            "anna@fabrikam.com",
            "anna@fabrikam.com belongs to an account in this tenant already; the probe needs a free one.",
        ),
        ("olga+x@fabrikam.com", "olga+x@fabrikam.com is no address that Microsoft Entra ID takes in an invitation."),
        ("olga", "olga is no address that Microsoft Entra ID takes in an invitation."),
    ],
)
def test_an_unusable_address_is_refused_before_anything_is_created(lab: Lab, address: str, said: str) -> None:
    lab.start_over(changed(otherMails=["ann@fabrikam.com"]))
    assert lab.run("INV-01", addresses=(address,)) == REFUSED
    assert lab.person.said[-1] == said
    assert writes(lab) == []


def test_without_an_address_nothing_is_created(lab: Lab) -> None:
    assert lab.run("INV-01", addresses=()) == REFUSED
    assert lab.person.said == ["Give with --address an address outside the tenant whose mail you can open."]


def test_without_consent_nothing_is_created_and_the_plan_is_printed_first(lab: Lab) -> None:
    lab.person.agrees = False
    assert lab.run() == REFUSED
    told = "\n".join(lab.person.said)
    for word in ("Tenant contoso.com, 3 users", "makes", "invites", "sends", "uses", "removes", "asks you to open"):
        assert word in told
    assert lab.person.said[-1] == "Nothing was done."
    assert writes(lab) == []


def test_if_nobody_opens_the_mailbox_only_its_questions_are_skipped(lab: Lab) -> None:
    lab.person.opens = False
    assert lab.run("RED-01", "RED-03", "RED-05") == DONE
    assert [found["ended"] for found in lab.result()["beliefs"]] == ["seen", "skipped", "skipped"]
    assert lab.belief("RED-05")["reason"] == "nobody opened the link"
    assert lab.strangers() == []


def test_without_a_person_no_link_is_shown(lab: Lab) -> None:
    assert lab.run("RED-05", person=False) == DONE
    assert "no person" not in lab.belief("RED-05")["reason"]
    assert lab.person.opened == []


@pytest.mark.parametrize("at", [1, 4, 9, 13])
def test_after_a_lost_connection_leftovers_are_listed_and_removed_by_the_next_run(lab: Lab, at: int) -> None:
    def lost(sent: int) -> None:
        if sent >= at:
            raise httpx.ConnectError("no route to host")

    lab.wire.before = lost
    assert lab.run("INV-06") in (NOT_ALL, REFUSED)
    assert any("was not answered in 8 tries" in line for line in lab.person.said)
    listed = [line.strip().partition(" ")[0] for line in lab.person.said if line.startswith("  b2b-probe-")]
    assert {user["userPrincipalName"] for user in lab.strangers()} <= set(listed)
    assert [entry["name"] for entry in lab.noted()] == listed
    lab.wire.let_through()
    assert lab.run("INV-06") == DONE
    assert (lab.strangers(), lab.noted()) == ([], [])


def test_an_answer_of_unexpected_form_fails_only_its_own_question(lab: Lab) -> None:
    def without_value(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        return httpx.Response(200, json={}) if "federationConfigurations" in request.url.path else response

    lab.wire.answer = without_value
    assert lab.run("FACT-14", "READ-17") == NOT_ALL
    assert lab.belief("FACT-14")["reason"] == "an answer has an unexpected form (KeyError('value'))"
    assert lab.belief("READ-17")["positions"] == ["prefixed"]
    assert lab.strangers() == []


def test_an_account_that_cannot_be_removed_is_listed(lab: Lab) -> None:
    lab.control.set_faults([{"kind": "500-json", "method": "DELETE", "path": "/deletedItems/"}])
    assert lab.run("INV-01") == NOT_ALL
    (left,) = lab.strangers()
    assert "Left behind; the next run removes it, or --clean does:" in lab.person.said
    assert lab.person.said[-1].endswith("(recycle bin)")
    assert lab.noted()[0]["id"] == left["id"]
    lab.control.clear_faults()
    assert lab.run(clean=True) == DONE
    assert lab.strangers() == []


def test_a_second_ctrl_c_stops_the_removal_and_lists_the_leftovers(lab: Lab) -> None:
    def ctrl_c(sent: int) -> None:
        if sent >= 8:
            raise KeyboardInterrupt

    lab.wire.before = ctrl_c
    assert lab.run("INV-01") == INTERRUPTED
    assert [line for line in lab.person.said if line.startswith("Left behind")]
    lab.wire.let_through()
    assert lab.run(clean=True) == DONE
    assert lab.strangers() == []


def _hold(folder: Path, held: Any, go: Any) -> None:
    with alone(folder):
        held.set()
        go.wait(30)


def test_a_second_probe_in_the_same_folder_is_refused_until_the_first_has_ended(lab: Lab) -> None:
    context = multiprocessing.get_context("spawn")
    held, go = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(lab.folder / "notes", held, go))
    other.start()
    try:
        assert held.wait(30)
        assert lab.run("INV-01") == REFUSED
        assert lab.person.said == [f"Another probe is at work in {lab.folder / 'notes'}; wait until it has ended."]
        assert lab.journal() == []
    finally:
        os.kill(int(other.pid or 0), signal.SIGKILL)
        other.join()
    assert lab.run("INV-01") == DONE


def test_the_accounts_of_a_probe_in_another_folder_are_not_removed(lab: Lab) -> None:
    options = lab.options("INV-01")
    lab.killed(options, 9, behind=True)
    elsewhere = lab.options("INV-01", folder=lab.folder / "elsewhere")
    left = lab.strangers()
    assert lab.perform(elsewhere) == REFUSED
    assert "Another probe made a test account in this tenant at" in lab.person.said[-1]
    assert lab.strangers() == left
    lab.control.advance(2 * 3600)
    assert lab.perform(elsewhere) == DONE
    assert lab.strangers() == []


def test_accounts_that_only_resemble_the_probes_are_not_touched(lab: Lab) -> None:
    named = {"id": BEN, "userPrincipalName": "ben@contoso.com", "displayName": "b2b-probe-12345678-1"}
    tagged = {
        "id": ANNA,
        "userPrincipalName": "anna@contoso.com",
        "companyName": "B2B conversion probe: safe to delete",
    }
    lab.start_over(TENANT | {"users": [named, tagged]})
    before = lab.control.users()
    assert lab.run(clean=True) == DONE
    assert lab.run("INV-01") == DONE
    assert lab.control.users() == before


def test_a_noted_account_without_the_probes_marks_is_not_touched(lab: Lab) -> None:
    folder = lab.folder / "notes"
    folder.mkdir()
    note = {"name": "anna@contoso.com", "since": "2026-12-01T00:00:00+00:00", "id": None}
    (folder / "contoso.onmicrosoft.com.json").write_text(json.dumps([note]), "utf-8")
    assert lab.run(clean=True) == REFUSED
    assert lab.person.said == ["The account anna@contoso.com lacks the probe's marks, so the probe leaves it."]
    assert lab.control.user(ANNA)["deletedDateTime"] is None


def test_unreadable_notes_are_reported(lab: Lab) -> None:
    folder = lab.folder / "notes"
    folder.mkdir()
    (folder / "contoso.onmicrosoft.com.json").write_text("{", "utf-8")
    assert lab.run("INV-01") == REFUSED
    assert lab.person.said[-1].endswith("cannot be read; move it away and run with --clean.")


def test_an_unknown_question_is_refused_by_name() -> None:
    with pytest.raises(SystemExit, match=r"^There is no question INV-99; --list shows them all\.$"):
        main(["--only", "INV-99,INV-01"])


def test_the_questions_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == DONE
    assert (
        "INV-06    An address in otherMails alone is enough: mail-or-other-mails or mail-only\n"
        in capsys.readouterr().out
    )


def test_a_guest_that_an_invitation_created_is_removed(lab: Lab) -> None:
    def overlook(request: httpx.Request) -> httpx.Request:
        body = json.loads(request.content or b"{}")
        if body.get("invitedUserEmailAddress") in (None, ADDRESS):
            return request
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        return httpx.Request(request.method, request.url, headers=headers, json=body | {"invitedUser": None})

    lab.wire.rewrite = overlook
    assert lab.run("INV-31") == DONE
    assert (lab.belief("INV-31")["positions"], lab.belief("INV-31")["answer"]["status"]) == ([], 201)
    guests = [change for change in lab.control.changes() if "#EXT#" in str(change["after"].get("userPrincipalName"))]
    assert [change["kind"] for change in guests] == ["add", "delete"]
    assert (lab.strangers(), lab.noted()) == ([], [])


def test_an_older_account_that_an_answer_names_is_not_touched(lab: Lab) -> None:
    def name_another(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.url.path.endswith("/invitations") and response.status_code == 201:
            return httpx.Response(201, json=response.json() | {"invitedUser": {"id": BEN}})
        return response

    before = lab.control.user(BEN)
    lab.wire.answer = name_another
    assert lab.run("INV-01") == NOT_ALL
    assert lab.belief("INV-01")["reason"] == (
        "the invitation of an existing account invited another account, which the probe does not touch"
    )
    assert lab.control.user(BEN) == before
    assert (lab.strangers(), lab.noted()) == ([], [])
