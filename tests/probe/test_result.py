"""The result file can be shared: it states what was seen and contains no names."""

import re

import pytest

from probe import scrub
from probe.run import DONE
from tests.probe.support import ADDRESS, SECOND, Lab
from tests.rehearsal.tenant_support import TENANT_ID


def secrets(lab: Lab) -> set[str]:
    """Return everything that names the tenant, an account, a person or a link in a run."""
    found = {TENANT_ID, ADDRESS, SECOND, "fabrikam", "contoso", "b2b-probe-"}
    for change in lab.control.changes():
        found |= {change["id"], str(change["after"].get("displayName", ADDRESS))}
    tickets = [link.rpartition("ticket%3D")[2].partition("%26")[0] for link, _ in lab.person.opened]
    assert all(tickets)
    return found | set(tickets)


def test_the_result_names_no_tenant_account_person_or_link(lab: Lab) -> None:
    assert lab.run() == DONE
    text = (lab.folder / "result.json").read_text("utf-8")
    assert [secret for secret in secrets(lab) if secret.lower() in text.lower()] == []
    assert "<id>" in lab.belief("INV-25")["answer"]["message"], "an answer that named an account is in the file"
    assert "invitations.microsoft.com" not in text
    assert "Bearer" not in text


@pytest.mark.parametrize("taken_out", ["_GUID", "_LINK", "_ADDRESS", "names"])
def test_every_part_of_the_scrubbing_is_needed(taken_out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = f"object {TENANT_ID} of olga@fabrikam.com at https://contoso.com/x?y=z in contoso"
    names = {"contoso"}
    clean = scrub.text(raw, names)
    assert clean == "object <id> of <address> at <link> in <name>"
    if taken_out == "names":
        names = set()
    else:
        monkeypatch.setattr(scrub, taken_out, re.compile("(?!)"))
    assert scrub.text(raw, names) != clean


def test_a_belief_records_its_switch_position_and_the_verbatim_answer_without_names(lab: Lab) -> None:
    lab.start_over(address_match="mail-only")
    assert lab.run("INV-06") == DONE
    belief = lab.belief("INV-06")
    answer = belief.pop("answer")
    assert belief == {"id": "INV-06", "ended": "seen", "switch": "address-match", "positions": ["mail-only"]}
    assert (answer["call"], answer["status"], answer["code"]) == ("POST /v1.0/invitations", 400, "BadRequest")
    assert answer["message"].startswith("The email you\N{RIGHT SINGLE QUOTATION MARK}re using to invite this user")
    assert set(answer["shape"]["error"]) == {"code", "message", "innerError"}


def test_a_good_answer_is_recorded_by_its_shape_and_fixed_values(lab: Lab) -> None:
    assert lab.run("INV-01") == DONE
    shape = lab.belief("INV-01")["answer"]["shape"]
    assert (shape["status"], shape["invitedUserType"]) == ("PendingAcceptance", "Guest")
    assert (shape["inviteRedeemUrl"], shape["invitedUser"]) == ("str", {"id": "str"})


def test_the_tenant_is_described_without_its_name(lab: Lab) -> None:
    assert lab.run("INV-01") == DONE
    result = lab.result()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", result["date"])
    assert result["tenant"] == {
        "cloud": "public",
        "size": "fewer than 50 users",
        "ownDomain": True,
        "federatedDomain": True,
        "signedInAs": "application",
        "permissions": sorted(lab.app.state.tenant.roles_by_client["main"]),
    }


def test_a_killed_run_has_already_written_what_it_saw(lab: Lab) -> None:
    """The test kills a run at its second question and reads the result of the first."""
    with pytest.raises(AssertionError, match="ended before"):
        lab.killed(lab.options("INV-08", "INV-12"), 10_000, behind=True)
    calls = lab.wire.sent
    (lab.folder / "result.json").unlink()
    lab.start_over()
    lab.killed(lab.options("INV-08", "INV-12"), calls - 6, behind=True)
    assert [found["id"] for found in lab.result()["beliefs"]] == ["INV-08"]
